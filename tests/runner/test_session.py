"""Sessions, providers, and files that are not what they should be."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image

from runner import session as session_module
from runner.errors import ModelError, ProviderError
from runner.model import COLLECTION, read_card
from runner.session import (
    CPU,
    CUDA,
    OPENVINO,
    list_providers,
    name_provider,
    open_session,
    set_openvino,
)
from runner.stylize import Painter


class FallenBack:
    """A session that was asked for CUDA and runs on the CPU, as ONNX Runtime does it."""

    def __init__(self, *_: object, providers: list[Any], **__: object) -> None:
        self.asked_for = providers

    def get_providers(self) -> list[str]:
        """Return where it runs."""
        return [CPU]


@pytest.fixture
def _cuda_on_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runtime claim to have CUDA, and fall back without a word."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(ort, "preload_dlls", lambda: None, raising=False)
    monkeypatch.setattr(ort, "InferenceSession", FallenBack)


def test_open_session_runs_on_the_cpu_when_asked() -> None:
    """``cpu`` is the CPU, also where there is more."""
    assert name_provider(open_session(COLLECTION, "cpu")) == "cpu"


@pytest.mark.skipif(CUDA in ort.get_available_providers(), reason="this runtime has CUDA")
def test_open_session_refuses_cuda_that_is_missing() -> None:
    """A runtime without CUDA is an error that names what to install and what to remove."""
    with pytest.raises(
        ProviderError, match=r"pip uninstall -y onnxruntime && pip install 'onnxrunt"
    ):
        open_session(COLLECTION, "cuda")


@pytest.mark.usefixtures("_cuda_on_paper")
def test_open_session_refuses_a_silent_fallback() -> None:
    """CUDA that was asked for and fell back to the CPU is an error with its remedy."""
    with pytest.raises(
        ProviderError, match=r"fell back to the CPU .*onnxruntime-gpu.*--provider cpu"
    ):
        open_session(COLLECTION, "cuda")


@pytest.mark.usefixtures("_cuda_on_paper")
def test_open_session_takes_the_cpu_when_it_may_choose() -> None:
    """``auto`` asks for CUDA first and is content with the CPU."""
    session = open_session(COLLECTION, "auto")
    assert name_provider(session) == "cpu"
    assert [entry[0] if isinstance(entry, tuple) else entry for entry in session.asked_for] == [
        CUDA,
        CPU,
    ]


@pytest.fixture
def _openvino_on_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runtime claim to have OpenVINO, and fall back without a word."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: [OPENVINO, CPU])
    monkeypatch.setattr(ort, "InferenceSession", FallenBack)


def test_open_session_refuses_openvino_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime without OpenVINO is an error that names what to install and what to remove."""
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CPU])
    with pytest.raises(
        ProviderError,
        match=r"has only CPUEx.*; .*pip uninstall -y onnxruntime .*install onnxruntime-openvino",
    ):
        open_session(COLLECTION, "openvino")


@pytest.mark.usefixtures("_openvino_on_paper")
def test_open_session_refuses_a_silent_fallback_from_openvino() -> None:
    """OpenVINO that was asked for and did not come is an error with its remedy."""
    with pytest.raises(ProviderError, match=r"provider openvino: .*fell back .*--provider cpu"):
        open_session(COLLECTION, "openvino")


@pytest.mark.usefixtures("_openvino_on_paper")
def test_open_session_takes_openvino_only_when_asked() -> None:
    """``auto`` is CUDA or the CPU, whatever else there is."""
    session = open_session(COLLECTION, "auto")
    assert (name_provider(session), session.asked_for) == ("cpu", [CPU])


@pytest.mark.parametrize(
    ("precision", "hint"), [("fp32", "f32"), ("int8", "f32"), ("bf16", "bf16")]
)
def test_openvino_computes_in_float32_unless_told(precision: str, hint: str) -> None:
    """bfloat16 is asked for by name; three runs of two threads are three streams, six threads."""
    options = set_openvino(precision, 2, 3)
    assert options["device_type"] == "CPU"
    assert json.loads(options["load_config"]) == {
        "CPU": {
            "INFERENCE_PRECISION_HINT": hint,
            "INFERENCE_NUM_THREADS": "6",
            "NUM_STREAMS": "3",
        }
    }


