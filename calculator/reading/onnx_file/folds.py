"""Operations on small constants, by their names in the file.

Semantics after the ONNX operator reference (https://onnx.ai/onnx/operators).
"""

import functools
from math import prod
from typing import TYPE_CHECKING

from calculator.reading.onnx_file.constants import MOST_ELEMENTS, convert, read_tensor
from calculator.reading.onnx_file.values import Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    Arrays = list[np.ndarray]
    Fold = Callable[[Operation, Arrays], np.ndarray]

HIGHEST_RANK = 16


def use_numpy(name: str) -> "Fold":
    """Return a fold that is numpy's function of that name on all inputs."""

    def compute(_: Operation, arrays: "Arrays") -> "np.ndarray":
        import numpy as np  # noqa: PLC0415 - for files only

        result: np.ndarray = getattr(np, name)(*arrays)
        return result

    return compute


def to_integers(array: "np.ndarray") -> tuple[int, ...]:
    """Return a small array of integers, checked for its length."""
    if array.size > HIGHEST_RANK:
        message = "too many axes"
        raise ValueError(message)
    return tuple(int(value) for value in array.reshape(-1))


def list_axes(
    operation: Operation, arrays: "Arrays", *, position: int = 1
) -> tuple[int, ...] | None:
    """Return axes, given as an input or, in older files, as an attribute."""
    if len(arrays) > position and arrays[position] is not None:
        return to_integers(arrays[position])
    axes = operation.settings.get("axes")
    return tuple(axes) if axes is not None else None


