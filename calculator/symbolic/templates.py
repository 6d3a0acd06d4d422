"""Networks whose input has letters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, cast

from calculator.errors import CalculatorError
from calculator.layers.base import Layer
from calculator.layers.operators import Operator, Source
from calculator.layers.resizing import Crop, Pad
from calculator.layers.shapes import Borders, Shape, render_shape
from calculator.network import Network
from calculator.reading.grammar import Reader
from calculator.reading.networks import NETWORKS, describe_network
from calculator.reading.sources import RECIPES, read_any
from calculator.summary import LayerError
from calculator.symbolic.atoms import Letter
from calculator.symbolic.letters import find_head
from calculator.symbolic.quantities import Number, Quantity, evaluate, walk_letters

FIRST_NUMBER = 900_000_001  # in a text, for the first expression
USUAL_SIZES = (256, 4096, 225)  # for networks that name no input of their own
USUAL_CHANNELS = 240
MOST_LAYERS = 1_000
OTHER_SIZES = (1, 2, 3, 32)  # more than the size that a model was read for

Fill = Callable[[int], int]  # of numbers


class Read(Protocol):
    """A reader of networks: :func:`calculator.reading.sources.read_any`, or ``parse``."""

    def __call__(self, text: str, *, input_shape: Shape | None = None) -> Network:
        """Return the network that a text names or describes."""


@dataclass(frozen=True)
class Template:
    """A network for an input with letters.

    Args:
        network: integers, and quantities in the place of letters, in its input; also in the
            padding of pads and crops where a named network has layers that depend on it.
        fitted: an input of numbers that the network fits.
    """

    network: Network
    fitted: Shape

    @property
    def sides(self) -> tuple[Number, ...]:
        """The input; a type checker should know what may be in it."""
        return self.network.input

    @property
    def letters(self) -> tuple[Letter, ...]:
        """The letters of the input, in their order."""
        found = {letter.name: letter for side in self.sides for letter in walk_letters(side)}
        return tuple(found.values())

    @property
    def depends_on_sizes(self) -> bool:
        """Whether letters stand in the layers, and not in the input only."""
        return any(
            isinstance(side, Quantity)
            for node in self.network.nodes
            if isinstance(node.layer, Pad | Crop)
            for border in node.layer.padding
            for side in border
        )

    def settle(self, values: Mapping[str, int]) -> Network:
        """Return the network with numbers in the place of its letters."""
        return fill_network(self.network, lambda number: evaluate(number, values))


class Written:
    """A size that a builder of named networks may compute with and write into its text.

    Args:
        value: the size.
        held: takes note of the number that stands for it in the text.
    """

    def __init__(self, value: Number, held: dict[int, Number]) -> None:
        self.value = value
        self.held = held

    def __neg__(self) -> "Written":
        return Written(-self.value, self.held)

    def __mod__(self, other: int) -> "Written":
        return Written(self.value % other, self.held)

    def __add__(self, other: int) -> "Written":
        return Written(self.value + other, self.held)

    __radd__ = __add__

    def __str__(self) -> str:
        if isinstance(self.value, int):
            return str(self.value)
        number = FIRST_NUMBER + len(self.held)
        self.held[number] = self.value
        return str(number)


def read_template(text: str, shape: Shape | None, *, read: Read = read_any) -> Template:
    """Read a network for an input with letters.

    Args:
        text: a name, a line of the grammar, or a file.
        shape: with letters; None for the network's own.
        read: ``parse`` for text from strangers, which opens no file.

    Raises:
        CalculatorError: the network cannot be read, fits none of the usual sizes, or its
            layers are known for one input only.
    """
    if shape is None or not any(isinstance(side, Quantity) for side in shape):
        network = read(text, input_shape=shape)
        return Template(network, network.input)
    if text in NETWORKS:
        return Template(read_named(text, shape), NETWORKS[text][0])
    network = read_plain(text, shape, read=read)
    if len(network.nodes) > MOST_LAYERS:
        message = (
            f"{network.name} has {len(network.nodes)} layers, and with letters at most "
            f"{MOST_LAYERS} are read; give numbers"
        )
        raise CalculatorError(message)
    template = make_template(network, shape)
    if "|" not in text and Path(text).suffix.lower() not in RECIPES:
        check_other_sizes(text, template, read=read)
    return template


def check_other_sizes(text: str, template: Template, *, read: Read) -> None:
    """Refuse a model whose layers come out different for other sizes.

    A file or a module may compute its crops, pads and factors from the size of its input;
    a line of layers and a recipe cannot.

    Raises:
        CalculatorError: they do, or the model cannot be read for other sizes.
    """
    fitted = template.fitted
    if len(fitted) != len(template.sides):
        message = f"{text}: its input is {render_shape(fitted)}; give letters for as many sides"
        raise CalculatorError(message)
    for more in OTHER_SIZES:
        steps = [more if isinstance(side, Quantity) else 0 for side in template.sides]
        shape = tuple(size + step for size, step in zip(fitted, steps, strict=True))
        if read(text, input_shape=shape).nodes != template.network.nodes:
            message = (
                f"{text}: its layers are others for {render_shape(shape)} than for "
                f"{render_shape(fitted)}; give numbers instead of letters"
            )
            raise CalculatorError(message)


def make_template(network: Network, shape: Shape) -> Template:
    """Return a network that does not depend on its input with another one.

    Raises:
        CalculatorError: it does depend on it.
    """
    for node in network.nodes:
        if isinstance(node.layer, Operator | Source):
            message = (
                f"{node.name} ({node.layer.kind}): its output is known for numbers only, and "
                "comes out different at other sizes of the input; give numbers instead of "
                f"letters, for example {render_shape(network.input)}"
            )
            raise CalculatorError(message)
    return Template(replace(network, input=shape), network.input)


def read_named(name: str, shape: Shape) -> Network:
    """Read a named network, whose layers may be written for the size of the input."""
    held: dict[int, Number] = {}
    sides = cast("Shape", tuple(Written(side, held) for side in shape))
    network = Reader(describe_network(name, sides)).read(name, None)
    return fill_network(network, lambda number: cast("int", held.get(number, number)))


def read_plain(text: str, shape: Shape, *, read: Read) -> Network:
    """Read a network that does not depend on the input, for whichever numbers it fits."""
    failure: CalculatorError | None = None
    headless = bool(find_head(text))
    for sides in list_usual_shapes(shape, own=not headless):
        try:
            if headless and sides is not None:
                return read(f"{render_shape(sides)} | {text.split('|', 1)[1]}")
            return read(text, input_shape=sides)
        except CalculatorError as error:
            if sides is not None and not is_misfit(error):
                raise
            failure = error
    message = f"no usual size fits: {failure.message if failure else ''}"
    raise CalculatorError(message)


def list_usual_shapes(shape: Shape, *, own: bool) -> Iterator[Shape | None]:
    """Yield shapes to read a network with; None, the network's own, first."""
    if own:
        yield None
    for size in USUAL_SIZES:
        first = shape[0] if isinstance(shape[0], int) else USUAL_CHANNELS
        yield (first, *(side if isinstance(side, int) else size for side in shape[1:]))


def is_misfit(error: BaseException | None) -> bool:
    """Return whether a network could be read but its layers did not fit."""
    while error is not None:
        if isinstance(error, LayerError):
            return True
        error = error.__cause__
    return False


def fill_network(network: Network, fill: Fill) -> Network:
    """Return a network with every number of its input, pads and crops replaced."""
    nodes = tuple(
        replace(node, layer=fill_layer(node.layer, fill))
        if isinstance(node.layer, Pad | Crop)
        else node
        for node in network.nodes
    )
    return replace(network, input=tuple(map(fill, network.input)), nodes=nodes)


def fill_layer(layer: Pad | Crop, fill: Fill) -> Layer:
    """Return a pad or crop with every number of its padding replaced."""
    padding: Borders = tuple((fill(before), fill(after)) for before, after in layer.padding)
    return replace(layer, padding=padding)