@pytest.mark.parametrize("provider", list_providers())
@pytest.mark.parametrize("size", [(64, 48), (33, 47), (200, 150)])
def test_every_provider_paints_alike(
    provider: str, size: tuple[int, int], make_photo: Callable[..., Image.Image]
) -> None:
    """In fp32 whatever this build has differs from the CPU by one grey level at most."""
    exact = Painter(provider="cpu", threads=1, precision="fp32")
    photo, effect = np.asarray(make_photo(*size)), exact.choose()
    other = Painter(provider=provider, precision="fp32", runs=2)
    assert other.provider == provider
    painted = other.paint([photo, photo], effect)[1]
    assert np.abs(painted.astype(int) - exact.paint([photo], effect)[0]).max() <= 1


def test_open_session_refuses_an_unknown_provider() -> None:
    """A provider that does not exist is named together with those that do."""
    with pytest.raises(
        ProviderError, match=r"provider 'gpu' is unknown; choose auto, cpu, cuda, openv"
    ):
        open_session(COLLECTION, "gpu")


def test_open_session_uses_no_more_threads_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """One run uses the processors that the container's quota leaves, unless told otherwise."""
    monkeypatch.setattr(session_module, "count_processors", lambda: 3)
    assert open_session(COLLECTION, "cpu").get_session_options().intra_op_num_threads == 3
    assert open_session(COLLECTION, "cpu", 1).get_session_options().intra_op_num_threads == 1


@pytest.mark.parametrize("content", [b"", b"Dear diary,", COLLECTION.read_bytes()[:5000]])
def test_open_session_explains_a_damaged_file(content: bytes, tmp_path: Path) -> None:
    """What is no ONNX file, or the beginning of one, is an error in one line."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(
        ModelError, match=r"model\.onnx: not an ONNX file that ONNX Runtime .* \("
    ) as caught:
        open_session(path, "cpu")
    assert "\n" not in caught.value.message


def test_open_session_explains_a_missing_file(tmp_path: Path) -> None:
    """A model that is not there, or a folder, is no such file."""
    for path in (tmp_path / "model.onnx", tmp_path):
        with pytest.raises(ModelError, match=r"no such model file"):
            open_session(path, "cpu")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("foreign", r"without impasto metadata, not 'stylize'; use a file that 'impasto export'"),
        ("classify", r"made for 'classify', not 'stylize'"),
        ("newer", r"metadata schema 2 is not 1; use the impasto that wrote it"),
        ("damaged", r"metadata cannot be read \(Unterminated string.*export it again"),
        ("other_tensors", r"its tensors \(x .* do not fit a stylize network"),
        ("no_styles", r"and its 0 styles do not fit a stylize network"),
    ],
)
def test_painter_refuses_a_file_for_something_else(name: str, reason: str, data: Path) -> None:
    """A file that does not keep the contract is refused before the first picture."""
    with pytest.raises(ModelError, match=reason):
        Painter(data / f"{name}.onnx", "cpu")


def test_read_card_believes_the_file(data: Path) -> None:
    """Task, styles, digest and smallest side come from the file alone."""
    card = read_card(open_session(COLLECTION, "cpu"), COLLECTION)
    assert (card.task, card.styles[0].name, card.minimum_side) == ("stylize", "starry_night", 32)
    assert len(card.digest) == 64
    foreign = read_card(open_session(data / "foreign.onnx", "cpu"), data / "foreign.onnx")
    assert (foreign.task, foreign.styles, foreign.values) == ("", (), {})


def test_collection_keeps_the_contract() -> None:
    """The shipped file takes and gives uint8 pictures of any size, and one weight per style."""
    session = open_session(COLLECTION, "cpu")
    tensors = {t.name: (t.type, len(t.shape)) for t in session.get_inputs() + session.get_outputs()}
    assert tensors == {
        "image": ("tensor(uint8)", 4),
        "style_weights": ("tensor(float)", 2),
        "stylized": ("tensor(uint8)", 4),
    }
    weights = np.zeros((2, session.get_inputs()[1].shape[1]), np.float32)
    weights[:, 0] = 1
    photos = np.zeros((2, 33, 45, 3), np.uint8)
    painted = session.run(["stylized"], {"image": photos, "style_weights": weights})[0]
    assert (painted.shape, painted.dtype) == (photos.shape, np.uint8)


def test_sessions_leave_standard_error_alone(tmp_path: Path) -> None:
    """A damaged file is told once, by the command, not by ONNX Runtime's own log as well."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"Dear diary,")
    command = [sys.executable, "-I", "-m", "impasto", "info", str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"Error: {path}: not an ONNX file")
