"""``POST /v1/classify`` and the lists of models and styles, against a real server."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image, ImageDraw

from runner import Classifier
from tests.runner.service.http.conftest import RunningServer


def draw_seven() -> bytes:
    """Return a picture file of a hand-written seven."""
    image = Image.new("L", (84, 84), 240)
    ImageDraw.Draw(image).line([(20, 20), (62, 18), (36, 70)], fill=20, width=6)
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


@pytest.mark.parametrize("model", ["lenet5", "simpleconvnet"])
def test_answers_are_those_of_the_classifier(model: str, server: RunningServer) -> None:
    """Classes, order and probabilities are those that Python and the command give."""
    data = draw_seven()
    answer = server.ask("POST", f"/v1/classify?model={model}&top=3", data)
    assert answer.status == 200
    expected = Classifier(model, "cpu").classify(Image.open(io.BytesIO(data)), top=3)
    assert (answer.value["model"], answer.value["version"]) == (model, "1")
    found = answer.value["predictions"]
    assert [one["index"] for one in found] == [one.index for one in expected]
    assert [one["label"] for one in found] == [one.label for one in expected]
    probabilities = [one.probability for one in expected]
    assert [one["probability"] for one in found] == pytest.approx(probabilities, rel=1e-4)


@pytest.mark.parametrize(("query", "count"), [("", 5), ("?top=10", 10), ("?top=1", 1)])
def test_top_is_how_many_are_told(query: str, count: int, server: RunningServer) -> None:
    """Five classes are told, or as many as are asked for."""
    answer = server.ask("POST", f"/v1/classify{query}", draw_seven())
    assert len(answer.value["predictions"]) == count


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("top=11", 400, "parameter top 11 must lie between 1 and the 10 classes of this model"),
        ("top=0", 400, "parameter top '0'; send a whole number"),
        ("model=style-fast", 400, "model 'style-fast' is made for 'stylize', not 'classify'"),
        ("model=lenet", 404, "model 'lenet' is unknown; the models here are: lenet5"),
        ("model=..%2Flenet5", 404, "is unknown; the models here are:"),
    ],
)
def test_wrong_options_are_refused(
    query: str, status: int, words: str, server: RunningServer
) -> None:
    """A model or a number that makes no sense is refused with the reason."""
    answer = server.ask("POST", f"/v1/classify?{query}", draw_seven())
    assert answer.status == status
    assert words in answer.error


def test_styles_are_those_of_the_command(
    server: RunningServer, impasto: Callable[..., Result]
) -> None:
    """The list has the command's names, titles, artists and years, and the licences."""
    answer = server.ask("GET", "/v1/styles")
    lines = impasto("styles", "--json").output.splitlines()
    styles = answer.value["styles"]
    assert [{**style, "licence": None} for style in styles] == [
        {**json.loads(line), "licence": None} for line in lines
    ]
    assert all(style["licence"] for style in styles)
    refused = server.ask("GET", "/v1/styles?model=lenet5")
    assert refused.status == 400
    assert "made for 'classify'" in refused.error


def test_models_tell_what_they_are_for(server: RunningServer) -> None:
    """Each model has its task, and how many styles or classes it has."""
    answer = server.ask("GET", "/v1/models")
    listed = {model["name"]: model for model in answer.value["models"]}
    assert listed["lenet5"] == {
        "name": "lenet5",
        "version": "1",
        "state": "READY",
        "task": "classify",
        "precision": "fp32",
        "minimum_side": None,
        "styles": None,
        "classes": 10,
    }
    assert listed["style-fast"]["task"] == "stylize"
    assert listed["style-fast"]["minimum_side"] == 32


def test_models_that_failed_have_a_state(
    start_server: Callable[..., RunningServer], tmp_path: Path
) -> None:
    """A file that is no model is listed with its state, and without its path."""
    (tmp_path / "broken.onnx").write_bytes(b"broken")
    server = start_server("--models", tmp_path)
    answer = server.ask("GET", "/v1/models")
    listed = {model["name"]: model for model in answer.value["models"]}
    assert listed["broken"] == {"name": "broken", "version": "1", "state": "UNAVAILABLE"}
    assert str(tmp_path) not in answer.body.decode()
