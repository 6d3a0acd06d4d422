"""Networks in ONNX files, read without their weights; the package onnx is imported when needed."""
