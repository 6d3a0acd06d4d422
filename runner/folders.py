"""From inputs on a command line to jobs: which picture goes into which file."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from runner.formats import choose_suffix, has_picture_suffix, name_format
from runner.inputs import STANDARD, examine, is_folder, list_pictures

MANIFEST_NAME = ".impasto-manifest.jsonl"  # what a folder of paintings holds besides


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
        photos = {os.path.realpath(inputs[0]): inputs[0]}
        return Plan((_check_fault(Job(inputs[0], output), photos),), None)
    _check_folder(inputs, output)
    placed = [pair for path in inputs for pair in _place(path, output, recursive=recursive)]
    targets = _separate(
        [(source, _rename(source, place, choice)) for source, place in _drop_repeated(placed)]
    )
    photos = {os.path.realpath(source): source for source, _ in targets}
    jobs = [Job(source, output / target) for source, target in targets]
    return Plan(tuple(_check_fault(job, photos) for job in jobs), output)


def _is_single(inputs: Sequence[Path], output: Path) -> bool:
    if str(output) == STANDARD:
        return True
    one_file = len(inputs) == 1 and not is_folder(inputs[0])
    return one_file and has_picture_suffix(output) and not is_folder(output)


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
    if os.path.lexists(output) and not is_folder(output):
        message = (
            f"{output} is a file, and a folder is needed (or a picture's suffix for one picture)"
        )
        raise click.UsageError(message)


def _place(path: Path, output: Path, *, recursive: bool) -> Iterator[tuple[Path, Path]]:
    """Yield the pictures of one input and where each belongs below the output folder."""
    if not is_folder(path):
        yield path, Path(path.name)
        return
    root = output.resolve()
    pictures = list_pictures(path, recursive=recursive, skip=lambda found: _is_painted(found, root))
    yield from ((Path(source), Path(source).relative_to(path)) for source in pictures)


def _is_painted(folder: str, output: Path) -> bool:
    """Tell whether this or an earlier run puts its paintings there."""
    return Path(folder).resolve() == output or (Path(folder) / MANIFEST_NAME).exists()


def _drop_repeated(placed: list[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """Keep the first of the places of a picture that was named more than once."""
    first: dict[str, tuple[Path, Path]] = {}
    for source, place in placed:
        absolute = os.path.abspath(source)  # noqa: PTH100 - a link is a picture of its own
        first.setdefault(absolute, (source, place))
    return list(first.values())


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


def _check_fault(job: Job, photos: Mapping[str, Path]) -> Job:
    """Mark a job that must not be tried: no such input, or one that would overwrite a photo.

    Args:
        job: to check.
        photos: everything that this command reads, by its real path.
    """
    if job.reads_standard:
        return job
    _, fault = examine(job.source)
    if fault:
        return replace(job, fault=fault)
    photo = photos.get(os.path.realpath(job.output))
    if photo is not None and not job.writes_standard:
        name = "its own photo" if photo == job.source else f"the photo {photo}"
        return replace(job, fault=f"the painting would overwrite {name}; choose another output")
    return job
