"""From inputs on a command line to jobs: which picture goes into which file."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from runner.errors import ImpastoError
from runner.formats import FORMATS, choose_suffix, has_picture_suffix, name_format

STANDARD = "-"


@dataclass(frozen=True)
class Job:
    """One picture to paint.

    Attributes:
        source: file to read; ``-`` is standard input.
        output: file to write; ``-`` is standard output.
        fault: why it cannot even be tried, or empty.
    """

    source: Path
    output: Path
    fault: str = ""

    @property
    def reads_standard(self) -> bool:
        """Whether the picture comes from standard input."""
        return str(self.source) == STANDARD

    @property
    def writes_standard(self) -> bool:
        """Whether the painting goes to standard output."""
        return str(self.output) == STANDARD


@dataclass(frozen=True)
class Plan:
    """Every job of one command, and the folder they go to (None for a single file)."""

    jobs: tuple[Job, ...]
    folder: Path | None


def plan_jobs(
    inputs: Sequence[Path], output: Path, *, choice: str = "same", recursive: bool = False
) -> Plan:
    """Lay out the work.

    ``output`` is a file when one input is no folder and ``output`` has a picture's suffix;
    otherwise it is a folder, in which the trees of input folders are kept. Pictures whose
    outputs would be one file get their whole name and, if need be, a number.

    Args:
        inputs: files, folders, or ``-``.
        output: file, folder, or ``-``.
        choice: ``same``, ``png``, ``jpeg`` or ``webp``.
        recursive: look into folders of folders.

    Raises:
        click.UsageError: inputs, output and format contradict each other.
        ImpastoError: a folder holds no pictures.
    """
    if _is_single(inputs, output):
        _check_single(output, choice)
        return Plan((_check_fault(Job(inputs[0], output)),), None)
    _check_folder(inputs, output)
    placed = [pair for path in inputs for pair in _place(path, output, recursive=recursive)]
    placed = list(dict.fromkeys(placed))  # a picture named twice is painted once
    targets = _separate([(source, _rename(source, place, choice)) for source, place in placed])
    jobs = [Job(source, output / target) for source, target in targets]
    return Plan(tuple(_check_fault(job) for job in jobs), output)


def _is_single(inputs: Sequence[Path], output: Path) -> bool:
    if str(output) == STANDARD:
        return True
    one_file = len(inputs) == 1 and not inputs[0].is_dir()
    return one_file and has_picture_suffix(output) and not output.is_dir()


def _check_single(output: Path, choice: str) -> None:
    if str(output) == STANDARD or choice == "same":
        return
    if name_format(output).lower() != choice:
        message = f"--format {choice} contradicts {output}; give only one of them"
        raise click.UsageError(message)


def _check_folder(inputs: Sequence[Path], output: Path) -> None:
    if any(str(path) == STANDARD for path in inputs):
        message = f"standard input needs a file (or -) as output, not the folder {output}"
        raise click.UsageError(message)
    if output.exists() and not output.is_dir():
        message = f"{output} is a file, and several pictures need a folder"
        raise click.UsageError(message)


def _place(path: Path, output: Path, *, recursive: bool) -> Iterator[tuple[Path, Path]]:
    """Yield the pictures of one input and where each belongs below the output folder."""
    if not path.is_dir():
        yield path, Path(path.name)
        return
    found = False
    for source in _walk(path, output.resolve(), recursive=recursive):
        found = True
        yield source, source.relative_to(path)
    if not found:
        message = f"{path}: no pictures ({', '.join(FORMATS)}) in this folder"
        if not recursive and any(child.is_dir() for child in path.iterdir()):
            message += "; pass --recursive to look into its folders"
        raise ImpastoError(message)


def _walk(folder: Path, output: Path, *, recursive: bool) -> Iterator[Path]:
    """Yield pictures by name, files before folders; never what an earlier run has painted."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        message = f"{folder}: cannot be read ({error.strerror})"
        raise ImpastoError(message) from None
    for entry in entries:
        path = folder / entry.name
        if not entry.is_dir() and has_picture_suffix(path) and not entry.name.startswith("."):
            yield path
    for entry in entries if recursive else ():
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False) and path.resolve() != output:
            yield from _walk(path, output, recursive=True)


def _rename(source: Path, place: Path, choice: str) -> Path:
    suffix = choose_suffix(source, choice)
    return place if place.suffix == suffix else place.with_name(place.stem + suffix)


def _separate(pairs: list[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """Give every source a target of its own, also where upper and lower case are one.

    Of several sources for one target the one of that very name keeps it; the others
    are called after their whole name: ``a.jpg`` and ``a.png`` become ``a.jpg.png`` and ``a.png``.
    """
    groups: dict[str, list[tuple[Path, Path]]] = defaultdict(list)
    for source, target in pairs:
        groups[str(target).casefold()].append((source, target))
    owners = {
        key: next((source for source, target in group if source.name == target.name), group[0][0])
        for key, group in groups.items()
    }
    taken = set(groups)
    return [
        (
            source,
            target if owners[str(target).casefold()] == source else _avoid(source, target, taken),
        )
        for source, target in pairs
    ]


def _avoid(source: Path, target: Path, taken: set[str]) -> Path:
    same_suffix = source.suffix == target.suffix
    stem = source.stem if same_suffix else source.name
    number = 2 if same_suffix else 1
    while True:
        name = f"{stem}-{number}{target.suffix}" if number > 1 else f"{stem}{target.suffix}"
        candidate = target.with_name(name)
        if str(candidate).casefold() not in taken:
            taken.add(str(candidate).casefold())
            return candidate
        number += 1


def _check_fault(job: Job) -> Job:
    """Mark a job that must not be tried: no such input, or one that would overwrite itself."""
    if job.reads_standard:
        return job
    if not job.source.exists():
        return Job(job.source, job.output, "no such file")
    if not job.source.is_file():
        return Job(job.source, job.output, "not a file")
    if job.output.exists() and job.output.samefile(job.source):
        fault = "the painting would overwrite its own photo; choose another output"
        return Job(job.source, job.output, fault)
    return job
