"""The lines of a journal: one per picture, with all that decides whether it still holds."""

import os
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from runner.classify.jobs import Job
from runner.classify.rows import quote, repeat

if TYPE_CHECKING:
    from runner.classify.predictions import Ranking

PAIR = "[%d, %.9g]"  # nine digits hold a float32 exactly


class LineWriter:
    """Writes the lines of the pictures of one results file.

    Args:
        output: the results file, which need not exist.
        settings: digest of the run's settings.
    """

    def __init__(self, output: Path, settings: str) -> None:
        self._folder = os.path.realpath(output.parent)
        self._settings = settings
        self._related: dict[str, str] = {}  # folders of pictures, seen from that of the results

    def write(self, job: Job, ranking: "Ranking") -> str:
        """Return the line of one picture, with its line end; ASCII.

        Args:
            job: the picture.
            ranking: of float32 values.
        """
        found = repeat(PAIR, len(ranking)) % tuple(chain.from_iterable(ranking))
        return (
            f'{{"input": {quote(self.name(job))}, "size": {job.size}, '
            f'"modified_ns": {job.modified_ns}, "settings": "{self._settings}", '
            f'"ranking": [{found}]}}\n'
        )

    def name(self, job: Job) -> str:
        """Name a picture from the folder of the results, so that both may move together."""
        folder, _, name = job.source.rpartition(os.sep)
        if folder not in self._related:
            self._related[folder] = self._relate(folder or os.curdir)
        return self._related[folder] + name

    def _relate(self, folder: str) -> str:
        place = os.path.realpath(folder)
        with suppress(ValueError):  # on another drive
            place = os.path.relpath(place, self._folder)
        return os.path.join(place, "")  # noqa: PTH118 - the separator behind it
