"""Tables with letters in their four forms, and the questions that are refused."""

import json
import re
from pathlib import Path

import pytest

from calculator import CalculatorError, parse
from calculator.reading.networks import NETWORKS
from calculator.reports.columns import COLUMNS
from calculator.symbolic.answers import answer_symbolic, is_symbolic


def test_table_of_vgg16_is_the_expected_one() -> None:
    """Sizes have names, products their factors, totals stand below."""
    text = answer_symbolic("vgg16", "3xHxW", "N")
    lines = text.splitlines()
    assert lines[0] == "vgg16: input 3xHxW, batch N"
    assert lines[2] == "H2 = floor(H/2)      W2 = floor(W/2)"
    rows = {line.split()[0]: line for line in lines if line}
    assert rows["conv1_1"].split()[-3:] == ["64xHxW", "1,792", "1,728*H*W*N"]
    assert "512xH32xW32" in rows["pool5"]
    assert "4,096*(512*H32*W32 + 1)" in rows["fc1"]
    assert rows["parameters"].endswith(" 2,097,152*H32*W32 + 35,597,096")
    assert rows["smallest"].endswith(" 3x32x32")


def test_short_table_has_expressions_in_full() -> None:
    """Names are for what would not fit a terminal."""
    text = answer_symbolic("3xHx8 | conv 4@3 s2 p1 | relu", None, "1")
    assert "4xceil(H/2)x4" in text
    assert "432*ceil(H/2)" in text


@pytest.mark.parametrize("name", NETWORKS)
def test_tables_fit_eighty_characters(name: str) -> None:
    """No line of a named network's table is wider than a terminal."""
    text = answer_symbolic(name, f"{parse(name).input[0]}xHxW", "N")
    assert max(map(len, text.splitlines())) <= 80


def test_markdown_quotes_products() -> None:
    """An asterisk would begin emphasis."""
    text = answer_symbolic("lenet5", "1xHxW", "N", form="markdown")
    assert "| `150*(H - 4)*(W - 4)*N` |" in text
    assert "- smallest input: 1x16x16" in text
    assert "- `H4 = floor((H - 12)/4)`" in text


def test_json_keeps_numbers_and_adds_the_smallest_input() -> None:
    """What depends on no letter is a number still."""
    values = json.loads(answer_symbolic("alexnet-torchvision", "3xHxW", "N", form="json"))
    assert values["smallest_input"] == [3, 63, 63]
    assert (values["input"], values["batch"]) == ([3, "H", "W"], "N")
    assert values["layers"][0]["output_shape"] == [64, "floor((H - 3)/4)", "floor((W - 3)/4)"]
    assert values["layers"][0]["params"] == values["layers"][0]["kernel"][0] ** 2 * 192 + 64
    assert values["totals"]["params"] == 61_100_840


def test_csv_has_every_column() -> None:
    """As the numeric table has."""
    head = answer_symbolic("lenet5", None, "N", form="csv").splitlines()[0]
    assert head.split(",") == list(COLUMNS)


def test_padding_that_depends_on_the_size_is_called_same() -> None:
    """Before and after differ from size to size; the window says so, the field is known."""
    text = answer_symbolic("3xHxW | conv 4@3 s2 same | conv 4@3", None, "1")
    row = next(line for line in text.splitlines() if line.startswith("conv1"))
    assert "3x3 s2 same" in row
    assert row.endswith(" 3")


def test_bins_that_depend_on_the_size_have_no_field() -> None:
    """Adaptive pooling has no window for every size; a multiple of its bins has."""
    for shape, window in (("3xHxH", "-"), ("3x6Hx6H", "HxH sH")):
        text = answer_symbolic(f"{shape} | conv 4@1 | adaptiveavgpool 6 | conv 4@3", None, "1")
        row = next(line for line in text.splitlines() if line.startswith("pool1"))
        assert re.split(r" {2,}", row)[2] == window
        assert row.endswith(" -")


