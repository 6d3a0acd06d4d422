"""The convolution of pictures: grey levels, scales, files."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from calculator import CalculatorError
from calculator.cli.conv import conv
from calculator.teaching.convolution import picture_files
from calculator.teaching.convolution.convolving import convolve
from calculator.teaching.convolution.filtering import (
    Filtered,
    Sliding,
    Toning,
    filter_planes,
    respond,
)
from calculator.teaching.convolution.kernels import KERNELS, Kernel, parse_kernels
from calculator.teaching.convolution.placing import place

Pixels = NDArray[np.uint8]
CHELSEA = Path(__file__).parents[3] / "examples" / "photos" / "chelsea.png"
many = settings(deadline=None, database=None)


def run(*arguments: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(conv, [str(argument) for argument in arguments])


def load(path: Path) -> Pixels:
    """Return the pixels of a picture."""
    with Image.open(path) as image:
        return np.asarray(image)


def save(pixels: Pixels, path: Path) -> Path:
    """Write pixels and return where."""
    Image.fromarray(pixels).save(path)
    return path


def make_step(left: int, right: int) -> Pixels:
    """Return 6x8 of one value in the left half and of another in the right one."""
    return np.repeat(np.array([[left] * 4 + [right] * 4], np.uint8), 6, axis=0)


def filter_one(plane: Pixels, name: str, toning: Toning | None = None) -> Filtered:
    """Filter one plane without padding."""
    kernels = parse_kernels(name)
    return filter_planes((plane,), kernels, sliding=Sliding(), toning=toning or Toning())


@st.composite
def kernels_drawn(draw: st.DrawFn) -> Kernel:
    """Draw a kernel with fractions, or with numbers for each of the integer types."""
    rows, columns = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    largest = draw(st.sampled_from((9, 10**4, 10**9)))
    values = st.fractions(-largest, largest, max_denominator=4)
    drawn = tuple(tuple(draw(values) for _ in range(columns)) for _ in range(rows))
    return Kernel("drawn", drawn, draw(st.integers(1, 20)))


@many
@given(
    kernels_drawn(),
    st.integers(0, 2**32 - 1),
    st.sampled_from((0, 2, "valid", "same")),
    st.tuples(st.integers(1, 3), st.integers(1, 2), st.booleans()),
)
def test_responses_are_those_of_the_exact_convolution(
    kernel: Kernel, seed: int, padding: int, settings_drawn: tuple[int, int, bool]
) -> None:
    """Shift and add in integers gives what one window at a time gives in fractions."""
    stride, dilation, flip = settings_drawn
    plane = np.random.default_rng(seed).integers(0, 256, (9, 7), dtype=np.uint8)
    matrix = [[int(value) for value in row] for row in plane]
    exact = convolve(
        matrix, kernel, padding=padding, stride=stride, dilation=dilation, flip=flip
    ).output
    placement = place((9, 7), kernel, padding=padding, stride=stride, dilation=dilation)
    response, bottom = respond(plane, kernel, placement=placement, flip=flip)
    shown = tuple(tuple(Fraction(int(v), bottom) for v in row) for row in response)
    assert shown == exact


def test_bands_join_without_a_seam() -> None:
    """A picture of several bands is filtered as one."""
    plane = np.random.default_rng(0).integers(0, 256, (300, 5), dtype=np.uint8)
    for stride in (1, 3):
        sliding = Sliding(stride=stride)
        toning = Toning("clip")
        filtered = filter_planes((plane,), (KERNELS["identity"],), sliding=sliding, toning=toning)
        assert np.array_equal(filtered.planes[0], plane[1:-1:stride, 1:-1:stride])


def test_step_is_white_in_its_columns() -> None:
    """The strongest edge is white, flat areas are black, the scale says how many units."""
    filtered = filter_one(make_step(10, 61), "sobel-x")
    assert (filtered.low, filtered.high, filtered.unit) == (0, 204, Fraction(8, 10))
    assert filtered.planes[0].tolist() == [[0, 0, 255, 255, 0, 0]] * 4
    assert filter_one(make_step(61, 10), "sobel-x").planes[0].tolist()[0][2] == 255
    assert not filter_one(make_step(10, 61), "sobel-y").planes[0].any()


def test_sign_is_shown_around_grey() -> None:
    """128 is zero, darker is negative."""
    signed = Toning("signed")
    up = filter_one(make_step(10, 61), "sobel-x", signed).planes[0][0].tolist()
    down = filter_one(make_step(61, 10), "sobel-x", signed).planes[0][0].tolist()
    assert up == [128, 128, 248, 248, 128, 128]  # 204 at 1.7 units per level are 120
    assert down[2] == 256 - up[2]


def test_clip_keeps_the_values_and_counts_what_is_lost() -> None:
    """Kernels whose weights sum to 1 are shown as they answer, cut at black and white."""
    plane = np.array([[0, 0, 0], [0, 250, 0], [0, 0, 255]], np.uint8)
    blurred, sharp = filter_one(plane, "box"), filter_one(plane, "sharpen")
    assert (blurred.show, blurred.beyond) == ("clip", 0)
    assert blurred.unit == 1
    assert blurred.planes[0].tolist() == [[56]]  # 505/9 = 56.1
    assert blurred.high == Fraction(505, 9)
    assert (sharp.planes[0].tolist(), sharp.high, sharp.beyond) == ([[255]], 1250, 1)


def test_gradient_of_a_ramp_is_its_slope() -> None:
    """A plane that rises 3 per column and 4 per row has 5 times 8 everywhere."""
    plane = np.fromfunction(lambda i, j: 4 * i + 3 * j, (6, 9)).astype(np.uint8)
    filtered = filter_one(plane, "sobel", Toning(unit=Fraction(1, 2)))
    assert (filtered.low, filtered.high) == (40, 40)
    assert set(filtered.planes[0].ravel().tolist()) == {80}
    assert filter_one(plane, "prewitt").high == 30
    with pytest.raises(CalculatorError, match="a gradient magnitude has no sign"):
        filter_one(plane, "scharr", Toning("signed"))


def test_scale_leaves_few_values_beyond_white() -> None:
    """About 0.5% of the responses are whiter than white; a flat picture stays black."""
    plane = np.random.default_rng(1).integers(0, 256, (200, 300), dtype=np.uint8)
    filtered = filter_one(plane, "laplacian")
    assert 0.003 < filtered.beyond / filtered.planes[0].size <= 0.005
    flat = filter_one(np.full((5, 5), 200, np.uint8), "laplacian")
    assert [flat.planes[0].max(), flat.unit, flat.low, flat.high] == [0, 1, 0, 0]


def test_lone_edge_sets_the_scale() -> None:
    """An edge on less than 0.5% of the picture is white, not lost in the choice of a scale."""
    plane = np.zeros((400, 400), np.uint8)
    plane[200, 200] = 51
    filtered = filter_one(plane, "laplacian-4")
    assert filtered.planes[0].max() == 255
    assert (filtered.beyond, filtered.unit) == (0, Fraction(8, 10))


def test_edges_are_those_of_the_luminance_by_default(tmp_path: Path) -> None:
    """Kernels of sum 0 make grey pictures, others keep the colours; options turn it round."""
    output = tmp_path / "out.png"
    for options, shape in (
        (["--kernel", "sobel"], (298, 449)),
        (["--kernel", "sobel", "--color"], (298, 449, 3)),
        (["--kernel", "gaussian"], (298, 449, 3)),
        (["--kernel", "gaussian", "--grey"], (298, 449)),
        (["--kernel", "box", "--padding", "same", "--stride", "2"], (150, 226, 3)),
    ):
        assert run(CHELSEA, *options, "-o", output).exit_code == 0
        assert load(output).shape == shape


def test_identity_gives_the_picture_back(tmp_path: Path) -> None:
    """In colour every value, in grey ITU-R 601's luminance."""
    output = tmp_path / "out.png"
    run(CHELSEA, "--kernel", "identity", "--padding", "same", "-o", output)
    assert np.array_equal(load(output), load(CHELSEA))
    red = save(np.full((3, 3, 3), (255, 0, 0), np.uint8), tmp_path / "red.png")
    run(red, "--kernel", "identity", "--grey", "-o", output)
    assert load(output).tolist() == [[76]]


