"""Small constants, computed as the file's operations say: mostly sizes of other tensors.

Semantics after the ONNX operator reference (https://onnx.ai/onnx/operators).
"""

from math import prod
from typing import TYPE_CHECKING, Any

from calculator.errors import CalculatorError
from calculator.reading.onnx_file.values import Operation

if TYPE_CHECKING:
    import numpy as np
    import onnx


MOST_ELEMENTS = 4_096


def read_tensor(tensor: "onnx.TensorProto") -> "np.ndarray | None":
    """Return the numbers of a small tensor; None of one whose numbers were not copied.

    Raises:
        CalculatorError: they are no numbers of that type.
    """
    from onnx import numpy_helper  # noqa: PLC0415 - for files only

    if prod(tensor.dims) > MOST_ELEMENTS or tensor.data_location == 1:
        return None
    held = (tensor.raw_data, tensor.float_data, tensor.int32_data, tensor.int64_data)
    if (
        tensor.dims
        and prod(tensor.dims)
        and not any((*held, tensor.double_data, tensor.uint64_data, tensor.string_data))
    ):
        return None
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as error:
        message = f"tensor {tensor.name!r:.80} cannot be read ({error!s:.100})"
        raise CalculatorError(message) from error


def read_constant(operation: Operation) -> "tuple[onnx.TensorProto | None, Any]":
    """Return the tensor or the plain value of a Constant node."""
    for name, value in operation.settings.items():
        if name == "value" and hasattr(value, "data_type"):
            return value, None
        if name in ("value_int", "value_ints", "value_float", "value_floats"):
            return None, value
    return None, None


def fold(operation: Operation, arrays: "list[np.ndarray | None]") -> "np.ndarray | None":
    """Compute an operation on small constants.

    Args:
        operation: of any kind.
        arrays: its inputs; None for one that is left out.

    Returns:
        Its first output; None where it is not computed here, or would be large.
    """
    import numpy as np  # noqa: PLC0415 - for files only

    from calculator.reading.onnx_file.folds import FOLDS  # noqa: PLC0415 - needs this module

    compute = FOLDS.get(operation.kind)
    if compute is None:
        return None
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(compute(operation, arrays))  # type: ignore[arg-type]
    except (ValueError, TypeError, IndexError, KeyError, ArithmeticError, AttributeError):
        return None  # onnx's own inference says what is wrong
    return result if result.size <= MOST_ELEMENTS else None


def convert(array: "np.ndarray", element: int) -> "np.ndarray":
    """Return an array in another TensorProto.DataType."""
    from onnx import helper  # noqa: PLC0415 - for files only

    return array.astype(helper.tensor_dtype_to_np_dtype(element))
