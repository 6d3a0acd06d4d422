"""Classifiers as ONNX files: from a checkpoint's layers to bytes in and probabilities out."""
