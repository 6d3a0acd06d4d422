"""Where labelled pictures come from, and what is said when they do not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.classifiers.pictures import measure_colors, split_stratified
from models.classifiers.sources import DataSet, read_source
from models.errors import DataError

Write = Callable[[Path, np.ndarray], Path]


def read(folder: Path, share: float = 0.25, reported: list[str] | None = None) -> DataSet:
    """Read a source with a fixed seed."""
    report = (reported if reported is not None else []).append
    return read_source(str(folder), share=share, seed=1, report=report)


def draw_class(folder: Path, count: int = 2) -> None:
    """Write a class folder with so many pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.new("L", (4, 4), 10 * i).save(folder / f"{i}.png")


def test_class_folders_are_named_and_split(classes: Path) -> None:
    """Classes are the folders by name; a quarter of each goes to validation."""
    data = read(classes)
    assert data.labels == ("bar", "cross", "dot")
    assert data.validation is not None
    assert sorted(data.training.labels.tolist()) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert data.validation.labels.tolist() == [0, 1, 2]
    assert data.test is None
    assert data.validation.open(0).size == (20, 20)


def test_idx_folder_has_training_validation_and_test(digits: Path) -> None:
    """t10k is kept apart as test; the pictures are those of the file."""
    data = read(digits)
    assert data.labels == tuple("0123456789")
    assert data.validation is not None
    assert data.test is not None
    assert [len(p.labels) for p in (data.training, data.validation, data.test)] == [30, 10, 10]
    assert np.asarray(data.test.open(9)).max() == 209


def test_nothing_is_held_out_when_asked(digits: Path) -> None:
    """A share of 0 trains on everything."""
    data = read(digits, 0.0)
    assert data.validation is None
    assert len(data.training.labels) == 40


def test_train_and_val_folders_are_taken_as_they_are(tmp_path: Path) -> None:
    """With folders train, val and test nothing is split off."""
    for part in ("train", "val", "test"):
        for name in ("a", "b"):
            draw_class(tmp_path / part / name, 3)
    data = read(tmp_path)
    assert data.validation is not None
    assert data.test is not None
    assert [len(p.labels) for p in (data.training, data.validation, data.test)] == [6, 6, 6]


def test_unreadable_picture_is_named_and_skipped(tmp_path: Path) -> None:
    """A damaged picture costs itself and one sentence."""
    draw_class(tmp_path / "a", 3)
    draw_class(tmp_path / "b", 3)
    (tmp_path / "a" / "0.png").write_bytes((tmp_path / "a" / "0.png").read_bytes()[:40])
    reported: list[str] = []
    data = read(tmp_path, 0.0, reported)
    assert data.training.labels.tolist() == [0, 0, 1, 1, 1]
    assert len(reported) == 1
    assert "a/0.png: not a readable picture" in reported[0]
    assert reported[0].endswith("; skipped")


def test_digest_changes_with_the_pictures(tmp_path: Path) -> None:
    """A resumed run can tell that a picture was added or changed."""
    draw_class(tmp_path / "a")
    draw_class(tmp_path / "b")
    before = read(tmp_path, 0.0).identify()
    assert read(tmp_path, 0.0).identify() == before
    Image.new("L", (9, 9), 3).save(tmp_path / "a" / "1.png")
    assert read(tmp_path, 0.0).identify() != before


def break_one_class(folder: Path) -> None:
    """Leave a single class."""
    draw_class(folder / "only")


def break_nothing(folder: Path) -> None:
    """Leave an empty folder."""
    folder.mkdir(exist_ok=True)


def break_empty_class(folder: Path) -> None:
    """Leave a class without pictures."""
    draw_class(folder / "a")
    (folder / "b").mkdir()
    (folder / "b" / "notes.txt").write_text("nothing")


def break_many(folder: Path) -> None:
    """Leave more damaged pictures than are skipped."""
    for name in ("a", "b"):
        draw_class(folder / name, 2)
        for i in range(15):
            (folder / name / f"x{i}.jpg").write_bytes(b"broken")


def break_single(folder: Path) -> None:
    """Leave a class of one picture, of which none can be held out."""
    draw_class(folder / "a", 1)
    draw_class(folder / "b", 2)


def break_val(folder: Path) -> None:
    """Leave a val folder with other classes."""
    for name in ("train/a", "train/b", "val/a", "val/c"):
        draw_class(folder / name)


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (break_one_class, "holds one class, 'only'; a classifier needs two"),
        (break_nothing, "holds no class folder; a classifier needs two"),
        (break_empty_class, "b: holds no readable picture; add .jpg"),
        (break_many, "30 of 34 pictures cannot be read, more than the 20 that are skipped"),
        (break_single, "has one picture, too few to train and to validate on"),
        (break_val, "val: lacks 'b', has 'c'; it needs the classes of train"),
    ],
)
def test_useless_folder_is_refused(
    tmp_path: Path, spoil: Callable[[Path], None], match: str
) -> None:
    """A folder that no classifier can be trained on is refused with what is wrong."""
    spoil(tmp_path)
    with pytest.raises(DataError, match=match):
        read(tmp_path)


def test_missing_folder_lists_what_can_be_given(tmp_path: Path) -> None:
    """A source that is not there is explained."""
    with pytest.raises(DataError, match="no such folder; give a folder of class folders, a fold"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("labels", "match"),
    [([0, 0, 0], r"labels are \[0\]; labels must count"), ([0, 2, 2], "; 1 is missing; labels")],
)
def test_labels_with_gaps_are_refused(
    tmp_path: Path, write_idx: Write, labels: list[int], match: str
) -> None:
    """Labels count from 0 without gaps, two classes at least."""
    write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((3, 4, 4)))
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.array(labels))
    with pytest.raises(DataError, match=match):
        read(tmp_path)


def test_missing_half_of_a_pair_is_named(tmp_path: Path, write_idx: Write) -> None:
    """Pictures without labels are refused."""
    write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((3, 4, 4)))
    with pytest.raises(DataError, match="train-labels is missing; IDX files come in pairs"):
        read(tmp_path)


@given(
    st.lists(st.integers(0, 3), min_size=8, max_size=60).filter(
        lambda labels: all(labels.count(label) > 1 for label in labels)
    ),
    st.floats(0.05, 0.9),
    st.integers(0, 99),
)
def test_split_takes_the_same_share_of_every_class(
    labels: list[int], share: float, seed: int
) -> None:
    """Nothing is lost or doubled, each side has each class, and shares are rounded half up."""
    array = np.array(labels, dtype=np.int64)
    training, validation = split_stratified(array, share, seed)
    assert sorted([*training.tolist(), *validation.tolist()]) == list(range(len(labels)))
    for label in set(labels):
        count = labels.count(label)
        held = int((array[validation] == label).sum())
        assert held == min(max(1, int(count * share + 0.5)), count - 1)
    again = split_stratified(array, share, seed)
    assert np.array_equal(again[1], validation)


def test_colors_are_measured_over_all_pixels() -> None:
    """Mean and covariance are NumPy's over the pixels of all pictures together."""
    generator = np.random.default_rng(0)
    pictures = [generator.integers(0, 256, (h, 5, 3), dtype=np.uint8) for h in (3, 8)]
    mean, covariance = measure_colors(pictures)
    pixels = np.concatenate([p.reshape(-1, 3) for p in pictures]).astype(float)
    assert np.allclose(mean, pixels.mean(0))
    assert np.allclose(covariance, np.cov(pixels.T, bias=True))
