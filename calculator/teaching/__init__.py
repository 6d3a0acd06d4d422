"""Answers to questions about networks: how, why, which, and what differs."""
