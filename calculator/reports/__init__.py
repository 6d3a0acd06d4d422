"""The layer table as text and data."""
