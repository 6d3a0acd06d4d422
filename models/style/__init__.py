"""Feed-forward style transfer: the network, what it is measured by, its data and training."""
