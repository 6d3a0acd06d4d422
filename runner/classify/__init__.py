"""Naming what is in pictures: ``impasto classify`` and the class ``Classifier``.

This file imports nothing: the processes that decode small pictures need no ONNX Runtime.
"""
