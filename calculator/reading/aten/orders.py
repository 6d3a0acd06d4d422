"""In which order views and transpositions leave the values of a tensor.

An axis is a list of atoms ``(size, stride)``: its values step through the tensor that one
started from by ``stride``, ``size`` times, the last atom the fastest. Views split and join
axes, transpositions change their places; what remains tells whether a chain of both is a
flattening, a pixel shuffle, or moves channels only.
"""

from math import prod

from calculator.layers.shapes import Shape

Axis = tuple[tuple[int, int], ...]
Order = tuple[Axis, ...]


def start_order(shape: Shape) -> Order:
    """Return the order of an untouched tensor."""
    strides = [prod(shape[i + 1 :]) for i in range(len(shape))]
    return tuple(
        ((size, stride),) if size > 1 else () for size, stride in zip(shape, strides, strict=True)
    )


def merge_atoms(atoms: Axis) -> Axis:
    """Return the atoms with neighbours joined that step on alike."""
    merged: list[tuple[int, int]] = []
    for size, stride in atoms:
        if merged and merged[-1][1] == size * stride:
            merged[-1] = (merged[-1][0] * size, stride)
        else:
            merged.append((size, stride))
    return tuple(merged)


def flatten_order(order: Order) -> Axis:
    """Return the atoms of all axes as one axis."""
    return merge_atoms(tuple(atom for axis in order for atom in axis))


def reshape_order(order: Order, shape: Shape) -> Order | None:
    """Return the order after a view as ``shape``; None where an atom cannot be split so."""
    rest = list(reversed(flatten_order(order)))
    axes = []
    for wanted in shape:
        axis = take_axis(rest, wanted)
        if axis is None:
            return None
        axes.append(axis)
    return tuple(axes)


def take_axis(rest: list[tuple[int, int]], wanted: int) -> Axis | None:
    """Take an axis of a size from the atoms, of which the last is the next."""
    taken: list[tuple[int, int]] = []
    while wanted > 1:
        if not rest:
            return None
        size, stride = rest.pop()
        if wanted % size == 0:
            taken.append((size, stride))
            wanted //= size
        elif size % wanted == 0:
            taken.append((wanted, stride * (size // wanted)))
            rest.append((size // wanted, stride))
            wanted = 1
        else:
            return None
    return merge_atoms(tuple(taken))


def permute_order(order: Order, axes: list[int]) -> Order:
    """Return the order after a transposition; negative axes count from the end."""
    return tuple(order[axis] for axis in axes)


def shuffle_order(shape: Shape, factor: int) -> Order | None:
    """Return the order after pixel shuffle by ``factor`` of ``[1, C, *sizes]``."""
    axes, sizes = len(shape) - 2, shape[2:]
    channels = shape[1] // factor**axes
    split = reshape_order(start_order(shape), (1, channels, *(factor,) * axes, *sizes))
    if split is None:
        return None
    pairs = [i for axis in range(axes) for i in (2 + axes + axis, 2 + axis)]
    moved = permute_order(split, [0, 1, *pairs])
    return reshape_order(moved, (1, channels, *(size * factor for size in sizes)))


def find_shuffle(before: Shape, after: Shape, order: Order) -> int | None:
    """Return the factor if the order is that of a pixel shuffle."""
    if len(before) != len(after) or len(before) < 3 or after[2] % before[2]:
        return None
    factor = after[2] // before[2]
    axes = len(before) - 2
    grown = tuple(size * factor for size in before[2:])
    if factor < 2 or after[2:] != grown or before[1] % factor**axes:
        return None
    expected = shuffle_order(before, factor)
    return factor if expected is not None and is_alike(order, expected) else None


def is_alike(order: Order, other: Order) -> bool:
    """Return whether the values come in the same order, whatever the axes."""
    return flatten_order(order) == flatten_order(other)


def keeps_positions(before: Shape, after: Shape, order: Order) -> bool:
    """Return whether ``[1, C, *sizes]`` stays as it is, except for the order of channels."""
    if len(before) < 3 or before != after:
        return False
    positions = prod(before[2:])
    split = reshape_order(order, (before[1], positions))
    return split is not None and split[1] == (((positions, 1),) if positions > 1 else ())
