"""The convolution itself, on small matrices and on pictures."""
