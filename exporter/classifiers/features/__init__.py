"""Feature networks as ONNX files: bytes in, every layer out, no classes."""
