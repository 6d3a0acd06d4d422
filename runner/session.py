"""ONNX Runtime sessions: which processor, how many threads, and no silent fallback."""

from pathlib import Path
from typing import Any, Literal, get_args

import onnxruntime as ort

from runner.errors import ModelError, ProviderError
from runner.processors import count_processors

Provider = Literal["auto", "cpu", "cuda"]
PROVIDERS: tuple[str, ...] = get_args(Provider)

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
CUDA_REMEDY = (
    "install the CUDA build in place of the CPU build (they share one folder): "
    "pip uninstall -y onnxruntime && pip install 'onnxruntime-gpu[cuda,cudnn]'"
)
# HEURISTIC: pictures change size, and an exhaustive search per size costs seconds.
# Without TF32 a GPU gives the CPU's pictures to within one grey level.
CUDA_OPTIONS = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}


# ONNX Runtime's own exceptions share no base class but Exception.
RUNTIME_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    *(
        kind
        for kind in vars(ort.capi.onnxruntime_pybind11_state).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ),
)


def open_session(
    path: Path, provider: str = "auto", threads: int | None = None
) -> ort.InferenceSession:
    """Open an ONNX file.

    Args:
        path: the file.
        provider: ``cpu``, ``cuda``, or ``auto``: CUDA where it works, else the CPU.
        threads: of one run on the CPU; by default the processors this process may use.

    Raises:
        ModelError: the file is missing or not an ONNX file.
        ProviderError: ``cuda`` was asked for and cannot be used, or there is no such provider.
    """
    if provider not in PROVIDERS:
        message = f"provider {provider!r} is unknown; choose {', '.join(PROVIDERS)}"
        raise ProviderError(message)
    if not path.is_file():
        message = f"{path}: no such model file"
        raise ModelError(message)
    _preload_cuda()
    available = ort.get_available_providers()
    if provider == "cuda" and CUDA not in available:
        message = f"provider cuda: this onnxruntime has only {', '.join(available)}; {CUDA_REMEDY}"
        raise ProviderError(message)
    wanted: list[Any] = [CPU]
    if provider in {"auto", "cuda"} and CUDA in available:
        wanted.insert(0, (CUDA, CUDA_OPTIONS))
    session = _create(path, wanted, threads or count_processors())
    if provider == "cuda" and session.get_providers()[0] != CUDA:
        message = (
            "provider cuda: ONNX Runtime fell back to the CPU (driver, CUDA or cuDNN libraries are "
            f"missing or of another version); {CUDA_REMEDY}, or use --provider cpu"
        )
        raise ProviderError(message)
    return session


def name_provider(session: ort.InferenceSession) -> str:
    """Return ``cuda`` or ``cpu``, whichever ``session`` runs on."""
    return "cuda" if session.get_providers()[0] == CUDA else "cpu"


def _create(path: Path, providers: list[Any], threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # failures come back as exceptions; say them once
    # Planned buffers are remembered per input shape and never forgotten, and folders
    # hold many shapes.
    options.enable_mem_pattern = False
    try:
        return ort.InferenceSession(str(path), options, providers=providers)
    except RUNTIME_ERRORS as error:
        reason = str(error).splitlines()[0]
        message = (
            f"{path}: not an ONNX file that ONNX Runtime {ort.__version__} can open ({reason})"
        )
        raise ModelError(message) from None


def _preload_cuda() -> None:
    """Load CUDA and cuDNN from pip's nvidia packages, where the CUDA build of the runtime is."""
    if hasattr(ort, "preload_dlls") and CUDA in ort.get_available_providers():
        ort.preload_dlls()