def test_report_states_scale_and_range(tmp_path: Path) -> None:
    """What was done, sizes, range, scale and what is lost are told."""
    picture = save(make_step(10, 61), tmp_path / "step.png")
    result = run(picture, "--kernel", "sobel-x", "--flip", "-o", tmp_path / "edges.png")
    assert result.output.replace(f"{tmp_path}/", "").splitlines() == [
        "step.png: 6x8 (height x width)",
        "luminance = 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)",
        "convolution (kernel rotated) with sobel-x, stride 1, padding 0",
        "H_out = floor((H + 2*p - d*(k - 1) - 1)/s) + 1 = floor((6 + 0 - 2 - 1)/1) + 1 = 4",
        "W_out = floor((W + 2*p - d*(k - 1) - 1)/s) + 1 = floor((8 + 0 - 2 - 1)/1) + 1 = 6",
        "response: from -204 to 0",
        "edges.png: 4x6, black is 0, sign dropped, 1 grey level = 0.8 units",
        "0.0% of the values are beyond white",
    ]
    result = run(picture, "--kernel", "sobel", "--scale", "2", "-o", tmp_path / "edges.png")
    assert "gradient magnitude sqrt(x*x + y*y): from 0 to 204\n" in result.output
    assert load(tmp_path / "edges.png").max() == 102


def test_picture_is_read_upright(tmp_path: Path) -> None:
    """EXIF's orientation is respected."""
    path, output = tmp_path / "turned.jpg", tmp_path / "out.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown after a quarter turn
    Image.new("L", (40, 20)).save(path, exif=exif)
    run(path, "--kernel", "1", "-o", output)
    assert load(output).shape[:2] == (40, 20)


