"""Sizes that are letters: every number as an expression, and the smallest input that works."""
