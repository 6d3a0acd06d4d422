"""Photos and paintings as training data: order, crops, orientation, and files that are broken."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.errors import DataError
from models.style.photos import (
    PhotoBatches,
    list_paintings,
    list_photos,
    read_painting,
    read_picture,
)

Draw = Callable[..., Image.Image]
ORIENTATION = 0x0112


def open_batches(
    folder: Path, *, batch: int = 2, crop: int = 16, seed: int = 7, told: list[str] | None = None
) -> PhotoBatches:
    """Return batches of a folder; ``told`` collects what is reported."""
    heard: list[str] = [] if told is None else told
    paths = list_photos(folder)
    return PhotoBatches(paths, batch=batch, crop=crop, seed=seed, report=heard.append)


@settings(max_examples=15, deadline=None)
@given(start=st.integers(0, 12), seed=st.integers(0, 2**63 - 1), batch=st.integers(1, 4))
def test_batches_do_not_depend_on_where_iteration_starts(
    photos: Path, start: int, seed: int, batch: int
) -> None:
    """Step k's crops are the same in an unbroken run and in one resumed before it."""
    unbroken = list(open_batches(photos, batch=batch, seed=seed).iterate(0, 14))
    resumed = list(open_batches(photos, batch=batch, seed=seed).iterate(start, 14))
    assert len(unbroken) == 14
    assert all(torch.equal(a, b) for a, b in zip(unbroken[start:], resumed, strict=True))


def test_batches_are_bytes_of_the_crops_size(photos: Path) -> None:
    """A batch is uint8 with channels first and the asked-for number and side."""
    batch = open_batches(photos, batch=3, crop=24).read_batch(0)
    assert batch.dtype == torch.uint8
    assert batch.shape == (3, 3, 24, 24)


def test_crops_vary_in_scale_place_and_side(tmp_path: Path) -> None:
    """Samples of one photo stand at scales of 1 to 2.5, anywhere in it, and half are flipped."""
    across, down = np.meshgrid(np.arange(200), np.arange(100))
    pixels = np.stack([across, down, 0 * across], axis=2).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "ramps.png")
    crops = torch.cat(list(open_batches(tmp_path, batch=1, crop=40).iterate(0, 60))).float()
    # The ramps tell where in the photo the crop's middle lies and how much photo it spans.
    spans = crops[:, 1, -1, 20] - crops[:, 1, 0, 20]
    flips = (crops[:, 0, 20, 0] > crops[:, 0, 20, -1]).float().mean()
    middles = crops[:, 0, 20, 20]
    assert 100 / 2.5 - 4 <= spans.min() < 50
    assert 85 < spans.max() <= 100
    assert 0.3 < flips < 0.7
    assert middles.min() < 50
    assert middles.max() > 150


def test_other_seed_gives_other_crops(photos: Path) -> None:
    """The seed decides the order and the crops."""
    first, second = (open_batches(photos, seed=seed).read_batch(0) for seed in (1, 2))
    assert not torch.equal(first, second)


def test_every_photo_is_shown_once_per_pass(tmp_path: Path) -> None:
    """One pass over the folder shows each photo once, and the next one in another order."""
    for i in range(8):
        Image.new("RGB", (40, 40), (30 * i, 0, 0)).save(tmp_path / f"{i}.png")
    reds = [int(b[0, 0, 0, 0]) for b in open_batches(tmp_path, batch=1, seed=3).iterate(0, 16)]
    assert sorted(reds[:8]) == sorted(reds[8:]) == [30 * i for i in range(8)]
    assert reds[:8] != reds[8:]


def test_broken_photo_is_reported_once_and_skipped(photos: Path, tmp_path: Path) -> None:
    """A file that is no picture is named once, and its place is taken by another photo."""
    for path in photos.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    whole = (photos / "photo0.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("no picture")
    told: list[str] = []
    batches = list(open_batches(tmp_path, told=told).iterate(0, 14))
    assert len(batches) == 14
    assert sorted(sentence.split(":")[0] for sentence in told) == [
        str(tmp_path / "cut.png"),
        str(tmp_path / "text.jpg"),
    ]
    assert all(sentence.endswith("; skipped") for sentence in told)


def test_broken_photo_leaves_the_others_as_they_were(photos: Path, tmp_path: Path) -> None:
    """Crops after a broken photo are the same whether or not it has been met before."""
    for path in photos.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "photo9.png").write_bytes(b"")
    unbroken = list(open_batches(tmp_path, batch=1).iterate(0, 18))
    resumed = list(open_batches(tmp_path, batch=1).iterate(11, 18))
    assert all(torch.equal(a, b) for a, b in zip(unbroken[11:], resumed, strict=True))


