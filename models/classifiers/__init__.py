"""The classic image classifiers, LeNet-5 to VGG, with their data and their training."""
