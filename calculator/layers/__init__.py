"""The layers: what each takes, returns and counts."""
