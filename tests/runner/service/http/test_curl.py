"""What ``curl`` sends and sees."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.runner.service.http.conftest import RunningServer

INFER = "v2/models/lenet5/infer"


def run_curl(server: RunningServer, path: str, *arguments: object, body: str = "") -> str:
    """Return what curl prints; its own failure fails the test."""
    given = [str(argument) for argument in arguments] + (["-d", "@-"] if body else [])
    command = ["curl", "-sS", *given, f"{server.url}/{path}"]
    done = subprocess.run(
        command, input=body, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


def build_request(digits: NDArray[np.uint8], *, nested: bool) -> str:
    """Return a request whose numbers are nested as the shape, or flat."""
    data = digits.tolist() if nested else digits.reshape(-1).tolist()
    tensor = {"name": "image", "shape": digits.shape, "datatype": "UINT8", "data": data}
    return json.dumps({"id": "curl", "inputs": [tensor]})


@pytest.mark.parametrize("nested", [True, False], ids=["nested", "flat"])
@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_json_of_any_content_type_is_read(
    server: RunningServer,
    digits: NDArray[np.uint8],
    probabilities: NDArray[np.float32],
    kind: str,
    *,
    nested: bool,
) -> None:
    """The numbers may be nested or flat, and the Content-Type anything or nothing."""
    text = build_request(digits[:1], nested=nested)
    answer = json.loads(run_curl(server, INFER, "-H", f"Content-Type: {kind}", body=text))
    assert answer["id"] == "curl"
    (output,) = answer["outputs"]
    assert output["shape"] == [1, 10]
    np.testing.assert_allclose(output["data"], probabilities[0], rtol=1e-5)


def test_a_raw_body_is_the_only_input(
    server: RunningServer,
    digits: NDArray[np.uint8],
    probabilities: NDArray[np.float32],
    tmp_path: Path,
) -> None:
    """A file of bytes is enough where the model has one input, and the answer is binary."""
    pixels, answer = tmp_path / "digits.raw", tmp_path / "answer"
    pixels.write_bytes(digits.tobytes())
    raw = ("-H", "Inference-Header-Content-Length: 0", "--data-binary", f"@{pixels}")
    head = run_curl(server, INFER, *raw, "-o", answer, "-D", "-")
    length = next(line for line in head.splitlines() if line.startswith("inference-header"))
    body = answer.read_bytes()
    cut = int(length.split(":")[1])
    (output,) = json.loads(body[:cut])["outputs"]
    assert output["parameters"] == {"binary_data_size": 120}
    found = np.frombuffer(body[cut:], np.float32).reshape(output["shape"])
    np.testing.assert_allclose(found, probabilities, rtol=1e-5)


def test_a_raw_body_of_another_size_is_refused(server: RunningServer) -> None:
    """Bytes that are no whole number of pictures are refused with both numbers."""
    raw = ("-H", "Inference-Header-Content-Length: 0", "--data-binary", "abc")
    answer = json.loads(run_curl(server, INFER, *raw))
    assert "3 bytes where shape [1, 32, 32, 1] of uint8 needs 1024" in answer["error"]


def test_a_raw_body_for_two_inputs_is_refused(server: RunningServer) -> None:
    """Where a model has more inputs, bytes alone do not tell which."""
    raw = ("-H", "Inference-Header-Content-Length: 0", "--data-binary", "abc")
    answer = json.loads(run_curl(server, "v2/models/style-fast/infer", *raw))
    assert "this model has 2 (image, style_weights)" in answer["error"]


def test_compressed_answers_are_asked_for(server: RunningServer) -> None:
    """``--compressed`` gets gzip where that is worth it, and nothing breaks where it is not."""
    digits = np.zeros((64, 32, 32, 1), np.uint8)
    text = build_request(digits, nested=False)
    plain = run_curl(server, INFER, body=text)
    head = run_curl(server, INFER, "--compressed", "-D", "-", "-o", "/dev/null", body=text)
    assert "content-encoding: gzip" in head
    assert run_curl(server, INFER, "--compressed", body=text) == plain
    assert "content-encoding" not in run_curl(server, "v2", "--compressed", "-D", "-")


def test_pages_end_with_a_line_break(server: RunningServer) -> None:
    """The prompt of a terminal stands on a line of its own after every page."""
    for path in ("v2", "v2/health/ready", "v2/models/lenet5", "v2/models/none"):
        assert run_curl(server, path).endswith("}\n")


def test_probes_answer_with_json(server: RunningServer) -> None:
    """Each probe says in words what its status says."""
    assert json.loads(run_curl(server, "v2/health/live")) == {"live": True}
    assert json.loads(run_curl(server, "v2/health/ready")) == {"ready": True}
    expected = {"name": "lenet5", "ready": True}
    assert json.loads(run_curl(server, "v2/models/lenet5/ready")) == expected
    assert json.loads(run_curl(server, "v2/models/lenet5/versions/1/ready")) == expected


def test_the_index_takes_no_body(server: RunningServer) -> None:
    """The index needs no body, and one may ask for ready models only."""
    index = json.loads(run_curl(server, "v2/repository/index", "-X", "POST"))
    assert {"name": "lenet5", "version": "1", "state": "READY", "reason": ""} in index
    ready = json.loads(run_curl(server, "v2/repository/index", body='{"ready": true}'))
    assert {model["state"] for model in ready} == {"READY"}
    answer = json.loads(run_curl(server, "v2/repository/index", body='{"ready": 1}'))
    assert "ready '1' must be true or false" in answer["error"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", INFER, "POST"),
        ("HEAD", INFER, "POST"),
        ("DELETE", "v2/models/lenet5", "GET, HEAD"),
        ("PUT", "v2/repository/index", "POST"),
        ("OPTIONS", "v2", "GET, HEAD"),
    ],
)
def test_other_methods_are_refused(
    server: RunningServer, method: str, path: str, allowed: str
) -> None:
    """A method that a path does not take gets 405, the methods that it takes, and JSON."""
    answer = server.ask(method, f"/{path}")
    assert answer.status == 405
    assert answer.headers["allow"] == allowed
    if method != "HEAD":
        assert answer.error == f"method {method}: /{path} takes {allowed}; use that"


def test_head_is_answered_where_get_is(server: RunningServer) -> None:
    """A load balancer that asks with HEAD gets the head of the same answer."""
    answer = server.ask("HEAD", "/v2/health/ready")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/v2/", "/v3", "/v2/models/a/b/c", "/v2/models/..%2Fx"])
def test_unknown_paths_are_not_found(server: RunningServer, path: str) -> None:
    """A path that leads nowhere gets 404 in JSON, with where to begin."""
    answer = server.ask("GET", path)
    assert answer.status == 404
    assert (
        "nothing is served there; all pages are listed at /openapi.json, the server is d"
        in answer.error
    )
