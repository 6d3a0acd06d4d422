"""What a run leaves to look at: the CSV, the plot, the samples."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.errors import CheckpointError, DataError
from models.style.log import CostLog, plot_costs, read_costs, read_sample, write_sheet
from models.style.settings import Step

Draw = Callable[..., Image.Image]


def make_step(step: int, cost: float = 0.1) -> Step:
    """Return a step whose numbers need all their digits."""
    names = ("total", "content", "style", "variation", "steadiness")
    return Step(step, {name: cost / 3 + i for i, name in enumerate(names)}, 3e-3 / 7)


def write_steps(path: Path, *steps: int) -> None:
    """Write a log of the given steps."""
    log = CostLog(path, 0)
    for step in steps:
        log.add(make_step(step))
    log.close()


@settings(max_examples=30, deadline=None)
@given(cost=st.floats(allow_nan=False, allow_infinity=False))
def test_costs_keep_every_bit(tmp_path_factory: pytest.TempPathFactory, cost: float) -> None:
    """A cost read back is the same float, so that runs can be compared exactly."""
    path, step = tmp_path_factory.mktemp("log") / "losses.csv", make_step(1, cost)
    log = CostLog(path, 0)
    log.add(step)
    log.close()
    assert read_costs(path) == [step.costs | {"step": 1.0, "learning_rate": step.learning_rate}]


def test_row_is_on_disk_when_added(tmp_path: Path) -> None:
    """A row can be read before the log is closed: a killed run loses none."""
    log = CostLog(tmp_path / "losses.csv", 0)
    log.add(make_step(1))
    assert len(read_costs(tmp_path / "losses.csv")) == 1
    log.close()


def test_resumed_log_drops_what_comes_again(tmp_path: Path) -> None:
    """Rows past the resumed step go, earlier ones stay as they were, byte for byte."""
    path, short = tmp_path / "losses.csv", tmp_path / "short.csv"
    write_steps(path, 1, 2, 3, 4)
    write_steps(short, 1, 2)
    CostLog(path, 2).close()
    assert path.read_bytes() == short.read_bytes()


@pytest.mark.parametrize("lost", range(2, 60, 3))
def test_row_cut_by_a_crash_is_left_out(lost: int, tmp_path: Path) -> None:
    """However many bytes of the last row are missing, it is dropped and the others stay."""
    path = tmp_path / "losses.csv"
    write_steps(path, 1, 2)
    path.write_bytes(path.read_bytes()[:-lost])
    assert [row["step"] for row in read_costs(path)] == [1]
    CostLog(path, 2).close()
    assert [row["step"] for row in read_costs(path)] == [1]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x00\xff\n\n", b"step,total\n1,x\n"])
def test_file_that_is_no_log_begins_anew(content: bytes, tmp_path: Path) -> None:
    """A CSV that holds no readable row is replaced by an empty log."""
    (tmp_path / "losses.csv").write_bytes(content)
    CostLog(tmp_path / "losses.csv", 5).close()
    header = "step,total,content,style,variation,steadiness,learning_rate\n"
    assert (tmp_path / "losses.csv").read_text() == header


def test_log_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A log inside a file instead of a folder is refused as unwritable."""
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"losses\.csv: cannot be written"):
        CostLog(tmp_path / "file" / "losses.csv", 0)


@pytest.mark.parametrize("steps", [1, 2, 60])
def test_plot_is_a_png(steps: int, tmp_path: Path) -> None:
    """Costs are drawn from the first step on, longer or shorter than the smoothing."""
    write_steps(tmp_path / "losses.csv", *range(1, steps + 1))
    plot_costs(read_costs(tmp_path / "losses.csv"), tmp_path / "losses.png")
    with Image.open(tmp_path / "losses.png") as plot:
        assert (plot.format, plot.size) == ("PNG", (800, 450))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1000, 500), (512, 256)),
        ((100, 80), (100, 80)),
        ((16, 20), (32, 40)),
        ((800, 20), (1280, 32)),
    ],
)
def test_sample_can_be_painted(
    size: tuple[int, int], expected: tuple[int, int], draw: Draw, tmp_path: Path
) -> None:
    """The sample photo is made small enough to look at and large enough for the network."""
    draw(size, seed=1).save(tmp_path / "photo.png")
    sample = read_sample(tmp_path / "photo.png")
    assert sample.shape == (1, 3, expected[1], expected[0])
    assert 0 <= sample.min() < sample.max() <= 1


def test_sample_stands_upright(draw: Draw, tmp_path: Path) -> None:
    """The sample photo is turned as its camera says."""
    exif = Image.Exif()
    exif[0x0112] = 6
    draw((60, 40), seed=1).save(tmp_path / "photo.jpg", exif=exif)
    assert read_sample(tmp_path / "photo.jpg").shape == (1, 3, 60, 40)


def test_broken_sample_is_an_error(tmp_path: Path) -> None:
    """A sample that was asked for and is no picture is named."""
    with pytest.raises(DataError, match=r"photo\.png: not a readable picture"):
        read_sample(tmp_path / "photo.png")


@pytest.mark.parametrize(("styles", "size"), [(1, (80, 30)), (2, (120, 30)), (3, (120, 60))])
def test_sheet_shows_three_in_a_row(styles: int, size: tuple[int, int], tmp_path: Path) -> None:
    """The photo and its paintings stand side by side, three in a row, blanks after the last."""
    photo = torch.zeros(1, 3, 30, 40)
    write_sheet(photo, [torch.full_like(photo, 0.5)] * styles, tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg") as sheet:
        assert sheet.size == size
        assert sheet.convert("L").getpixel((10, 10)) == pytest.approx(0, abs=3)
        assert sheet.convert("L").getpixel((60, 10)) == pytest.approx(128, abs=3)
