"""Results as text: table, JSON lines, CSV."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.classify.rows import CsvWriter, JsonWriter, Row, TableWriter, make_writer

LABELS = ("tench", "great white shark, white shark", 'a "quoted" label', "line\nend\x1b[2J", "é")
GOOD = Row("photos/a.jpg", "ok", None, ((1, 0.98765432), (0, 1.25e-9)))
BAD = Row("b.png", "failed", "not a picture")
ROWS = st.builds(
    lambda name, values: Row(name, "ok", None, tuple(enumerate(values))),
    st.text(st.characters(), min_size=1, max_size=200),
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=5),
)


def test_json_has_the_promised_fields() -> None:
    """One object per line: input, status, error, predictions with index, label, probability."""
    writer = JsonWriter(LABELS)
    assert writer.header == ""
    assert json.loads(writer.write(GOOD)) == {
        "input": "photos/a.jpg",
        "status": "ok",
        "error": None,
        "predictions": [
            {"index": 1, "label": LABELS[1], "probability": 0.987654},
            {"index": 0, "label": "tench", "probability": 1.25e-9},
        ],
    }
    expected = {"input": "b.png", "status": "failed", "error": "not a picture", "predictions": []}
    assert json.loads(writer.write(BAD)) == expected


@given(ROWS)
def test_json_comes_back_from_any_name(row: Row) -> None:
    """Any name, also one that is not valid UTF-8, is one line of ASCII and comes back."""
    line = JsonWriter(LABELS).write(row)
    assert line.isascii()
    assert line.count("\n") == 1
    values: dict[str, Any] = json.loads(line)
    assert values["input"] == row.input
    for prediction, (index, value) in zip(values["predictions"], row.ranking, strict=True):
        assert prediction["label"] == LABELS[index]
        assert prediction["probability"] == pytest.approx(value, rel=1e-5)


def test_csv_has_a_line_per_prediction() -> None:
    """A header, ranks from 1, and one line without a rank for a picture that failed."""
    writer = CsvWriter(LABELS)
    lines = list(
        csv.DictReader(io.StringIO(writer.header + writer.write(GOOD) + writer.write(BAD)))
    )
    assert [line["rank"] for line in lines] == ["1", "2", ""]
    assert lines[0] == {
        "input": "photos/a.jpg",
        "status": "ok",
        "error": "",
        "rank": "1",
        "index": "1",
        "label": LABELS[1],
        "probability": "0.987654",
    }
    assert (lines[2]["status"], lines[2]["error"]) == ("failed", "not a picture")


def test_csv_comes_back_from_odd_labels() -> None:
    """Quotes, commas and line ends in labels are quoted; what is no text is written in escapes."""
    writer = CsvWriter(LABELS)
    row = Row("\udcff.png", "ok", None, tuple((index, 0.1) for index in range(len(LABELS))))
    lines = list(csv.reader(io.StringIO(writer.write(row), newline="")))
    assert [line[5] for line in lines] == list(LABELS)
    assert lines[0][0] == "\\udcff.png"


@given(ROWS)
def test_table_is_80_columns_and_harmless(row: Row) -> None:
    """No line is wider, and nothing in it can move a terminal's cursor."""
    writer = TableWriter(LABELS)
    for line in (writer.header + writer.write(row) + writer.write(BAD)).splitlines():
        assert len(line) <= 80
        assert line.isprintable()


def test_table_shows_shares_and_names_once() -> None:
    """Percentages with one decimal; the name stands on a picture's first line only."""
    writer = TableWriter(("cat", "dog"))
    text = writer.header + writer.write(Row("a.jpg", "ok", None, ((1, 0.987), (0, 0.013))))
    assert [line.split() for line in (text + writer.write(BAD)).splitlines()] == [
        ["input", "label", "probability"],
        ["a.jpg", "dog", "98.7%"],
        ["cat", "1.3%"],
        ["b.png", "failed"],
    ]


def test_table_cuts_names_in_front_for_a_terminal_only() -> None:
    """The end of a long name stays; in a file nothing is lost."""
    row = Row("folder/" * 20 + "a.jpg", "ok", None, ((0, 0.5),))
    cut = make_writer("table", ("cat",), cut=True).write(row)
    assert cut.startswith("…")
    assert "folder/a.jpg " in cut
    assert make_writer("table", ("cat",), cut=False).write(row).startswith(row.input + " ")