def check_size(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Refuse sizes of a large array before it is made."""
    if min(sizes, default=0) < 0 or prod(sizes) > MOST_ELEMENTS:
        message = "too large"
        raise ValueError(message)
    return sizes


def divide(_: Operation, arrays: "Arrays") -> "np.ndarray":
    """Divide; integers towards zero."""
    import numpy as np  # noqa: PLC0415 - for files only

    top, bottom = arrays
    if not np.issubdtype(top.dtype, np.integer):
        return np.asarray(top / bottom)
    quotient = np.abs(top) // np.abs(bottom)
    return np.asarray(quotient * np.sign(top) * np.sign(bottom)).astype(top.dtype)


def remainder(operation: Operation, arrays: "Arrays") -> "np.ndarray":
    """Return the remainder, with the sign of the divisor unless ``fmod`` says otherwise."""
    import numpy as np  # noqa: PLC0415 - for files only

    return np.asarray((np.fmod if operation.settings.get("fmod") else np.mod)(*arrays))


def cut(operation: Operation, arrays: "Arrays") -> "np.ndarray":
    """Return a slice."""
    data = arrays[0]
    if len(arrays) > 1:
        starts, ends = to_integers(arrays[1]), to_integers(arrays[2])
    else:
        starts, ends = operation.settings["starts"], operation.settings["ends"]
    axes = list_axes(operation, arrays, position=3) or tuple(range(len(starts)))
    has_steps = len(arrays) > 4 and arrays[4] is not None
    steps = to_integers(arrays[4]) if has_steps else (1,) * len(starts)
    index = [slice(None)] * data.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        # counted from the back, an end before the first element has no other name than None
        before_first = step < 0 and end < -data.shape[axis]
        index[axis] = slice(start, None if before_first else end, step)
    return data[tuple(index)]


def reshape(_: Operation, arrays: "Arrays") -> "np.ndarray":
    """Return other sizes; 0 copies one, -1 takes what is left."""
    data, sizes = arrays[0], to_integers(arrays[1])
    copied = [data.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    return data.reshape(copied)


def unsqueeze(operation: Operation, arrays: "Arrays") -> "np.ndarray":
    """Return the array with axes of size 1 at the given places of the result."""
    data, axes = arrays[0], list_axes(operation, arrays) or ()
    rank = data.ndim + len(axes)
    added = {axis % rank for axis in axes}
    old = iter(data.shape)
    return data.reshape([1 if axis in added else next(old) for axis in range(rank)])


def squeeze(operation: Operation, arrays: "Arrays") -> "np.ndarray":
    """Return the array without the given axes of size 1, or without all of them."""
    return arrays[0].squeeze(list_axes(operation, arrays))


def fill(operation: Operation, arrays: "Arrays") -> "np.ndarray":
    """Return an array of one value, by default float 0."""
    import numpy as np  # noqa: PLC0415 - for files only

    tensor = operation.settings.get("value")
    value = np.zeros(1, np.float32) if tensor is None else read_tensor(tensor)
    if value is None or value.size != 1:
        message = "no single value"
        raise ValueError(message)
    return np.full(check_size(to_integers(arrays[0])), value.reshape(-1)[0])


def expand(_: Operation, arrays: "Arrays") -> "np.ndarray":
    """Return the array, repeated to sizes that it can be broadcast to."""
    import numpy as np  # noqa: PLC0415 - for files only

    sizes = np.broadcast_shapes(arrays[0].shape, to_integers(arrays[1]))
    return np.broadcast_to(arrays[0], check_size(sizes))


def count_up(_: Operation, arrays: "Arrays") -> "np.ndarray":
    """Return a range."""
    import numpy as np  # noqa: PLC0415 - for files only

    start, limit, step = (array.reshape(-1)[0] for array in arrays)
    check_size((max(0, int((limit - start) / step)),))
    return np.arange(start, limit, step, dtype=arrays[0].dtype)


def repeat(_: Operation, arrays: "Arrays") -> "np.ndarray":
    """Return the array, tiled."""
    import numpy as np  # noqa: PLC0415 - for files only

    times = to_integers(arrays[1])
    check_size(tuple(n * t for n, t in zip(arrays[0].shape, times, strict=True)))
    return np.tile(arrays[0], times)


def gather(operation: Operation, arrays: "Arrays") -> "np.ndarray":
    """Return the elements at some places along one axis."""
    import numpy as np  # noqa: PLC0415 - for files only

    check_size((*arrays[0].shape, *arrays[1].shape))
    return np.take(arrays[0], arrays[1].astype(np.int64), axis=operation.settings.get("axis", 0))


def reduce(name: str) -> "Fold":
    """Return a fold that takes numpy's sum, product, greatest or least along axes."""

    def compute(operation: Operation, arrays: "Arrays") -> "np.ndarray":
        import numpy as np  # noqa: PLC0415 - for files only

        keep = bool(operation.settings.get("keepdims", 1))
        axes = list_axes(operation, arrays)
        if not axes and operation.settings.get("noop_with_empty_axes"):
            return arrays[0]
        result: np.ndarray = getattr(np, name)(arrays[0], axis=axes or None, keepdims=keep)
        return result.astype(arrays[0].dtype)

    return compute


def join_elements(name: str, arrays: "Arrays") -> "np.ndarray":
    """Return the least or greatest of several arrays, element by element."""
    import numpy as np  # noqa: PLC0415 - for files only

    return functools.reduce(getattr(np, name), arrays)


def concatenate(operation: Operation, arrays: "Arrays") -> "np.ndarray":
    """Return several arrays, one after another along an axis."""
    import numpy as np  # noqa: PLC0415 - for files only

    check_size((sum(array.size for array in arrays),))
    return np.concatenate(arrays, axis=operation.settings["axis"])


NUMPY = {
    "Add": "add",
    "Sub": "subtract",
    "Mul": "multiply",
    "Neg": "negative",
    "Abs": "abs",
    "Floor": "floor",
    "Ceil": "ceil",
    "Sign": "sign",
    "Sqrt": "sqrt",
    "Round": "rint",
    "Equal": "equal",
    "Greater": "greater",
    "Less": "less",
    "Not": "logical_not",
    "GreaterOrEqual": "greater_equal",
    "LessOrEqual": "less_equal",
    "Where": "where",
    "And": "logical_and",
    "Or": "logical_or",
    "Reciprocal": "reciprocal",
    "Pow": "power",
}
FOLDS: dict[str, "Fold"] = {
    **{kind: use_numpy(name) for kind, name in NUMPY.items()},
    **{f"Reduce{word}": reduce(word.lower()) for word in ("Sum", "Prod", "Max", "Min")},
    "Div": divide,
    "Mod": remainder,
    "Slice": cut,
    "Reshape": reshape,
    "Unsqueeze": unsqueeze,
    "Squeeze": squeeze,
    "ConstantOfShape": fill,
    "Expand": expand,
    "Range": count_up,
    "Tile": repeat,
    "Gather": gather,
    "Identity": lambda _, arrays: arrays[0],
    "Min": lambda _, arrays: join_elements("minimum", arrays),
    "Max": lambda _, arrays: join_elements("maximum", arrays),
    "Cast": lambda operation, arrays: convert(arrays[0], operation.settings["to"]),
    "CastLike": lambda _, arrays: arrays[0].astype(arrays[1].dtype),
    "Transpose": lambda operation, arrays: arrays[0].transpose(operation.settings.get("perm")),
    "Concat": concatenate,
}
