"""The memory behind ``--resume``."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import OutputError
from runner.folders import MANIFEST_NAME
from runner.stylize.manifest import Manifest, Settings

SETTINGS = Settings(
    model="5f",
    style="starry_night",
    strength=0.3,
    keep_color=False,
    size=None,
    quality=90,
    precision="fp32",
)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Return a photo and its painting, as files of a few bytes."""
    source, output = tmp_path / "a.jpg", tmp_path / "out" / "a.jpg"
    output.parent.mkdir()
    source.write_bytes(b"photo")
    output.write_bytes(b"painting")
    return source, output


def remember(pair: tuple[Path, Path]) -> None:
    """Write the line of a painting into a manifest."""
    source, output = pair
    Manifest(output.parent, SETTINGS).add(source, output, output.stat())


def test_manifest_knows_what_it_was_told(pair: tuple[Path, Path]) -> None:
    """A painting of this photo with these settings is known to the next run."""
    assert not Manifest(pair[1].parent, SETTINGS).knows(*pair)
    remember(pair)
    assert Manifest(pair[1].parent, SETTINGS).knows(*pair)


@pytest.mark.parametrize(
    "other",
    [
        replace(SETTINGS, model="60"),
        replace(SETTINGS, style="the_scream"),
        replace(SETTINGS, strength=0.31),
        replace(SETTINGS, keep_color=True),
        replace(SETTINGS, size=512),
        replace(SETTINGS, quality=91),
        replace(SETTINGS, precision="bf16"),
    ],
)
def test_manifest_forgets_under_other_settings(other: Settings, pair: tuple[Path, Path]) -> None:
    """Any setting that changes the painting means work to be done again."""
    remember(pair)
    assert not Manifest(pair[1].parent, other).knows(*pair)


@pytest.mark.parametrize("which", [0, 1], ids=["photo", "painting"])
@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_bytes(b"something else"),
        lambda file: os.utime(file, ns=(1, 1)),
        lambda file: file.unlink(),
    ],
    ids=["bytes", "time", "gone"],
)
def test_manifest_forgets_when_a_file_changes(
    change: Callable[[Path], object], which: int, pair: tuple[Path, Path]
) -> None:
    """A photo or painting that changed or is gone means work to be done again."""
    remember(pair)
    change(pair[which])
    assert not Manifest(pair[1].parent, SETTINGS).knows(*pair)


@pytest.mark.parametrize(
    "name",
    [b"\xff\xfe.jpg", "\u2028 \x85.jpg".encode(), b"line\nfeed\r.jpg", b'"\\.jpg', b"a" * 250],
)
def test_manifest_remembers_every_name(name: bytes, tmp_path: Path) -> None:
    """Names that are not UTF-8 or hold line ends of any kind are known again."""
    source = tmp_path / os.fsdecode(name)
    output = tmp_path / "out" / source.name
    output.parent.mkdir()
    source.write_bytes(b"photo")
    output.write_bytes(b"painting")
    remember((source, output))
    assert Manifest(output.parent, SETTINGS).knows(source, output)


def test_manifest_survives_a_line_cut_short(pair: tuple[Path, Path]) -> None:
    """A crash in the middle of a line costs that line, neither those before nor those after."""
    remember(pair)
    path = pair[1].parent / MANIFEST_NAME
    path.write_bytes(path.read_bytes() + b'{"input": "b.jp')
    second = (pair[0].with_name("c.jpg"), pair[1].with_name("c.jpg"))
    for file in second:
        file.write_bytes(b"more")
    remember(second)
    manifest = Manifest(pair[1].parent, SETTINGS)
    assert manifest.knows(*pair)
    assert manifest.knows(*second)


def test_manifest_ignores_lines_of_others(pair: tuple[Path, Path]) -> None:
    """Lines that are JSON of another kind, or no text at all, are no lines."""
    remember(pair)
    path = pair[1].parent / MANIFEST_NAME
    path.write_bytes(b'[1, 2]\n"text"\n{"input": [], "output": {}}\n\xff\xfe\n' + path.read_bytes())
    assert Manifest(pair[1].parent, SETTINGS).knows(*pair)


def test_manifest_lets_photos_and_paintings_move_together(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    """Paths are relative to the folder: moved with its photos it still knows them."""
    remember(pair)
    moved = tmp_path / "moved"
    moved.mkdir()
    pair[0].rename(moved / "a.jpg")
    pair[1].parent.rename(moved / "out")
    assert Manifest(moved / "out", SETTINGS).knows(moved / "a.jpg", moved / "out" / "a.jpg")


def test_manifest_explains_what_it_cannot_read_or_write(pair: tuple[Path, Path]) -> None:
    """A folder in its place is an error that names it, when reading and when writing."""
    manifest = Manifest(pair[1].parent, SETTINGS)
    (pair[1].parent / MANIFEST_NAME).mkdir()
    with pytest.raises(
        OutputError, match=r"manifest\.jsonl: cannot be read .*; remove it to start"
    ):
        Manifest(pair[1].parent, SETTINGS)
    with pytest.raises(OutputError, match=r"manifest\.jsonl: cannot be written \(Is a directory\)"):
        manifest.add(*pair, pair[1].stat())
