"""The commands of the calculator, each in a file of its own that is imported when it is called."""