@pytest.mark.parametrize(
    ("network", "shape", "batch", "message"),
    [
        ("vgg16", "3xHxw", "1", r"input '3xHxw' must be .* a capital letter, a multiple"),
        ("vgg16", "3x0HxW", "1", "input '3x0HxW' must be"),
        ("vgg16", "3xHxWxDxE", "1", "must be channels x height x width such as 3xHxW"),
        ("vgg16", "x".join(["H"] * 1000), "1", "must be channels x height x width"),
        ("vgg16", "3xHxW", "0", "batch '0' must be a number from 1 to 1000000000 or a capital"),
        ("vgg16", "3xHxW", "NN", "batch 'NN' must be"),
        ("vgg16", "3xHx16", "1", r"pool5 .*kernel 2 is larger than the input 512x14x1"),
        ("vgg16", "3xL", "1", "kernel 3x3 has 2 sides, the input has 1 spatial axis"),
        ("vgg61", "3xHxW", "1", "there is no network 'vgg61'; choose from: vgg16"),
        ("conv 8@3x3 | pol 2", "3xHxW", "1", "did you mean 'pool'"),
        ("3xHxW | conv 8@3x3 | pol 2", None, "1", "did you mean 'pool'"),
        (
            "3xHxW | [ maxpool 4 | upsample 4 || ] add",
            None,
            "1",
            r"3x4\*floor\(H/4\)x4\*floor\(W/4\), 3xHxW .* with --input 3x4Hx4W they are",
        ),
        ("CxH | conv 4@3 g2", None, "1", "C input channels do not divide into 2 groups"),
        ("3xH | " + " | ".join(["relu"] * 1001), None, "1", "has 1001 layers, and .* at most 1000"),
        ("no/such.yaml", "3xHxW", "1", "no/such.yaml: cannot be read"),
    ],
)
def test_wrong_questions_are_refused(
    network: str, shape: str | None, batch: str, message: str
) -> None:
    """The error says what was given and what to give."""
    with pytest.raises(CalculatorError, match=message):
        answer_symbolic(network, shape, batch)


def test_text_of_strangers_opens_no_file(tmp_path: Path) -> None:
    """With parse as the reader a path is an unknown name."""
    path = tmp_path / "net.yaml"
    path.write_text("input: 3x8x8\nlayers: [conv 4@3]")
    assert "4x(H - 2)x(W - 2)" in answer_symbolic(str(path), "3xHxW")
    with pytest.raises(CalculatorError, match="there is no network"):
        answer_symbolic(str(path), "3xHxW", read=parse)
    assert "smallest input  3x32x32" in answer_symbolic("vgg16", "3xHxW", read=parse)


def test_options_that_do_nothing_are_refused() -> None:
    """Columns go with tables, and a drawing needs numbers."""
    with pytest.raises(CalculatorError, match="--columns does not go with --format json"):
        answer_symbolic("lenet5", None, "N", form="json", columns="layer")
    with pytest.raises(CalculatorError, match="--format svg does not go with letters; use table"):
        answer_symbolic("lenet5", None, "N", form="svg")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (("vgg16", "3xHxW", "1"), True),
        (("vgg16", None, "N"), True),
        (("3xHxW | relu", None, "1"), True),
        (("3x8x8 | A: relu", None, "1"), False),
        (("vgg16", "3x224x224", "8"), False),
        (("Net.yaml", None, "1"), False),
    ],
)
def test_capital_letters_make_a_question_symbolic(
    question: tuple[str, str | None, str],
    answer: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """In the shape and the batch, not in names of layers and files."""
    assert is_symbolic(*question) is answer


@pytest.mark.parametrize(
    "line",
    [
        "3xHxW | " + " | ".join(["conv 8@3x3"] * 1990),
        "1xHxW | [ "
        + " || ".join(f"maxpool {n} s1 p{n // 2}" for n in range(1, 900, 2))
        + " ] concat",
        "1xHxW | [ "
        + " || ".join(f"conv 1@1 s{n} | globalavgpool" for n in range(1, 490))
        + " ] concat",
        "1x1xL | " + " | ".join(["globalavgpool", *["upsample 999999999"] * 90]),
        "1xL | " + " | ".join(f"conv 1@{n} s{n} same" for n in range(2, 60)),
        "1xL | " + " | ".join(f"conv 1@1 s{n} | upsample {n + 1}" for n in range(2, 60)),
    ],
)
def test_hostile_lines_end(line: str) -> None:
    """A long line is answered or refused; no expression grows without bound."""
    try:
        text = answer_symbolic(line, None, "N")
    except CalculatorError as error:
        text = error.message
    assert len(text) < 500_000
