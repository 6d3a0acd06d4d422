"""The calculator behind HTTP: ``/v1/shapes``, ``explain``, ``compare``, ``solve`` and ``quiz``."""
