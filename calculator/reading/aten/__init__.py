"""Graphs of aten operations, as ``torch.export`` writes them, read as layers; without PyTorch."""
