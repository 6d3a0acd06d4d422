"""Where labelled pictures come from: folders of classes, IDX files, or MNIST by name."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.classifiers.download import fetch_mnist
from models.classifiers.idx import read_pair
from models.classifiers.pictures import (
    ArrayPictures,
    FilePictures,
    Part,
    Pictures,
    decode,
    split_stratified,
)
from models.errors import DataError
from models.style.photos import SUFFIXES

PICTURE_SUFFIXES = (*SUFFIXES, ".bmp", ".gif", ".tif", ".tiff")
MOST_DECODED = 50_000  # larger folders are not decoded once over before training begins
MOST_UNREADABLE = 20
IDX_PARTS = {"training": "train", "test": "t10k"}
Report = Callable[[str], None]


@dataclass(frozen=True)
class DataSet:
    """Pictures to train on, to choose by, and to be judged by.

    Attributes:
        labels: names of the K classes.
        training: pictures to learn.
        validation: pictures that decide when training has been best; may be missing.
        test: pictures that decide nothing; may be missing.
    """

    labels: tuple[str, ...]
    training: Pictures
    validation: Pictures | None
    test: Pictures | None

    def identify(self) -> dict[str, str]:
        """Return a digest per part that there is."""
        parts = {"training": self.training, "validation": self.validation, "test": self.test}
        return {name: part.identify() for name, part in parts.items() if part is not None}


def read_source(source: str, *, share: float, seed: int, report: Report) -> DataSet:
    """Read labelled pictures.

    Args:
        source: ``mnist``; a folder with MNIST's IDX files; a folder of class folders; or a
            folder of such folders called ``train``, ``val`` and perhaps ``test``.
        share: of the training pictures that become validation where there is no ``val``;
            0: none.
        seed: of that choice.
        report: called with a sentence per picture that is skipped.

    Raises:
        DataError: the source is none of these, or a part of it is damaged.
    """
    folder = fetch_mnist() if source == "mnist" else Path(source)
    if not folder.is_dir():
        message = (
            f"{source}: no such folder; give a folder of class folders, a folder of IDX files, or "
            "the word mnist"
        )
        raise DataError(message)
    if find_idx(folder, "train-images") is not None:
        return read_idx_folder(folder, share=share, seed=seed)
    if (folder / "train").is_dir():
        return read_split_folder(folder, share=share, seed=seed, report=report)
    labels, pictures = read_class_folder(folder, report)
    training, validation = divide(pictures, share, seed)
    return DataSet(labels, training, validation, None)


def divide(pictures: Pictures, share: float, seed: int) -> tuple[Pictures, Pictures | None]:
    """Return training and validation; all is training when ``share`` is 0."""
    if share == 0:
        return pictures, None
    training, validation = split_stratified(pictures.labels, share, seed)
    return Part(pictures, training), Part(pictures, validation)


def find_idx(folder: Path, start: str) -> Path | None:
    """Return the IDX file whose name begins so, compressed or not; None without one."""
    for suffix in ("-ubyte", "-ubyte.gz", ".idx", ".idx.gz"):
        for path in sorted(folder.glob(f"{start}*{suffix}")):
            return path
    return None


def read_idx_folder(folder: Path, *, share: float, seed: int) -> DataSet:
    """Read MNIST's four files, or the two for training.

    Raises:
        DataError: one of a pair is missing, damaged, or they do not belong together.
    """
    parts = {
        name: read_idx_part(folder, start)
        for name, start in IDX_PARTS.items()
        if name == "training" or find_idx(folder, f"{start}-images") is not None
    }
    classes = 1 + max(int(part.labels.max()) for part in parts.values())
    present = set(np.unique(parts["training"].labels).tolist())
    missing = sorted(set(range(classes)) - present)
    if classes < 2 or missing:
        which = f"; {missing[0]} is missing" if missing else ""
        message = (
            f"{folder}: the training labels are {sorted(present)}{which}; labels must count from "
            "0 without gaps, two at least"
        )
        raise DataError(message)
    training, validation = divide(parts["training"], share, seed)
    labels = tuple(str(number) for number in range(classes))
    return DataSet(labels, training, validation, parts.get("test"))


def read_idx_part(folder: Path, start: str) -> ArrayPictures:
    """Read pictures and labels of one part.

    Raises:
        DataError: see :func:`read_idx_folder`.
    """
    images, labels = (find_idx(folder, f"{start}-{kind}") for kind in ("images", "labels"))
    if images is None or labels is None:
        missing = "images" if images is None else "labels"
        message = f"{folder}: {start}-{missing} is missing; IDX files come in pairs"
        raise DataError(message)
    pixels, numbers = read_pair(images, labels)
    return ArrayPictures(pixels, numbers.astype(np.int64))


def read_split_folder(folder: Path, *, share: float, seed: int, report: Report) -> DataSet:
    """Read folders ``train``, ``val`` (or ``validation``) and ``test``, of class folders each.

    Raises:
        DataError: their classes differ; see :func:`read_class_folder` too.
    """
    labels, training = read_class_folder(folder / "train", report)
    others: dict[str, Pictures] = {}
    for part, names in {"validation": ("val", "validation"), "test": ("test",)}.items():
        for name in names:
            if (folder / name).is_dir():
                theirs, others[part] = read_class_folder(folder / name, report)
                check_classes(folder / name, theirs, labels)
                break
    if "validation" in others:
        return DataSet(labels, training, others["validation"], others.get("test"))
    kept, validation = divide(training, share, seed)
    return DataSet(labels, kept, validation, others.get("test"))


def check_classes(folder: Path, found: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Compare the classes of two parts.

    Raises:
        DataError: they differ.
    """
    if found != expected:
        missing, more = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
        differences = [f"lacks {name!r}" for name in missing] + [f"has {name!r}" for name in more]
        message = f"{folder}: {', '.join(differences[:4])}; it needs the classes of train"
        raise DataError(message)


