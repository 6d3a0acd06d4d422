"""``impasto look``: pictures of what a network learned, from files that give out their layers."""
