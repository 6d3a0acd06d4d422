"""The calculator's pages, against a real server: the commands' answers, and no file is read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from click.testing import Result

from calculator import compare, explain, parse, solve, summarize
from runner.service.teaching.parameters import LONGEST_NETWORK
from tests.runner.service.http.conftest import Answer, RunningServer

LINE = "1x28x28 | conv 8@3x3 s2 same | relu | flatten | fc 10"
Impasto = Callable[..., Result]


def ask(server: RunningServer, page: str, **values: object) -> Answer:
    """Ask a page."""
    return server.ask("GET", f"/v1/{page}?{urlencode(values)}")


def read(server: RunningServer, page: str, **values: object) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON of a page."""
    answer = ask(server, page, **values)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    return answer.value


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ({"net": "vgg16"}, ("vgg16",)),
        ({"net": LINE, "batch": "8"}, (LINE, "--batch", "8")),
        ({"net": "lenet5", "input": "1x64x64"}, ("lenet5", "--input", "1x64x64")),
        (
            {"net": "alexnet", "input": "3xHxW", "batch": "N"},
            ("alexnet", "--input", "3xHxW", "--batch", "N"),
        ),
    ],
    ids=["name", "line", "input", "letters"],
)
def test_shapes_are_those_of_the_command(
    values: dict[str, str], options: tuple[str, ...], server: RunningServer, impasto: Impasto
) -> None:
    """The JSON of the command, with numbers or with letters."""
    printed = impasto("shapes", *options, "--format", "json").output
    assert read(server, "shapes", **values) == json.loads(printed)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_quiz_is_that_of_the_command(
    language: str, server: RunningServer, impasto: Impasto
) -> None:
    """One seed makes one quiz, in both languages."""
    options = ("--level", "3", "--seed", "7", "--count", "4", "--lang", language)
    printed = impasto("quiz", *options, "--format", "json").output
    asked = {"level": 3, "seed": 7, "count": 4, "lang": language}
    assert read(server, "quiz", **asked) == json.loads(printed)


def test_a_quiz_without_a_seed_can_be_asked_again(server: RunningServer) -> None:
    """The answer has the seed that was drawn."""
    made = read(server, "quiz", count=2)
    assert read(server, "quiz", count=2, seed=made["seed"]) == made


def test_other_scripts_stay_readable(server: RunningServer) -> None:
    """Korean comes as itself, not as numbers of characters."""
    body = ask(server, "explain", net="lenet5", layer="conv1", lang="ko").body
    assert "입력" in body.decode() or any("가" <= sign <= "힣" for sign in body.decode())
    assert b"\\u" not in body


def test_explanations_are_those_of_the_calculator(server: RunningServer) -> None:
    """Titles and lines of one layer, or of all and the totals."""
    report = summarize(parse("alexnet"))
    one = read(server, "explain", net="alexnet", layer="conv2")
    (expected,) = explain(report, "conv2")
    assert one["explanations"] == [{"title": expected.title, "lines": list(expected.lines)}]
    every = read(server, "explain", net="alexnet")
    assert len(every["explanations"]) == len(report.rows) + 1


def test_changes_add_up(server: RunningServer) -> None:
    """The differences of the layers sum exactly to that of the totals."""
    found = read(server, "compare", a="alexnet", b="alexnet-grouped")
    comparison = compare(summarize(parse("alexnet")), summarize(parse("alexnet-grouped")))
    assert found["alike"] == comparison.alike
    for count in ("params", "buffers", "macs"):
        changes = sum(one[count] for one in found["differences"])
        assert found["first"][count] + changes == found["second"][count]
    assert found["differences"][0]["reasons"] == ["groups 1 -> 2"]


def test_solutions_are_those_of_the_calculator(server: RunningServer) -> None:
    """All settings that lead to a size; none is an empty list with the reason."""
    found = read(server, "solve", q="227 -> 55, k=11")
    expected = solve("227 -> 55, k=11").solutions
    assert [one["settings"] for one in found["solutions"]] == [
        dict(one.settings) for one in expected
    ]
    assert found["reason"] is None
    none = read(server, "solve", q="10 -> 9, k=5, p=0")
    assert none["solutions"] == []
    assert "no output of 9" in none["reason"]


@pytest.mark.parametrize(
    ("page", "values", "words"),
    [
        ("shapes", {}, "parameter net is missing; send it, such as vgg16"),
        ("shapes", {"net": "vgg61"}, "there is no network 'vgg61'; choose from: vgg16"),
        ("shapes", {"net": "1x9x9 | cnv 3"}, "did you mean 'conv'?"),
        ("shapes", {"net": "vgg16", "batch": "0"}, "batch '0' must be a number from 1"),
        ("shapes", {"net": "vgg16", "batch": "²"}, "batch '²' must be a number from 1"),
        ("shapes", {"net": "vgg16", "input": "3"}, "column"),
        ("shapes", {"net": "x" * (LONGEST_NETWORK + 1)}, "parameter net has 8001 characters"),
        ("explain", {"net": "lenet5", "layer": "conv9"}, "lenet5 has no layer 'conv9'"),
        ("explain", {"net": "lenet5", "lang": "de"}, "parameter lang 'de'; send one of"),
        ("compare", {"a": "lenet5"}, "parameter b is missing"),
        ("solve", {"q": "what?"}, "is no question; ask '227 -> 55, k=11'"),
        ("quiz", {"level": 5}, "parameter level '5'; send a whole number from 1 to 4"),
    ],
)
def test_mistakes_are_explained(
    page: str, values: dict[str, object], words: str, server: RunningServer
) -> None:
    """A question that makes no sense gets the calculator's own words."""
    answer = ask(server, page, **values)
    assert answer.status == 400
    assert words in answer.error


@pytest.mark.parametrize("name", ["secret.yaml", "secret.onnx", "json:dumps", "/etc/passwd"])
@pytest.mark.parametrize("page", ["shapes", "explain", "compare"])
def test_no_file_is_read_and_no_module_imported(
    page: str, name: str, server: RunningServer, tmp_path: Path
) -> None:
    """What the command line would open is a name of no network here."""
    secret = tmp_path / "secret.yaml"
    secret.write_text("input: 1x8x8\nlayers:\n  - conv 3@3x3\n", encoding="utf-8")
    text = str(tmp_path / name) if "secret" in name else name
    values = {"a": text, "b": "lenet5"} if page == "compare" else {"net": text}
    answer = ask(server, page, **values)
    assert answer.status == 400
    assert "there is no network" in answer.error


def test_compressed_answers_are_asked_for(server: RunningServer) -> None:
    """A browser gets gzip."""
    answer = server.ask("GET", "/v1/shapes?net=vgg16", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
