"""Models at work for many callers at once: queues, batches, workers, and files that change.

This file imports nothing; :mod:`runner.service.engine.engine` holds the class ``Engine``.
"""
