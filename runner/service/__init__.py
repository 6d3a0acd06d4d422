"""Every model behind HTTP: ``impasto serve``.

This file imports nothing: the command's help needs neither the server nor ONNX Runtime.
"""
