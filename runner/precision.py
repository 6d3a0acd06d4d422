"""Which file of a family to open: ``FILE.onnx``, ``FILE-int8.onnx`` and ``FILE-fp16.onnx``.

A network is exported once in float32, and further precisions lie beside that file under its
name. ``bf16`` is no file: OpenVINO computes a float32 file in it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from runner.errors import ModelError, ProviderError
from runner.processors import has_bfloat16, has_integer_dots
from runner.properties import read_properties

Precision = Literal["auto", "fp32", "int8", "fp16", "bf16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)
SIBLINGS = ("int8", "fp16")
# what two files of one network agree on; the rest tells how each was made
SAME_NETWORK = ("task", "network", "input", "styles", "labels", "training")
EXPORTS = {
    "int8": "impasto export CHECKPOINT -o {file} --precision int8 --calibrate PHOTOS",
    "fp16": "impasto export CHECKPOINT -o {file} --precision fp16",
}


@dataclass(frozen=True)
class Choice:
    """What will be opened.

    Attributes:
        path: the file.
        precision: ``fp32``, ``int8``, ``fp16`` or ``bf16``.
        remark: why a file that lies there was not taken, or empty.
    """

    path: Path
    precision: str
    remark: str = ""


def name_sibling(path: Path, precision: str) -> Path:
    """Return where the file of another precision would be."""
    return path.with_name(f"{path.stem}-{precision}{path.suffix}")


def choose_precision(path: Path, provider: str, precision: str = "auto") -> Choice:
    """Choose among a file and its siblings.

    ``auto`` takes int8 on a CPU with integer dot products, fp16 on CUDA, bf16 in OpenVINO
    where the processor has it, each only if it is there; else the file as it is. A file
    that is not in fp32 is taken as it is.

    Args:
        path: the file that was named; whether it exists, its opening will tell.
        provider: ``cpu``, ``cuda`` or ``openvino``.
        precision: what was asked for.

    Raises:
        ModelError: the file of this precision is missing, or of another network.
        ProviderError: the provider or the processor cannot compute in it, or there is no such
            precision.
    """
    if precision not in PRECISIONS:
        message = f"precision {precision!r} is unknown; choose {', '.join(PRECISIONS)}"
        raise ProviderError(message)
    values = read_properties(path)
    own = read_precision(values)
    if precision in {"auto", own} and own != "fp32":
        return Choice(path, own)
    if precision == "auto":
        return choose_best(path, values, provider)
    if own != "fp32":
        message = f"{path}: holds {own}, not {precision}; name the fp32 file, or --precision {own}"
        raise ModelError(message)
    require_support(provider, precision)
    if precision not in SIBLINGS:
        return Choice(path, precision)
    sibling = name_sibling(path, precision)
    fault = find_fault(sibling, precision, values)
    if fault:
        message = (
            f"{path}: precision {precision} needs {sibling.name}, {fault}; make it: "
            f"{EXPORTS[precision].format(file=sibling.name)}, or use fp32"
        )
        raise ModelError(message)
    return Choice(sibling, precision)


def choose_best(path: Path, values: dict[str, Any], provider: str) -> Choice:
    """Return the fastest choice that this provider and this processor are good at."""
    if provider == "openvino":
        return Choice(path, "bf16" if has_bfloat16() else "fp32")
    wanted = "fp16" if provider == "cuda" else "int8"
    sibling = name_sibling(path, wanted)
    if not sibling.is_file() or (wanted == "int8" and not has_integer_dots()):
        return Choice(path, "fp32")
    fault = find_fault(sibling, wanted, values)
    if fault:
        return Choice(path, "fp32", f"{sibling} was not taken: {fault}; export it again")
    return Choice(sibling, wanted)


def list_precisions(path: Path, provider: str) -> list[str]:
    """Return every precision that can be had on a provider, fp32 first."""
    found = []
    for precision in PRECISIONS[1:]:
        try:
            choose_precision(path, provider, precision)
        except (ModelError, ProviderError):
            continue
        found.append(precision)
    return found


def require_support(provider: str, precision: str) -> None:
    """Refuse a precision that would silently become another.

    Raises:
        ProviderError: with the remedy.
    """
    message = ""
    if precision == "bf16" and provider != "openvino":
        message = f"precision bf16: provider {provider} has no bfloat16; use --provider openvino"
    elif precision == "bf16" and not has_bfloat16():
        message = (
            "precision bf16: this processor has no bfloat16 (neither avx512_bf16 nor amx_bf16); "
            "use --precision fp32"
        )
    elif precision == "int8" and provider == "cuda":
        message = (
            "precision int8: provider cuda would compute it in float32; "
            "use --precision fp16 or --provider cpu"
        )
    if message:
        raise ProviderError(message)


def find_fault(sibling: Path, precision: str, values: dict[str, Any]) -> str:
    """Tell why a file is not the network of ``values`` in ``precision``; empty if it is.

    A file that was exported again leaves its siblings behind, with the styles of yesterday.
    """
    if not sibling.is_file():
        return "which is not there"
    found = read_properties(sibling)
    if read_precision(found) != precision:
        return f"which holds {read_precision(found)}"
    different = [key for key in SAME_NETWORK if found.get(key) != values.get(key)]
    return f"which is another network (its {different[0]} differs)" if different else ""


def read_precision(values: dict[str, Any]) -> str:
    """Return the precision that a file states; fp32 where it states none."""
    return str(values.get("precision", "fp32"))