def test_transparency_is_white_and_16_bits_are_reduced(tmp_path: Path) -> None:
    """What lies under transparency is not seen; 16-bit white is white."""
    output = tmp_path / "out.png"
    clear = save(np.array([[[9, 9, 9, 0], [9, 9, 9, 255]]], np.uint8), tmp_path / "clear.png")
    run(clear, "--kernel", "1", "--grey", "-o", output)
    assert load(output).tolist() == [[255, 9]]
    deep = tmp_path / "deep.png"
    Image.fromarray(np.array([[0, 32768, 65535]], np.uint16)).save(deep)
    run(deep, "--kernel", "1", "--grey", "-o", output)
    assert load(output).tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("suffix", sorted(picture_files.FORMATS))
def test_every_format_is_written(suffix: str, tmp_path: Path) -> None:
    """The suffix chooses the format, and nothing else is left in the folder."""
    output = tmp_path / f"out{suffix}"
    output.write_bytes(b"old")
    assert run(CHELSEA, "--kernel", "sobel", "-o", output).exit_code == 0
    assert load(output).shape[:2] == (298, 449)
    assert list(tmp_path.iterdir()) == [output]


def test_wrong_usage_is_refused(tmp_path: Path) -> None:
    """Wrong outputs and options get a message and exit status 2, and write nothing."""
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to(CHELSEA)
    output = tmp_path / "out.png"
    before = CHELSEA.read_bytes()
    for arguments, message in (
        ([CHELSEA, "--kernel", "box"], "-o is missing"),
        ([CHELSEA, "--kernel", "box", "-o", CHELSEA], "is the input itself; give another name"),
        ([CHELSEA, "--kernel", "box", "-o", tmp_path / "link.png"], "is the input itself"),
        ([CHELSEA, "--kernel", "box", "-o", tmp_path / "a.gif"], "files of type '.gif' are not"),
        ([CHELSEA, "--kernel", "box", "-o", tmp_path / "no" / "a.png"], "there is no folder"),
        ([CHELSEA, "--kernel", "box", "-o", tmp_path / "folder.png"], "is a folder"),
        ([tmp_path / "none.png", "--kernel", "box", "-o", output], "is neither a file nor a"),
        (["x" * 9_999, "--kernel", "box"], "xxx' is neither a file nor a matrix"),
        (["x" * 9_999, "--kernel", "box", "-o", output], "is neither a file nor a matrix"),
        ([tmp_path, "--kernel", "box", "-o", output], "is neither a file nor a matrix"),
        ([__file__, "--kernel", "box", "-o", output], "no picture in a format that is read"),
        ([CHELSEA, "--kernel", "box", "--position", "0,0", "-o", output], "--position does not"),
        ([CHELSEA, "--kernel", "box", "--format", "json", "-o", output], "--format does not go"),
        ([CHELSEA, "--kernel", "box", "--scale", "0", "-o", output], "must be above 0"),
        ([CHELSEA, "--kernel", "box", "--scale", "x", "-o", output], "'x' is no number"),
        ([CHELSEA, "--kernel", "sobel", "--show", "signed", "-o", output], "has no sign"),
        ([CHELSEA, "--kernel", "9999999999.999999999 .5/1", "-o", output], "is no number"),
        ([CHELSEA, "--kernel", "1/999999999999 999999999999", "-o", output], "many digits"),
    ):
        result = run(*arguments)
        assert (result.exit_code, message in result.output) == (2, True), result.output
    assert not output.exists()
    assert CHELSEA.read_bytes() == before


def test_damaged_and_large_pictures_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cut file, 32-bit values, too many pixels and a bomb each get their message."""
    cut, deep, output = tmp_path / "cut.png", tmp_path / "deep.tif", tmp_path / "out.png"
    cut.write_bytes(CHELSEA.read_bytes()[:50_000])
    Image.fromarray(np.ones((3, 3), np.float32)).save(deep)
    assert "cannot be read" in run(cut, "--kernel", "box", "-o", output).output
    assert "32 bits per value" in run(deep, "--kernel", "box", "-o", output).output
    monkeypatch.setattr(picture_files, "MOST_PIXELS", 100_000)
    result = run(CHELSEA, "--kernel", "box", "-o", output)
    assert "300x451 is 135,300 pixels, at most 100,000" in result.output
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    assert "300x451 is 135,300 pixels" in run(CHELSEA, "--kernel", "box", "-o", output).output
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50_000)
    result = run(CHELSEA, "--kernel", "box", "-o", output)
    assert (result.exit_code, "too large" in result.output) == (2, True)
    assert not output.exists()


def test_failed_writing_is_failed_work(tmp_path: Path) -> None:
    """A name that the disk refuses, or a size that the format does, ends with status 1."""
    result = run(CHELSEA, "--kernel", "box", "-o", tmp_path / f"{'a' * 250}.png")
    assert (result.exit_code, "cannot be written" in result.output) == (1, True)
    result = run(CHELSEA, "--kernel", "box", "-o", f"{tmp_path}/a\0.png")
    assert (result.exit_code, "cannot be written" in result.output) == (1, True)
    wide = save(np.zeros((1, 17_000), np.uint8), tmp_path / "wide.png")
    result = run(wide, "--kernel", "1", "-o", tmp_path / "wide.webp")
    assert (result.exit_code, "cannot be written" in result.output) == (1, True)
    assert list(tmp_path.iterdir()) == [wide]
