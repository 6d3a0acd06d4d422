"""ONNX Runtime sessions: which processor, how many threads, and no silent fallback."""

import json
from pathlib import Path
from typing import Any, Literal, get_args

import onnxruntime as ort

from runner.errors import ModelError, ProviderError
from runner.processors import count_processors

Provider = Literal["auto", "cpu", "cuda", "openvino"]
PROVIDERS: tuple[str, ...] = get_args(Provider)

CUDA = "CUDAExecutionProvider"
OPENVINO = "OpenVINOExecutionProvider"
CPU = "CPUExecutionProvider"
RUNTIME_NAMES = {"cuda": CUDA, "openvino": OPENVINO, "cpu": CPU}
CUDA_REMEDY = (
    "install the CUDA build in place of the CPU build (they share one folder): "
    "pip uninstall -y onnxruntime && pip install 'onnxruntime-gpu[cuda,cudnn]'"
)
REMEDIES = {
    "cuda": CUDA_REMEDY,
    "openvino": (
        "install the OpenVINO build in place of the others (they share one folder): "
        "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-openvino"
    ),
}
FALLBACKS = {
    "cuda": "driver, CUDA or cuDNN libraries are missing or of another version",
    "openvino": "its libraries cannot be loaded",
}
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
    path: Path,
    provider: str = "auto",
    threads: int | None = None,
    *,
    precision: str = "fp32",
    runs: int = 1,
) -> ort.InferenceSession:
    """Open an ONNX file.

    Args:
        path: the file.
        provider: ``cpu``, ``cuda``, ``openvino``, or ``auto``: CUDA where it works, else the CPU.
        threads: of one run on the CPU; by default the processors this process may use.
        precision: ``bf16`` lets OpenVINO compute in bfloat16 what the file has in float32; the
            other providers compute in the precision of the file.
        runs: how many runs will go on at the same time, which OpenVINO wants to know.

    Raises:
        ModelError: the file is missing or not an ONNX file.
        ProviderError: ``cuda`` or ``openvino`` was asked for and cannot be used, or there is no
            such provider.
    """
    wanted = choose_provider(provider)
    if not path.is_file():
        message = f"{path}: no such model file"
        raise ModelError(message)
    threads = threads or count_processors()
    chain: list[Any] = [CPU]
    if wanted == "cuda":
        _preload_cuda()
        chain.insert(0, (CUDA, CUDA_OPTIONS))
    if wanted == "openvino":
        streams = min(runs, count_processors())  # more would only take memory
        chain.insert(0, (OPENVINO, set_openvino(precision, threads, streams)))
    session = _create(path, chain, threads)
    if provider in FALLBACKS and name_provider(session) != provider:
        message = (
            f"provider {provider}: ONNX Runtime fell back to the CPU ({FALLBACKS[provider]}); "
            f"{REMEDIES[provider]}, or use --provider cpu"
        )
        raise ProviderError(message)
    return session


def choose_provider(provider: str) -> str:
    """Return ``cpu``, ``cuda`` or ``openvino``: what to try for what was asked.

    Raises:
        ProviderError: this build of ONNX Runtime lacks it, or there is no such provider.
    """
    if provider not in PROVIDERS:
        message = f"provider {provider!r} is unknown; choose {', '.join(PROVIDERS)}"
        raise ProviderError(message)
    available = ort.get_available_providers()
    if provider == "auto":
        return "cuda" if CUDA in available else "cpu"
    if RUNTIME_NAMES[provider] not in available:
        message = (
            f"provider {provider}: this onnxruntime has only {', '.join(available)}; "
            f"{REMEDIES[provider]}"
        )
        raise ProviderError(message)
    return provider


def list_providers() -> list[str]:
    """Return what this build of ONNX Runtime has, of ``cpu``, ``openvino`` and ``cuda``."""
    available = ort.get_available_providers()
    return [name for name in ("cpu", "openvino", "cuda") if RUNTIME_NAMES[name] in available]


def name_provider(session: ort.InferenceSession) -> str:
    """Return ``cuda``, ``openvino`` or ``cpu``, whichever ``session`` runs on."""
    first = session.get_providers()[0]
    return next((name for name in ("cuda", "openvino") if RUNTIME_NAMES[name] == first), "cpu")


def set_openvino(precision: str, threads: int, runs: int) -> dict[str, str]:
    """Return OpenVINO's options: the CPU, float32 unless bfloat16 is wanted, threads, streams.

    A stream serves one run at a time, so there is one for each. Shapes stay dynamic, which is the
    default: a picture of a new size costs no compilation.
    """
    config = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        "INFERENCE_NUM_THREADS": str(threads * runs),
        "NUM_STREAMS": str(runs),
    }
    return {"device_type": "CPU", "load_config": json.dumps({"CPU": config})}


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
    if hasattr(ort, "preload_dlls"):
        ort.preload_dlls()
