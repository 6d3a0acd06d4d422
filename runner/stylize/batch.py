"""The work of ``impasto stylize``: every job read, painted, encoded and put in its place."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.encoding import encode
from runner.errors import OutputError, PictureError, explain
from runner.files import publish, temporary_name, write_atomically, write_standard
from runner.folders import Job, Plan
from runner.formats import FORMATS, name_format
from runner.images import Picture, Pixels, decode
from runner.stylize.manifest import Manifest, Settings
from runner.stylize.painter import Effect, Painter, finish
from runner.stylize.pipeline import Pipeline, Stages, Task


@dataclass(frozen=True)
class Options:
    """How to treat pictures and outputs.

    Attributes:
        long_side: cap on the longer side in pixels, or None.
        choice: ``same``, ``png``, ``jpeg`` or ``webp``.
        quality: 1 to 100.
        overwrite: replace outputs that exist.
        resume: skip what the manifest knows.
        workers: pictures painted at the same time.
        batch: pictures of one size per run.
    """

    long_side: int | None = None
    choice: str = "same"
    quality: int = 90
    overwrite: bool = False
    resume: bool = False
    workers: int = 1
    batch: int = 1


@dataclass(frozen=True)
class Row:
    """What became of one picture; ``status`` is ``ok``, ``failed`` or ``skipped``."""

    input: str
    output: str | None
    status: str
    error: str | None
    width: int | None
    height: int | None
    style: str
    seconds: float
    precision: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """A finished painting: its size and what could not be kept."""

    width: int
    height: int
    remarks: tuple[str, ...]


class Batch:
    """Paint every job of a plan.

    Args:
        painter: the open network.
        effect: how to paint.
        plan: what goes where.
        options: how to treat pictures and outputs.

    Raises:
        OutputError: the output folder cannot be made.
    """

    def __init__(self, painter: Painter, effect: Effect, plan: Plan, options: Options) -> None:
        self._painter = painter
        self._effect = effect
        self._plan = plan
        self._options = options
        self._manifest = self._open_manifest(plan.folder) if plan.folder else None
        stages = Stages[Job, Written](
            decode=self._decode,
            paint=lambda photos: painter.paint(photos, effect),
            encode=self._encode,
        )
        self._pipeline = Pipeline(stages, workers=options.workers, batch=options.batch)
        self.stopped = False

    def stop(self) -> None:
        """Finish or drop the pictures in flight and take no more; safe in a signal handler."""
        self.stopped = True
        self._pipeline.stop()

    def run(self) -> Iterator[Row]:
        """Yield a row per picture, as they are finished."""
        todo = []
        for job in self._plan.jobs:
            if self._options.resume and self._manifest and self._is_done(job):
                yield self._row(job, "skipped")
            else:
                todo.append(job)
        for task in self._pipeline.run(todo):
            yield self._report(task)

    def _is_done(self, job: Job) -> bool:
        manifest = self._manifest
        return not job.fault and manifest is not None and manifest.knows(job.source, job.output)

    def _open_manifest(self, folder: Path) -> Manifest:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"{folder}: cannot be made a folder for the paintings ({error.strerror})"
            raise OutputError(message) from None
        settings = Settings(
            model=self._painter.card.digest,
            style=self._effect.style,
            strength=self._effect.strength,
            keep_color=self._effect.keep_color,
            size=self._options.long_side,
            quality=self._options.quality,
            precision=self._painter.precision,
        )
        return Manifest(folder, settings)

    def _decode(self, job: Job) -> Picture:
        if job.fault:
            raise PictureError(job.fault)
        self._check_output(job)
        try:
            data = sys.stdin.buffer.read() if job.reads_standard else job.source.read_bytes()
        except OSError as error:
            message = f"cannot be read ({error.strerror})"
            raise PictureError(message) from None
        picture = decode(data, self._options.long_side)
        self._painter.check(picture)
        return picture

    def _check_output(self, job: Job) -> None:
        if job.writes_standard:
            return
        if os.path.isdir(job.output):  # noqa: PTH112 - any name may be asked, however long
            message = f"{job.output}: a folder is in the way"
            raise OutputError(message)
        if os.path.lexists(job.output) and not self._options.overwrite:
            remedy = "pass --overwrite to replace it"
            if self._options.resume:
                remedy = "it is not known to be this photo painted with these settings; " + remedy
            message = f"{job.output} exists; {remedy}"
            raise OutputError(message)

    def _encode(self, job: Job, picture: Picture, painted: tuple[Pixels, ...]) -> Written:
        frames = tuple(
            finish(photo, painting, self._effect)
            for photo, painting in zip(picture.frames, painted, strict=True)
        )
        finished = picture.with_frames(frames)
        data, remarks = encode(finished, self._choose_format(job, picture), self._options.quality)
        if job.writes_standard:
            _print(data)
        else:
            self._write(job, data)
        height, width = finished.size
        return Written(width, height, picture.remarks + remarks)

    def _choose_format(self, job: Job, picture: Picture) -> str:
        if not job.writes_standard:
            return name_format(job.output)
        if self._options.choice != "same":
            return self._options.choice.upper()
        return picture.format if picture.format in FORMATS.values() else "PNG"

    def _write(self, job: Job, data: bytes) -> None:
        status = write_atomically(job.output, data)
        if self._manifest:
            try:
                self._manifest.add(job.source, job.output, status)
            except OutputError:
                temporary_name(job.output).unlink(missing_ok=True)
                raise
        publish(job.output)

    def _report(self, task: Task[Job, Written]) -> Row:
        if task.result is None:
            return self._row(task.job, "failed", explain(task.error), seconds=task.seconds)
        written = task.result
        return self._row(task.job, "ok", written=written, seconds=task.seconds)

    def _row(
        self,
        job: Job,
        status: str,
        error: str | None = None,
        *,
        written: Written | None = None,
        seconds: float = 0.0,
    ) -> Row:
        return Row(
            input=str(job.source),
            output=None if status == "failed" else str(job.output),
            status=status,
            error=error,
            width=written.width if written else None,
            height=written.height if written else None,
            style=self._effect.style,
            seconds=round(seconds, 4),
            precision=self._painter.precision,
            remarks=written.remarks if written else (),
        )


def _print(data: bytes) -> None:
    try:
        write_standard(data)
    except BrokenPipeError:
        message = "standard output was closed before the whole painting was in it"
        raise OutputError(message) from None
