"""``impasto bench``: how fast networks run on this machine."""
