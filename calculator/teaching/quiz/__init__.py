"""Exercises whose wrong answers come from named misconceptions."""
