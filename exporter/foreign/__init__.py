"""Other people's ONNX classifiers with pictures in front and labels behind; no PyTorch here."""
