"""What the convolution of matrices reads, and what it refuses in which words."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from calculator import CalculatorError
from calculator.cli.conv import conv
from calculator.teaching.convolution.convolving import convolve
from calculator.teaching.convolution.kernels import Kernel, parse_kernels
from calculator.teaching.convolution.matrices import parse_matrix, parse_value, render_number


def run(*arguments: str, text: str | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(conv, arguments, input=text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "1 2\n3 4\n"),
        ("b.CSV", "\ufeff1,2\r\n3,4\r\n"),
        ("c.csv", "1;2\n3;4\n"),
        ("d.txt", " 1, 2 ;\n 3, 4 ;\n"),
    ],
)
def test_file_is_read(name: str, text: str, tmp_path: Path) -> None:
    """Rows of text and of spreadsheets give the same matrix, as standard input does."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    shown = run("1 2; 3 4", "--kernel", "1").output
    assert run(str(path), "--kernel", "1").output == shown
    assert run("-", "--kernel", "1", text="1 2\n3 4").output == shown


def test_argument_may_begin_with_a_minus_sign() -> None:
    """Neither a hyphen nor a printed minus sign makes an option of a number."""
    output = json.loads(run("-1 2", "--kernel", "-3", "--format", "json").output)["output"]
    assert output == [[3, -6]]
    assert "out[0,0] = (-1)*2 = -2" in run("\u22121", "--kernel", "2").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["1 2; 3", "--kernel", "1"], "matrix, row 1: 1 values, row 0 has 2"),
        (["1 2; 3 x", "--kernel", "1"], "'1 2; 3 x' is neither a file nor a matrix"),
        (["1,,2", "--kernel", "1"], "matrix, row 0: '' is no number"),
        (["1/0", "--kernel", "1"], "'1/0' is no number"),
        ([" ; ", "--kernel", "1"], "the matrix is empty"),
        (["1234567890123", "--kernel", "1"], "at most 12 digits"),
        ([";".join(["1"] * 65), "--kernel", "1"], "the matrix is 65x1; use 1x1 to 64x64"),
        (["1 2; 3 4", "--kernel", "sobl"], "no kernel 'sobl'; choose from sobel,"),
        (["1 2; 3 4", "--kernel", "sobl"], "did you mean 'sobel'?"),
        (["1 2; 3 4", "--kernel", "sobel"], "is the pair sobel-x and sobel-y"),
        (["1 2; 3 4", "--kernel", ""], "no kernel ''"),
        (["1 2; 3 4", "--kernel", "(1 2)/0"], "the kernel is divided by 0"),
        (["1 2; 3 4", "--kernel", "(1 2"], "kernel, row 0: '(1' is no number"),
        (["1", "--kernel", " ".join(["1"] * 32)], "the kernel is 1x32; use at most 31x31"),
        (["1 2; 3 4", "--kernel", "box"], "kernel 3x3 is larger than the input 2x2;"),
        (
            ["1 2; 3 4", "--kernel", "box", "--padding", "1", "--dilation", "2"],
            "kernel 3x3 (dilated to 5x5) is larger than the input 2x2 (padded to 4x4)",
        ),
        (["1", "--kernel", "1", "--padding", "sam"], "--padding 'sam' must be valid, same"),
        (["1", "--kernel", "1", "--padding", "-1"], "must be valid, same"),
        (["1", "--kernel", "1", "--padding", "65"], "padding 65 is out of range; use 0 to 64"),
        (["1", "--kernel", "1", "--stride", "0"], "stride 0 is out of range; use 1 to 64"),
        (["1", "--kernel", "1", "--dilation", "65"], "dilation 65 is out of range"),
        (
            ["1", "--kernel", "box", "--padding", "same", "--dilation", "64"],
            "the padded input is 129x129; at most 128x128",
        ),
        (["1", "--kernel", "1", "--position", "0,1"], "position 0,1 is outside the output 1x1"),
        (["1", "--kernel", "1", "--position", "one"], "--position 'one' must be row,column"),
        (["1", "--kernel", "1", "-o", "x.png"], "-o does not go with a matrix"),
        (["1", "--kernel", "1", "--grey"], "--color and --grey does not go with a matrix"),
        (["none.csv", "--kernel", "1"], "'none.csv': cannot be read (No such file"),
        (["a\0.txt", "--kernel", "1"], "cannot be read (embedded null byte)"),
        (["1"], "Missing option '--kernel'"),
    ],
)
def test_wrong_usage_is_refused(arguments: list[str], message: str) -> None:
    """Every mistake gets one message and exit status 2."""
    result = CliRunner().invoke(conv, arguments)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"\xff\xfe1\x00", "no text in UTF-8"),
        ("a.csv", b"1,5;2\n", "has both ; and , between numbers"),
        ("a.txt", b"1 2\n3\n", r"a\.txt: matrix, row 1: 1 values"),
        ("a.txt", b"1 " * 60_000, "has 120000 characters; at most 100000 are read"),
        ("a.txt", b"", "the matrix is empty"),
    ],
)
def test_file_without_a_matrix_is_refused(
    name: str, data: bytes, message: str, tmp_path: Path
) -> None:
    """The message begins with the file, or with standard input."""
    path = tmp_path / name
    path.write_bytes(data)
    result = CliRunner().invoke(conv, [str(path), "--kernel", "1"])
    assert result.exit_code == 2
    with pytest.raises(CalculatorError, match=message):
        raise CalculatorError(result.output)
    if name.endswith("txt"):
        piped = CliRunner().invoke(conv, ["-", "--kernel", "1"], input=data)
        assert (piped.exit_code, "Error: standard input: " in piped.output) == (2, True)