def read_class_folder(folder: Path, report: Report) -> tuple[tuple[str, ...], FilePictures]:
    """Read a folder of class folders; a class is called after its folder.

    Unreadable pictures are reported and skipped, :data:`MOST_UNREADABLE` at most.

    Raises:
        DataError: fewer than two classes, a class without a readable picture, or too many
            unreadable ones.
    """
    try:
        classes = sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] != ".")
        files = {name: list_files(name) for name in classes}
    except OSError as error:
        message = f"{folder}: cannot be listed ({error.strerror})"
        raise DataError(message) from None
    if len(classes) < 2:
        found = f"one class, {classes[0].name!r}" if classes else "no class folder"
        message = f"{folder}: holds {found}; a classifier needs two, each a folder of pictures"
        raise DataError(message)
    paths = [path for name in classes for path in files[name]]
    labels = [label for label, name in enumerate(classes) for _ in files[name]]
    readable = check_pictures(paths, report) if len(paths) <= MOST_DECODED else [True] * len(paths)
    kept = [i for i, fine in enumerate(readable) if fine]
    numbers = np.array([labels[i] for i in kept], dtype=np.int64)
    for label, name in enumerate(classes):
        if not (numbers == label).any():
            suffixes = ", ".join(PICTURE_SUFFIXES)
            message = f"{name}: holds no readable picture; add {suffixes} files, or remove it"
            raise DataError(message)
    names = tuple(path.name for path in classes)
    return names, FilePictures(tuple(paths[i] for i in kept), numbers)


def list_files(folder: Path) -> list[Path]:
    """Return the picture files below a class folder, in the order of their paths."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES)


def check_pictures(paths: list[Path], report: Report) -> list[bool]:
    """Decode every picture once; tell which can be.

    Raises:
        DataError: more than :data:`MOST_UNREADABLE` cannot.
    """
    with ThreadPoolExecutor() as pool:
        errors = list(pool.map(find_damage, paths))
    broken = [error for error in errors if error]
    for sentence in broken[:MOST_UNREADABLE]:
        report(f"{sentence}; skipped")
    if len(broken) > MOST_UNREADABLE:
        message = (
            f"{len(broken)} of {len(paths)} pictures cannot be read, more than the "
            f"{MOST_UNREADABLE} that are skipped; mend or remove them"
        )
        raise DataError(message)
    return [not error for error in errors]


def find_damage(path: Path) -> str:
    """Return what is wrong with a picture; nothing if it decodes."""
    try:
        decode(path)
    except DataError as error:
        return error.message
    return ""
