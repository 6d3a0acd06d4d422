"""Model files that change beside a running server."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from tests.runner.service.conftest import write_scale
from tests.runner.service.http.conftest import PATIENCE, RunningServer, StartServer

ONE = {"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [1]}


def read_state(server: RunningServer) -> tuple[str, str, float]:
    """Return version, precision and factor of the model ``scale``, which must answer."""
    answer = server.infer({"inputs": [ONE], "outputs": [{"name": "y"}]}, "scale")
    assert answer.status == 200, answer.body
    config = server.ask("GET", "/v2/models/scale/config").value
    listed = server.ask("GET", "/v1/models").value["models"]
    (entry,) = [model for model in listed if model["name"].startswith("scale")]
    precision: str = entry["precision"]
    if answer.value["model_version"] == entry["version"]:  # else it was replaced in between
        assert config["parameters"]["precision"] == {"string_value": precision}
    return entry["version"], precision, answer.value["outputs"][0]["data"][0]


def await_state(server: RunningServer, wanted: tuple[str, str, float]) -> None:
    """Ask until the server is in a state; no answer may fail meanwhile."""
    end = time.monotonic() + PATIENCE
    while (state := read_state(server)) != wanted:
        assert time.monotonic() < end, state


def test_the_file_in_use_is_replaced_without_a_failed_request(
    start_server: StartServer, tmp_path: Path, write_variant: Callable[..., Path]
) -> None:
    """The file, and the one of another precision beside it: each change is a new version."""
    models = tmp_path / "models"
    models.mkdir()

    def put(name: str, factor: float, **properties: object) -> Path:
        plain = write_scale(tmp_path / "plain.onnx", factor)
        return write_variant(plain, tmp_path / "new.onnx", **properties).replace(models / name)

    put("scale.onnx", 2)
    options = ("--models", models, "--precision", "int8", "--watch-seconds", 0.05)
    server = start_server(*options, "--provider", "cpu")
    assert read_state(server) == ("1", "fp32", 2)
    sibling = put("scale-int8.onnx", 3, precision="int8")
    await_state(server, ("2", "int8", 3))
    put("scale-int8.onnx", 4, precision="int8", training={"step": 1})
    await_state(server, ("3", "fp32", 2))
    remark = server.await_line(level="warning", event=find_remark(server))
    assert "which is another network (its training differs)" in remark["event"]
    sibling.unlink()
    put("scale.onnx", 5)
    await_state(server, ("4", "fp32", 5))
    assert not [line for line in server.events() if line["level"] == "error"]


def find_remark(server: RunningServer) -> str:
    """Return the log's line on the file of another network, without any path."""
    index = json.loads(server.ask("POST", "/v2/repository/index").body)
    (reason,) = [model["reason"] for model in index if model["name"] == "scale"]
    assert reason.startswith("scale.onnx: precision int8 needs scale-int8.onnx, which is another")
    return f"model scale: {reason}"