def test_folder_of_broken_photos_is_an_error(tmp_path: Path) -> None:
    """Where no photo can be read, iterating says so after naming each."""
    for name in ("a.jpg", "b.png"):
        (tmp_path / name).write_text("no picture")
    told: list[str] = []
    with pytest.raises(DataError, match="none of 2 photos can be read"):
        next(open_batches(tmp_path, told=told).iterate(0, 1))
    assert len(told) == 2


@pytest.mark.parametrize("damage", [b"II*\x00\xff\xff\xff\xff", b"MM\x00*\x00\x00\x00\x08\x00\xff"])
def test_damaged_exif_does_not_stop_training(damage: bytes, draw: Draw, tmp_path: Path) -> None:
    """A photo whose EXIF block is damaged is read without it or refused, never a crash."""
    path = tmp_path / "photo.jpg"
    draw((40, 30), seed=1).save(path, exif=b"Exif\x00\x00" + damage)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the command does
        try:
            assert read_picture(path).size == (40, 30)
        except DataError as error:
            assert "not a readable picture" in error.message  # noqa: PT017 - both are kept promises


@pytest.mark.parametrize(("orientation", "turned"), [(1, False), (3, False), (6, True), (8, True)])
def test_photo_stands_upright(
    orientation: int, *, turned: bool, draw: Draw, tmp_path: Path
) -> None:
    """The camera's orientation is applied: pixels are as the photographer saw them."""
    picture, exif = draw((60, 40), seed=2), Image.Exif()
    exif[ORIENTATION] = orientation
    picture.save(tmp_path / "photo.png", exif=exif)
    expected = {1: picture, 3: picture.rotate(180), 6: picture.rotate(-90, expand=True)}
    expected[8] = picture.rotate(90, expand=True)
    upright = read_picture(tmp_path / "photo.png")
    assert upright.size == ((40, 60) if turned else (60, 40))
    assert np.array_equal(np.asarray(upright), np.asarray(expected[orientation]))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "CMYK"])
def test_photo_of_any_mode_becomes_rgb(mode: str, draw: Draw, tmp_path: Path) -> None:
    """Grey, palette, transparent and CMYK pictures are read as RGB."""
    path = tmp_path / ("photo.jpg" if mode == "CMYK" else "photo.png")
    draw((20, 20), seed=3).convert(mode).save(path)
    assert read_picture(path).mode == "RGB"


@settings(max_examples=20, deadline=None)
@given(width=st.integers(1, 60), height=st.integers(1, 60), sample=st.integers(0, 1000))
def test_small_photo_is_enlarged(
    tmp_path_factory: pytest.TempPathFactory, width: int, height: int, sample: int
) -> None:
    """A photo of any size, even below the crop's, fills the crop with its own colours."""
    folder = tmp_path_factory.mktemp("small")
    Image.new("RGB", (width, height), (10, 200, 90)).save(folder / "photo.png")
    crop = open_batches(folder, batch=1, crop=32).read_batch(sample)
    assert crop.shape == (1, 3, 32, 32)
    assert torch.equal(crop[0, :, 5, 5], torch.tensor([10, 200, 90], dtype=torch.uint8))
    assert (crop == crop[:, :, :1, :1]).all()


def test_photos_are_listed_by_name(photos: Path, tmp_path: Path) -> None:
    """Pictures come by name whatever the suffix's case; other files are left alone."""
    for name in ("b.JPG", "a.png", "c.webp", "notes.txt", "d.jpeg"):
        (tmp_path / name).touch()
    assert [path.name for path in list_photos(tmp_path)] == ["a.png", "b.JPG", "c.webp", "d.jpeg"]
    assert [path.name for path in list_photos(photos, hold_out=3)] == ["photo0.png", "photo1.png"]


@pytest.mark.parametrize("hold_out", [5, 7])
def test_hold_out_that_leaves_nothing_is_an_error(hold_out: int, photos: Path) -> None:
    """Holding out as many photos as there are, or more, is refused."""
    with pytest.raises(DataError, match=f"5 pictures with {hold_out} held out leave none"):
        list_photos(photos, hold_out)


