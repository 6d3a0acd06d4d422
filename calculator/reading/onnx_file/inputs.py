"""The inputs of a file: which is the picture, how it lies in memory, how large it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calculator.errors import CalculatorError
from calculator.layers.shapes import LARGEST_AXES, Shape, render_shape
from calculator.reading.onnx_file.values import FLOAT, Sizes

if TYPE_CHECKING:
    import onnx

Dim = int | str | None  # a size, a name for one, or nothing
Order = tuple[int, ...]  # axes of a tensor in the order batch, channels, sizes

# what may stand between a picture that is stored with its channels last and its transposition
STEPS = {"Cast", "Identity", "Mul", "Div", "Add", "Sub", "Clip", "Pad", "Slice", "Resize"}
STEPS |= {"QuantizeLinear", "DequantizeLinear"}
RECURRENT = {"LSTM", "GRU", "RNN"}
SEQUENCE_FIRST = (1, 0, 2)
LARGEST_SIDE = 10**9


@dataclass(frozen=True)
class Inputs:
    """The inputs with their sizes.

    Args:
        main: name of the picture.
        order: of its axes.
        batch: samples that the sizes are for, 1 unless the file fixes another number.
        sizes: of every input that is no weight.
        elements: their TensorProto.DataType.
        symbols: what the file's names for sizes stand for.
        is_replaced: whether the caller gave sizes where the file fixes others.
    """

    main: str
    order: Order
    batch: int
    sizes: dict[str, Sizes]
    elements: dict[str, int]
    symbols: dict[str, int] = field(default_factory=dict)
    is_replaced: bool = False

    @property
    def shape(self) -> Shape:
        """The picture's ``(channels, *sizes)``."""
        sizes = self.sizes[self.main]
        return tuple(sizes[axis] for axis in self.order[1:]) if len(sizes) > 1 else sizes or (1,)


def read_inputs(graph: "onnx.GraphProto", input_shape: Shape | None) -> Inputs:
    """Find the picture among a graph's inputs and settle all sizes.

    Args:
        graph: of the file.
        input_shape: of the picture, instead of what the file says.

    Raises:
        CalculatorError: sizes are neither fixed nor given.
    """
    weights = {tensor.name for tensor in graph.initializer}
    weights |= {tensor.values.name for tensor in graph.sparse_initializer}
    given = [value for value in graph.input if value.name not in weights]
    if not given:
        message = "has no input; export the network with one"
        raise CalculatorError(message)
    dims = {value.name: read_dims(value) for value in given}
    main = choose_main(dims)
    order = find_order(graph, main, rank=len(dims[main] or ()))
    sizes, symbols = settle_main(main, dims[main], order=order, input_shape=input_shape)
    settled = {main: sizes}
    order = order if len(order) == len(sizes) else tuple(range(len(sizes)))
    batch = sizes[order[0]] if len(sizes) > 1 else 1
    for name in dims.keys() - {main}:
        settled[name] = settle_other(name, dims[name], symbols=symbols, batch=batch)
    elements = {value.name: value.type.tensor_type.elem_type or FLOAT for value in given}
    ordered = {value.name: settled[value.name] for value in given}
    fixed = zip(dims[main] or (), sizes, strict=False)
    is_replaced = any(isinstance(dim, int) and dim != size for dim, size in fixed)
    return Inputs(main, order, batch, ordered, elements, symbols, is_replaced)


def read_dims(value: "onnx.ValueInfoProto") -> list[Dim] | None:
    """Return the sizes as the file has them; None where it does not say how many."""
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not tensor.HasField("shape"):
        return None
    return [
        dim.dim_value if dim.dim_value > 0 else dim.dim_param or None for dim in tensor.shape.dim
    ]


def choose_main(dims: Mapping[str, list[Dim] | None]) -> str:
    """Return the first input with spatial axes, or the first of all."""
    return next((name for name, known in dims.items() if len(known or ()) > 2), next(iter(dims)))


def find_order(graph: "onnx.GraphProto", main: str, *, rank: int) -> Order:
    """Return how the picture's axes lie, judged by what follows.

    TensorFlow's exporters, and files that take pictures as they are decoded, have the
    channels last: all that reads the picture is then, perhaps behind steps on single
    values, a transposition to channels first. A recurrent layer of layout 0 takes the
    sequence first, then the batch.
    """
    first, last = tuple(range(rank)), (0, rank - 1, *range(1, rank - 1))
    ends = list_ends(graph, main)
    if ends and rank > 2 and all(read_perm(node) == last for node, _ in ends):
        return last
    if ends and rank == 3 and all(takes_sequence(node, name) for node, name in ends):
        return SEQUENCE_FIRST
    return first


