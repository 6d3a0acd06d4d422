"""Painting photographs: ``impasto stylize`` and the class ``Stylizer``."""

from runner.stylize.painter import Effect, Painter, finish, keep_chroma
from runner.stylize.stylizer import Stylizer

__all__ = ["Effect", "Painter", "Stylizer", "finish", "keep_chroma"]
