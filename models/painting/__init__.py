"""The command around ``models.optimize``: pictures in and out, sizes, colours, frames, resume."""