def test_work_is_bounded() -> None:
    """More than a million products, and fractions without a short denominator, are refused."""
    with pytest.raises(CalculatorError, match="1,110,916 products are too many"):
        convolve([[1] * 62] * 62, [[1] * 31] * 31, padding=1, stride=1)
    with pytest.raises(CalculatorError, match="a common denominator of more than 12 digits"):
        convolve([[Fraction(1, n) for n in range(1, 65)]], [[1]])
    with pytest.raises(CalculatorError, match="the kernel's fractions have a common denominator"):
        convolve([[1] * 64], [[Fraction(1, n) for n in range(64, 33, -1)]])


def test_python_callers_are_checked_as_well() -> None:
    """Floats, long numbers, no rows, words and divisors that make no sense are refused."""
    with pytest.raises(CalculatorError, match=r"0\.5 is not exact; give an int or a Fraction"):
        convolve([[0.5]], [[1]])  # type: ignore[list-item]
    with pytest.raises(CalculatorError, match="more than 12 digits"):
        convolve([[10**13]], [[1]])
    with pytest.raises(CalculatorError, match="the kernel is 0x0"):
        convolve([[1]], [])
    with pytest.raises(CalculatorError, match=r"padding 'smae' is none.*did you mean 'same'"):
        convolve([[1]], [[1]], padding="smae")  # type: ignore[arg-type]
    with pytest.raises(CalculatorError, match="divided by -1"):
        convolve([[1]], Kernel("mine", ((1,),), -1))


@given(st.text(alphabet="0123456789+-.,;/() \n\u2212x\u0663", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text raises anything but the calculator's own error."""
    for read in (parse_matrix, parse_kernels):
        try:
            read(text)
        except CalculatorError as error:
            assert error.message  # noqa: PT017 - either way is fine, another error is not


@given(st.fractions(max_denominator=10**6).filter(lambda value: abs(value) < 10**6))
def test_rendered_numbers_are_exact(value: Fraction) -> None:
    """A rendered number is the number; where its decimal is short, so is what is read again."""
    text = render_number(value)
    assert Fraction(text) == value
    if "." not in text or len(text.partition(".")[2]) <= 9:
        assert parse_value(text, 0, what="number") == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 3), "1/3"),
        (Fraction(-1, 16), "-0.0625"),
        (Fraction(5, 1), "5"),
        (Fraction(1, 2**12), "0.000244140625"),
        (Fraction(1, 2**13), "1/8192"),
        (-1234, "-1234"),
    ],
)
def test_finite_decimals_are_written_as_such(value: Fraction | int, text: str) -> None:
    """Up to twelve places; what needs more, or has no end, stays a fraction."""
    assert render_number(value) == text


def test_matrices_need_neither_numpy_nor_pillow() -> None:
    """The work on a matrix is plain Python; the detector sees what pictures import."""
    probe = (
        "import sys\n"
        "from calculator.cli.conv import conv\n"
        "conv(sys.argv[1:], standalone_mode=False)\n"
        "print(sorted({'numpy', 'PIL', 'fractions', 'json'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", probe, "1 2; 3 4", "--kernel", "1"]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
