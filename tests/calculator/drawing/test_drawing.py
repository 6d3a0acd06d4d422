"""Drawings as SVG: what is in the file, what is folded, and what strangers cannot do."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from calculator import CalculatorError, Report, parse, summarize
from calculator.drawing.boxes import describe_operation, fold_layers
from calculator.drawing.svg import MOST_LAYERS, render_svg
from calculator.layers.convolutions import Conv
from calculator.layers.pointwise import Activation
from calculator.network import Network, Node

SVG = "{http://www.w3.org/2000/svg}"


def count(text: str) -> Report:
    """Return the report of a network."""
    return summarize(parse(text))


def test_group_tells_everything_about_its_layer() -> None:
    """The tooltip has window, shape, counts and receptive field."""
    root = ET.fromstring(render_svg(count("alexnet")))  # noqa: S314 - our own
    (group,) = (g for g in root.iter(f"{SVG}g") if g.attrib.get("data-layer") == "conv1")
    assert group.findtext(f"{SVG}title") == (
        "conv1: conv 11x11 s4, output 96x55x55, 34,944 parameters, 105,415,200 MACs, "
        "receptive field 11x11"
    )
    texts = [text.text for text in group.iter(f"{SVG}text")]
    assert texts == ["11x11 s4", "conv", "conv1", "96x55x55", "34.9K params", "105M MACs"]


def test_folded_blocks_are_counted_and_named() -> None:
    """Of the 35 equal blocks of a stage one is drawn, and its layers name the others."""
    text = render_svg(count("resnet152"))
    assert re.findall(r">(x[0-9]+)</text>", text) == ["x2", "x7", "x35", "x2"]
    assert 'data-layer="conv41" data-also="conv44 conv47 ' in text
    assert "34 more are equal" in text


def test_equal_branches_are_drawn_once() -> None:
    """Of many equal lanes one is drawn with their number."""
    lanes = " || ".join(["conv 4@1 | relu"] * 32)
    assert ">x32 side by side</text>" in render_svg(count(f"3x8x8 | [ {lanes} ] concat"))


@pytest.mark.parametrize(
    ("line", "folded"),
    [
        ("3x8x8 | conv 4@1 | bn | relu | dropout", 2),
        ("3x8x8 | pad 1 reflect | conv 4@3", 2),
        ("3x8x8 | pad 1 reflect | maxpool 3", 2),
        ("3x8x8 | pad 1 | relu | conv 4@3", 3),
        ("3x8x8 | relu", 1),
        ("3x8x8 | globalavgpool | flatten | fc 2", 3),
        ("3x8x8 | flatten | fc 2", 3),
        ("3x8x8 | conv 4@1 | [ relu || ] add", 4),
    ],
)
def test_layers_that_keep_the_shape_are_folded(line: str, folded: int) -> None:
    """They share a box where nothing else reads the values in between."""
    assert len(fold_layers(count(line))) == folded


@pytest.mark.parametrize(
    ("line", "operation"),
    [
        ("3x64x64 | conv 8@11x11 s4", ("conv", "11x11 s4")),
        ("3x64x64 | conv 8@1", ("conv 1x1",)),
        ("3x64x64 | dwconv 3x3 p1", ("dwconv", "3x3 p1")),
        ("3x64x64 | maxpool 3x3 s2", ("maxpool", "3x3 s2")),
        ("3x64x64 | avgpool 64x64", ("avgpool", "64x64")),
        ("3x64x64 | adaptiveavgpool 7x7", ("adaptiveavgpool", "7x7")),
        ("3x64x64 | upsample 2", ("upsample 2",)),
        ("64 | fc 4096", ("fc 4096",)),
    ],
)
def test_operation_is_written_as_in_the_grammar(line: str, operation: tuple[str, ...]) -> None:
    """A short one takes one line, a long one two."""
    assert describe_operation(count(line).rows[0]) == operation


def test_names_from_strangers_stay_text() -> None:
    """Markup, quotes, control characters and turned text of any length do no harm."""
    names = [
        '<script>alert("1")</script>',
        "a' onload='x",
        "]]>&amp;\x00\x1b\ud800",
        "\u202egnp",
        "n" * 9999,
    ]
    nodes = tuple(Node(name, Conv(2, (1,)), (i - 1,)) for i, name in enumerate(names))
    text = render_svg(summarize(Network("</title><script>", (1, 4, 4), nodes)))
    root = ET.fromstring(text)  # noqa: S314 - our own
    assert "<script" not in text
    assert "\u202e" not in text
    assert max(map(len, text.split('"'))) < 2000
    shown = {group.attrib.get("data-layer") for group in root.iter(f"{SVG}g")}
    assert names[0] in shown
    assert {attribute for element in root.iter() for attribute in element.attrib} <= ATTRIBUTES


ELEMENTS = {"svg", "title", "desc", "rect", "g", "path", "circle", "text"}
PAINT = {"fill", "stroke", "stroke-width", "stroke-linejoin", "stroke-dasharray"}
LETTERS = {"font-family", "font-size", "font-weight", "text-anchor"}
PLACES = {"viewBox", "width", "height", "x", "y", "rx", "d", "cx", "cy", "r"}
ATTRIBUTES = {*PAINT, *LETTERS, *PLACES, "role", "data-layer", "data-also", "data-input"}


@pytest.mark.parametrize(
    "name", ["resnet50", "inception-3a", "1x9x9x9 | conv 4@3 | [ relu || tanh || || ] add"]
)
def test_drawing_is_self_contained(name: str) -> None:
    """There are only plain shapes and text: no ids, styles, scripts or references."""
    text = render_svg(count(name))
    root = ET.fromstring(text)  # noqa: S314 - our own
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= ELEMENTS
    assert {attribute for element in root.iter() for attribute in element.attrib} <= ATTRIBUTES
    assert text == render_svg(count(name))


def test_drawing_tells_what_it_shows() -> None:
    """Title, description, totals, and a legend of the families that occur."""
    root = ET.fromstring(render_svg(count("lenet5")))  # noqa: S314 - our own
    assert root.findtext(f"{SVG}title") == "lenet5"
    about = root.findtext(f"{SVG}desc") or ""
    assert about.startswith("input 1x32x32. conv1 (conv 5x5) 6x28x28. pool1 (avgpool 2x2 s2) ")
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "input 1x32x32, batch 1, 61.7K parameters, 417K MACs" in texts
    families = {"convolution", "pooling", "dense", "activation", "normalisation", "join", "other"}
    assert families & set(texts) == families - {"normalisation", "join"}
    assert any("square root" in (text or "") for text in texts)


def test_largest_network_of_the_grammar_is_drawn() -> None:
    """2,000 layers of which no two are alike give a file of bounded size."""
    line = " | ".join(f"conv {i}@1" for i in range(1, 2001))
    text = render_svg(count(f"1x4x4 | {line}"))
    assert text.count("data-layer=") == 2000
    assert len(text) < 4_000_000


def test_larger_networks_are_refused() -> None:
    """There is a bound, and the message says what to do."""
    nodes = tuple(Node(f"n{i}", Activation("relu"), (i - 1,)) for i in range(MOST_LAYERS + 1))
    report = summarize(Network("long", (1,), nodes))
    words = r"long: 5001 layers are more than the 5000 .* use --format table"
    with pytest.raises(CalculatorError, match=words):
        render_svg(report)


@pytest.mark.parametrize("name", ["alexnet", "resnet18"])
def test_manuals_pictures_are_those_of_today(name: str) -> None:
    """The drawings in the manual are what the command draws."""
    path = Path(__file__).parents[3] / "docs" / "images" / f"{name}.svg"
    assert path.read_text(encoding="utf-8") == render_svg(summarize(parse(name)))