def test_missing_photo_folder_is_an_error(tmp_path: Path) -> None:
    """A folder that does not exist, or is a file, is named with the reason."""
    with pytest.raises(DataError, match=r"nowhere: cannot be listed .*No such file"):
        list_photos(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file: cannot be listed .*Not a directory"):
        list_photos(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: holds no pictures; give \.jpg"):
        list_photos(tmp_path / "empty")


def test_paintings_carry_what_is_known_of_them(paintings: Path, tmp_path: Path) -> None:
    """A painting's facts come from the YAML by its name, which stays the file's own."""
    about = tmp_path / "about.yaml"
    about.write_text("mill: {title: The Mill, year: 1648, name: other, seen: 2020-01-02}\n1: {}\n")
    mill, waves = list_paintings(paintings, about, ())
    assert mill.about == {"name": "mill", "title": "The Mill", "year": 1648, "seen": "2020-01-02"}
    assert waves.about == {"name": "waves"}
    assert (mill.name, mill.path) == ("mill", paintings / "mill.png")


def test_paintings_come_in_the_asked_order(paintings: Path) -> None:
    """Names choose the paintings and their order; one file is one painting."""
    assert [p.name for p in list_paintings(paintings, None, ("waves", "mill"))] == ["waves", "mill"]
    assert [p.name for p in list_paintings(paintings / "mill.png", None, ())] == ["mill"]


def test_unknown_painting_lists_the_nearest_first(paintings: Path) -> None:
    """A misspelt name is answered with the paintings there are, the likeliest first."""
    with pytest.raises(DataError, match="no painting called 'wave'; there are waves, mill"):
        list_paintings(paintings, None, ("wave",))


def test_paintings_of_one_name_are_refused(draw: Draw, tmp_path: Path) -> None:
    """Two files that would be the same style are an error, not a silent choice."""
    for name in ("mill.jpg", "mill.png"):
        draw((20, 20), seed=1).save(tmp_path / name)
    with pytest.raises(DataError, match=r"mill\.png: mill\.jpg has the same name; rename one"):
        list_paintings(tmp_path, None, ())


def test_missing_painting_is_an_error(tmp_path: Path) -> None:
    """A painting that does not exist and a folder without one are named."""
    with pytest.raises(DataError, match=r"mill\.png: cannot be listed as a folder of pictures"):
        list_paintings(tmp_path / "mill.png", None, ())
    with pytest.raises(DataError, match=r"holds no painting; give \.jpg"):
        list_paintings(tmp_path, None, ())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"mill: [1, 2", "cannot be read as YAML"),
        (b"\xff\xfe\xfa", "cannot be read as YAML"),
        (b"- mill\n", "must map each painting's name to its title"),
        (b"mill: 1648\n", "must map each painting's name to its title"),
        (b"", "must map each painting's name to its title"),
        (None, "cannot be read as YAML"),
    ],
)
def test_wrong_yaml_is_named(
    content: bytes | None, message: str, paintings: Path, tmp_path: Path
) -> None:
    """A file of facts that is missing, broken or of another shape is one clear error."""
    about = tmp_path / "about.yaml"
    if content is not None:
        about.write_bytes(content)
    with pytest.raises(DataError, match=rf"about\.yaml: {message}"):
        list_paintings(paintings, about, ())


@pytest.mark.parametrize("size", [(80, 40), (40, 80), (10, 30)])
def test_painting_is_read_at_its_style_size(
    size: tuple[int, int], draw: Draw, tmp_path: Path
) -> None:
    """The short side becomes the style size, larger or smaller, and the shape is kept."""
    draw(size, seed=4).save(tmp_path / "mill.png")
    painting = read_painting(tmp_path / "mill.png", 32)
    width, height = (round(side * 32 / min(size)) for side in size)
    assert painting.shape == (1, 3, height, width)
    assert painting.dtype == torch.float32
    assert 0 <= painting.min() < painting.max() <= 1


def test_broken_painting_is_an_error(tmp_path: Path) -> None:
    """A painting that cannot be read stops the run: it cannot be skipped."""
    (tmp_path / "mill.png").write_text("no picture")
    with pytest.raises(DataError, match=r"mill\.png: not a readable picture"):
        read_painting(tmp_path / "mill.png", 32)
