"""ONNX Runtime sessions on files that are examined: as a runner opens them, or with less memory."""

from pathlib import Path

import onnxruntime as ort

from exporter.classifiers.graphs import IMAGE, PROBABILITIES
from exporter.errors import ExportError

PROVIDER = "CPUExecutionProvider"


def name_runtime() -> str:
    """Return what the ONNX file was run by."""
    return f"onnxruntime {ort.__version__} {PROVIDER}"


def open_session(path: Path, *, mapped: bool = False, frugal: bool = False) -> ort.InferenceSession:
    """Open a file on the CPU.

    Args:
        path: of the ONNX file.
        mapped: leave weights that lie beside the file there, and read them as they are needed.
        frugal: make no copies of weights in another order; every run takes longer.

    Raises:
        ExportError: ONNX Runtime cannot open it.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 4  # what is an error comes back as an exception
    if mapped or frugal:
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        return ort.InferenceSession(str(path), options, providers=[PROVIDER])
    except Exception as error:  # its exceptions share no narrower public class
        reason = str(error).splitlines()[0]
        message = f"{path}: ONNX Runtime {ort.__version__} cannot open the model ({reason})"
        raise ExportError(message) from error


def open_classifier(
    path: Path, *, mapped: bool = False, frugal: bool = False
) -> ort.InferenceSession:
    """Open a file on the CPU and check its input and output.

    Args:
        path: of the ONNX file.
        mapped: see :func:`open_session`.
        frugal: see :func:`open_session`.

    Raises:
        ExportError: the file is not a ``classify`` model.
    """
    session = open_session(path, mapped=mapped, frugal=frugal)
    names = [value.name for value in session.get_inputs()]
    outputs = [value.name for value in session.get_outputs()]
    if names != [IMAGE] or outputs[:1] != [PROBABILITIES]:
        message = (
            f"{path}: its inputs are {names} and its outputs {outputs[:3]}, not {IMAGE} and "
            f"{PROBABILITIES}; pass a file that 'impasto export' made of a classifier"
        )
        raise ExportError(message)
    return session
