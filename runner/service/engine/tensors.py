"""What a model takes and gives, in the words of the Open Inference Protocol, and checks of it.

Datatypes are those of the protocol's section "Tensor Data Types":
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runner.errors import list_nearest_first
from runner.service.errors import BadRequest

Array = NDArray[Any]
# ONNX Runtime's word: the protocol's word, NumPy's type. Texts and bfloat16 are left out:
# no network here has them, and NumPy has no bfloat16.
DATATYPES: dict[str, tuple[str, type[np.generic]]] = {
    "tensor(bool)": ("BOOL", np.bool_),
    "tensor(uint8)": ("UINT8", np.uint8),
    "tensor(uint16)": ("UINT16", np.uint16),
    "tensor(uint32)": ("UINT32", np.uint32),
    "tensor(uint64)": ("UINT64", np.uint64),
    "tensor(int8)": ("INT8", np.int8),
    "tensor(int16)": ("INT16", np.int16),
    "tensor(int32)": ("INT32", np.int32),
    "tensor(int64)": ("INT64", np.int64),
    "tensor(float16)": ("FP16", np.float16),
    "tensor(float)": ("FP32", np.float32),
    "tensor(double)": ("FP64", np.float64),
}


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model.

    Attributes:
        name: as in the file.
        datatype: the protocol's word, such as ``UINT8`` or ``FP32``.
        shape: -1 for a dimension that is free in every run.
        dtype: the same as ``datatype`` for NumPy.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_spec(name: str, kind: str, shape: Sequence[object]) -> TensorSpec:
    """Translate what ONNX Runtime says of a tensor.

    Args:
        name: of the tensor.
        kind: such as ``tensor(float)``.
        shape: integers for fixed dimensions, names or None for free ones.

    Raises:
        ValueError: tensors of this kind cannot be sent.
    """
    if kind not in DATATYPES:
        message = f"{name} is a {kind}, and only tensors of numbers and truth values can be served"
        raise ValueError(message)
    datatype, dtype = DATATYPES[kind]
    sides = tuple(side if isinstance(side, int) and side >= 0 else -1 for side in shape)
    return TensorSpec(name, datatype, sides, np.dtype(dtype))


def check_inputs(model: str, inputs: Mapping[str, Array], specs: Sequence[TensorSpec]) -> None:
    """Compare the tensors of a request with those of the model.

    Raises:
        BadRequest: one is missing, unknown, or of another type or shape.
    """
    known = [spec.name for spec in specs]
    for name in inputs:
        if name not in known:
            message = (
                f"input {name[:80]!r} is unknown to model {model!r}; its inputs are: "
                f"{list_nearest_first(name[:80], known)}"
            )
            raise BadRequest(message)
    for spec in specs:
        if spec.name not in inputs:
            message = f"input {spec.name!r} of model {model!r} is missing; send all of: "
            raise BadRequest(message + ", ".join(known))
        check_array(model, inputs[spec.name], spec)


def check_array(model: str, array: Array, spec: TensorSpec) -> None:
    """Compare one tensor with what the model takes.

    Raises:
        BadRequest: its type or shape differs, or it is empty.
    """
    if array.dtype != spec.dtype:
        message = (
            f"input {spec.name!r} is {array.dtype}; model {model!r} takes {spec.datatype} "
            f"({spec.dtype}): send that type"
        )
        raise BadRequest(message)
    fits = array.ndim == len(spec.shape) and all(
        wanted in (-1, side) for side, wanted in zip(array.shape, spec.shape, strict=True)
    )
    if not fits:
        message = (
            f"input {spec.name!r} has shape {list(array.shape)}; model {model!r} takes "
            f"{list(spec.shape)}, where -1 is any size from 1"
        )
        raise BadRequest(message)
    if not array.size:
        message = f"input {spec.name!r} has shape {list(array.shape)}: a side is 0; send 1 or more"
        raise BadRequest(message)


def check_outputs(
    model: str, outputs: Sequence[str] | None, specs: Sequence[TensorSpec]
) -> tuple[str, ...]:
    """Return the names of the wanted outputs, all of them when ``outputs`` is None or empty.

    Raises:
        BadRequest: a name is unknown or named twice.
    """
    known = [spec.name for spec in specs]
    for name in outputs or ():
        if name not in known:
            message = (
                f"output {name[:80]!r} is unknown to model {model!r}; its outputs are: "
                f"{list_nearest_first(name[:80], known)}"
            )
            raise BadRequest(message)
    wanted = tuple(outputs or known)
    if len(set(wanted)) != len(wanted):
        message = f"outputs {list(wanted)} of model {model!r} name one twice; name each once"
        raise BadRequest(message)
    return wanted
