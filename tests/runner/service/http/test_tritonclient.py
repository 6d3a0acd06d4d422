"""The unmodified Triton client against a real server."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from tests.runner.service.http.conftest import RunningServer

Pictures = NDArray[np.uint8]
Scores = NDArray[np.float32]


@pytest.fixture
def client(server: RunningServer) -> Iterator[triton.InferenceServerClient]:
    """Return a client."""
    with triton.InferenceServerClient(server.url) as client:
        yield client


def build_input(digits: Pictures, *, binary: bool = True) -> list[triton.InferInput]:
    """Return the input of LeNet-5."""
    tensor = triton.InferInput("image", list(digits.shape), "UINT8")
    return [tensor.set_data_from_numpy(digits, binary_data=binary)]


def want(*, binary: bool = True, classes: int = 0) -> list[triton.InferRequestedOutput]:
    """Return how the probabilities are wanted."""
    return [triton.InferRequestedOutput("probabilities", binary_data=binary, class_count=classes)]


@pytest.mark.parametrize("sent", [True, False], ids=["binary input", "JSON input"])
@pytest.mark.parametrize("wanted", [True, False], ids=["binary output", "JSON output"])
def test_every_form_gives_the_same_answer(
    client: triton.InferenceServerClient,
    digits: Pictures,
    probabilities: Scores,
    *,
    sent: bool,
    wanted: bool,
) -> None:
    """Tensors as bytes or as JSON, there and back, give what ONNX Runtime gives."""
    inputs = build_input(digits, binary=sent)
    result = client.infer("lenet5", inputs, outputs=want(binary=wanted), request_id="seven")
    np.testing.assert_allclose(result.as_numpy("probabilities"), probabilities, rtol=1e-5)
    response = result.get_response()
    assert (response["id"], response["model_name"], response["model_version"]) == (
        "seven",
        "lenet5",
        "1",
    )


@pytest.mark.parametrize("there", ["gzip", "deflate", None])
@pytest.mark.parametrize("back", ["gzip", "deflate", None])
def test_compression_changes_nothing(
    client: triton.InferenceServerClient,
    digits: Pictures,
    probabilities: Scores,
    there: str | None,
    back: str | None,
) -> None:
    """Either body may be compressed in either way."""
    result = client.infer(
        "lenet5",
        build_input(np.tile(digits, (20, 1, 1, 1))),
        request_compression_algorithm=there,
        response_compression_algorithm=back,
    )
    np.testing.assert_allclose(
        result.as_numpy("probabilities"), np.tile(probabilities, (20, 1)), rtol=1e-5
    )


@pytest.mark.parametrize("binary", [True, False])
def test_classification_names_the_likeliest(
    client: triton.InferenceServerClient, digits: Pictures, probabilities: Scores, *, binary: bool
) -> None:
    """Each row holds value, index and label, the highest first."""
    outputs = want(binary=binary, classes=2)
    found = client.infer("lenet5", build_input(digits), outputs=outputs).as_numpy("probabilities")
    assert found.shape == (3, 2)
    for texts, row in zip(found, probabilities, strict=True):
        parts = [(text.decode() if isinstance(text, bytes) else text).split(":") for text in texts]
        order = np.argsort(-row)[:2]
        assert [int(index) for _, index, _ in parts] == order.tolist()
        assert [label for *_, label in parts] == [str(index) for index in order]
        np.testing.assert_allclose([float(part[0]) for part in parts], row[order], rtol=1e-4)


def test_asynchronous_requests_are_answered(
    server: RunningServer, digits: Pictures, probabilities: Scores
) -> None:
    """Requests of many connections at once each get the answer to their own picture."""
    with triton.InferenceServerClient(server.url, concurrency=8) as client:
        waiting = [
            client.async_infer("lenet5", build_input(digits[place : place + 1]))
            for place in (0, 1, 2) * 20
        ]
        for turn, request in enumerate(waiting):
            found = request.get_result().as_numpy("probabilities")
            np.testing.assert_allclose(found[0], probabilities[turn % 3], rtol=1e-5)


def test_a_picture_is_painted(client: triton.InferenceServerClient) -> None:
    """A model with two inputs takes both and answers with a picture of the same size."""
    photo = np.full((1, 48, 64, 3), 90, np.uint8)
    share = np.eye(2, 11, dtype=np.float32).mean(0, keepdims=True)
    inputs = [
        triton.InferInput("image", list(photo.shape), "UINT8").set_data_from_numpy(photo),
        triton.InferInput("style_weights", list(share.shape), "FP32").set_data_from_numpy(
            share, binary_data=False
        ),
    ]
    painting = client.infer("style-fast", inputs).as_numpy("stylized")
    assert painting.shape == photo.shape
    assert painting.dtype == np.uint8


def test_server_and_models_are_live_and_ready(client: triton.InferenceServerClient) -> None:
    """Probes say yes for what is there and no for what is not."""
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("lenet5")
    assert client.is_model_ready("lenet5", "1")
    assert not client.is_model_ready("lenet5", "99")
    assert not client.is_model_ready("resnet")


def test_metadata_tells_tensors_and_extensions(client: triton.InferenceServerClient) -> None:
    """The server names what it can do, a model what it takes."""
    about = client.get_server_metadata()
    assert about["name"] == "impasto"
    assert set(about["extensions"]) == {
        "binary_tensor_data",
        "classification",
        "model_configuration",
        "model_repository",
        "statistics",
    }
    model = client.get_model_metadata("style-fast")
    assert model["platform"] == "onnx_onnxv1"
    assert model["inputs"][0] == {"name": "image", "datatype": "UINT8", "shape": [-1, -1, -1, 3]}
    config = client.get_model_config("style-fast", "1")
    assert config["max_batch_size"] == 64
    assert config["input"][0] == {"name": "image", "data_type": "TYPE_UINT8", "dims": [-1, -1, 3]}
    parameters = client.get_model_config("lenet5")["parameters"]
    assert parameters["precision"] == {"string_value": "fp32"}
    assert parameters["provider"]["string_value"] in {"cpu", "cuda"}


def test_statistics_count_rows_and_requests(
    client: triton.InferenceServerClient, digits: Pictures
) -> None:
    """One request of three rows counts once as a request and three times as an inference."""
    (before,) = client.get_inference_statistics("lenet5")["model_stats"]
    client.infer("lenet5", build_input(digits))
    (after,) = client.get_inference_statistics("lenet5", "1")["model_stats"]
    assert after["inference_count"] - before["inference_count"] == 3
    counts = [stats["inference_stats"]["success"]["count"] for stats in (before, after)]
    assert counts[1] - counts[0] == 1
    assert after["inference_stats"]["compute_infer"]["ns"] > 0
    assert 3 in [batch["batch_size"] for batch in after["batch_stats"]]
    names = {model["name"] for model in client.get_inference_statistics()["model_stats"]}
    assert {"lenet5", "simpleconvnet", "style-fast"} <= names


def test_models_are_unloaded_and_loaded(client: triton.InferenceServerClient) -> None:
    """The index follows what load and unload do."""
    client.unload_model("simpleconvnet")
    assert not client.is_model_ready("simpleconvnet")
    states = {model["name"]: model["state"] for model in client.get_model_repository_index()}
    assert states["simpleconvnet"] == "UNAVAILABLE"
    assert states["lenet5"] == "READY"
    client.load_model("simpleconvnet")
    assert client.is_model_ready("simpleconvnet")


def test_a_model_of_the_clients_own_is_refused(client: triton.InferenceServerClient) -> None:
    """A configuration or file in the request is not what is loaded."""
    with pytest.raises(InferenceServerException, match=r"\[501\].*'config' is not taken"):
        client.load_model("lenet5", config="{}")


@pytest.mark.parametrize(
    ("model", "version", "shape", "datatype", "message"),
    [
        ("resnet", "", (1, 32, 32, 1), "UINT8", r"\[404\] model 'resnet' is unknown; .*lenet5"),
        ("lenet5", "7", (1, 32, 32, 1), "UINT8", r"\[404\] .*7"),
        ("lenet5", "", (1, 28, 28, 1), "UINT8", r"\[400\] .*shape \[1, 28, 28, 1\].*32, 32, 1\]"),
        ("lenet5", "", (1, 32, 32, 1), "FP32", r"\[400\] .*UINT8"),
        ("lenet5", "", (1, 1), "BYTES", r"\[501\] .*BYTES is not served"),
    ],
)
def test_mistakes_are_explained(
    client: triton.InferenceServerClient,
    model: str,
    version: str,
    shape: tuple[int, ...],
    datatype: str,
    message: str,
) -> None:
    """The client raises the server's words with their status."""
    dtype = {"UINT8": np.uint8, "FP32": np.float32, "BYTES": np.object_}[datatype]
    data: NDArray[Any] = np.full(shape, b"a" if datatype == "BYTES" else 0, dtype)
    tensor = triton.InferInput("image", list(shape), datatype).set_data_from_numpy(data)
    with pytest.raises(InferenceServerException, match=message):
        client.infer(model, [tensor], version)


def test_a_deadline_that_passed_is_told(
    client: triton.InferenceServerClient, digits: Pictures
) -> None:
    """A request whose timeout is over before a worker is free gets 504."""
    with pytest.raises(InferenceServerException, match=r"\[504\]"):
        client.infer("lenet5", build_input(digits), timeout=1)


def test_shared_memory_is_refused(client: triton.InferenceServerClient) -> None:
    """An extension that is not advertised is refused in words."""
    tensor = triton.InferInput("image", [1, 32, 32, 1], "UINT8")
    tensor.set_shared_memory("region", 1024)
    with pytest.raises(InferenceServerException, match=r"\[501\] .*shared memory is not served"):
        client.infer("lenet5", [tensor])