def read_perm(node: "onnx.NodeProto") -> Order:
    """Return the axes of a transposition; empty for another operation."""
    is_transposition = node.op_type == "Transpose"
    perms = (tuple(a.ints) for a in node.attribute if a.name == "perm" and is_transposition)
    return next(perms, ())


def takes_sequence(node: "onnx.NodeProto", name: str) -> bool:
    """Return whether a recurrent layer reads a tensor as steps, batch, features."""
    layout = next((a.i for a in node.attribute if a.name == "layout"), 0)
    return node.op_type in RECURRENT and node.input[:1] == [name] and layout == 0


def list_ends(graph: "onnx.GraphProto", main: str) -> "list[tuple[onnx.NodeProto, str]]":
    """Return what reads the picture behind steps on single values, and under which name."""
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    waiting, seen, ends = [main], {main}, []
    while waiting:
        name = waiting.pop()
        for node in readers.get(name, ()):
            if node.op_type in STEPS:
                fresh = set(node.output) - seen
                seen |= fresh
                waiting += fresh
            elif node.op_type not in ("Shape", "Size"):
                ends.append((node, name))
    return ends


def settle_main(
    name: str, dims: Sequence[Dim] | None, *, order: Order, input_shape: Shape | None
) -> tuple[Sizes, dict[str, int]]:
    """Return the picture's sizes and what their names stand for.

    Raises:
        CalculatorError: a size is neither fixed nor given, or there are too many or too few.
    """
    if dims is None:
        if input_shape is None:
            message = f"does not say the sizes of its input {name!r:.60}; give --input CxHxW"
            raise CalculatorError(message)
        return (1, *input_shape), {}
    sizes = list(dims)
    if len(dims) > 1 and not isinstance(dims[order[0]], int):
        sizes[order[0]] = 1
    if input_shape is not None:
        if len(input_shape) != max(len(dims) - 1, 1):
            message = (
                f"input {name!r:.60} has {render_dims(dims)}, and --input "
                f"{render_shape(input_shape)} has {len(input_shape)} numbers; "
                f"give {max(len(dims) - 1, 1)}, without the batch"
            )
            raise CalculatorError(message)
        for axis, size in zip(order[1:] or (0,), input_shape, strict=True):
            if dims:
                sizes[axis] = size
    settled = tuple(size for size in sizes if isinstance(size, int))
    if len(settled) < len(sizes):
        raise ask_for_sizes(name, dims, order=order)
    check_sides(name, settled)
    symbols = {d: s for d, s in zip(dims, settled, strict=True) if isinstance(d, str)}
    return settled, symbols


def ask_for_sizes(name: str, dims: Sequence[Dim], *, order: Order) -> CalculatorError:
    """Return the error that asks for sizes, with an example."""
    example = [dims[axis] for axis in order[1:] or (0,)]
    shown = "x".join(str(d) if isinstance(d, int) else "256" for d in example)
    open_sizes = ", ".join(str(d or "?") for d in example if not isinstance(d, int))
    message = (
        f"leaves sizes of its input {name!r:.60} open ({open_sizes[:60]} of {render_dims(dims)}); "
        f"give --input, for example --input {shown}"
    )
    return CalculatorError(message)


def check_sides(name: str, sizes: Sizes) -> None:
    """Refuse sizes that no picture has.

    Raises:
        CalculatorError: one is beyond 10**9, or there are more than three and the channels.
    """
    if max(sizes, default=1) > LARGEST_SIDE or len(sizes) > LARGEST_AXES + 2:
        message = (
            f"input {name!r:.60} has the sizes {render_dims(sizes)}; at most "
            f"{LARGEST_AXES} and the channels, none beyond {LARGEST_SIDE:,}, are read"
        )
        raise CalculatorError(message)


def settle_other(
    name: str, dims: Sequence[Dim] | None, *, symbols: Mapping[str, int], batch: int
) -> Sizes:
    """Return the sizes of an input beside the picture.

    Raises:
        CalculatorError: the file leaves one open that the picture does not settle.
    """
    known = [None] if dims is None else dims
    sizes: list[Dim] = [symbols.get(d, d) if isinstance(d, str) else d for d in known]
    if len(sizes) > 1 and not isinstance(sizes[0], int):
        sizes[0] = batch
    settled = tuple(size for size in sizes if isinstance(size, int))
    if len(settled) < len(sizes):
        message = (
            f"leaves sizes of its input {name!r:.60} open ({render_dims(known)}); "
            "fix them in the file (onnx.tools.update_model_dims)"
        )
        raise CalculatorError(message)
    return settled


def render_dims(dims: Sequence[Dim]) -> str:
    """Return ``[N, 3, H, ?]``."""
    return f"[{', '.join(str(dim or '?')[:20] for dim in dims[:10])}]"
