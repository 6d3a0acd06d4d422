"""The layers that a file gives out, and which pixels each of their units sees.

The file may come from anywhere, so every number is checked and bounded before it is used.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from runner.classify.rules import LARGEST_SIDE, shorten
from runner.errors import ModelError
from runner.model import ModelCard

Pair = tuple[int, int]
MOST_LAYERS = 4096
REMEDY = "export it with its layers: impasto export CHECKPOINT -o FILE.onnx --taps"


class Box(NamedTuple):
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of the network's input.

    The ends are exclusive. Parts may lie outside the picture: there the network pads.
    """

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Field:
    """How much of the input the units of a layer see (Araujo, Norris and Sim 2019, section 2).

    Attributes:
        extent: receptive field in pixels, ``(height, width)`` as everything here.
        jump: pixels from what one unit sees to what its neighbour sees.
        start: first row and column that the first unit sees, negative in the padding.
    """

    extent: Pair
    jump: Pair
    start: Pair

    def locate(self, row: int, column: int) -> Box:
        """Return what the unit at one position of a feature map sees."""
        top = self.start[0] + row * self.jump[0]
        left = self.start[1] + column * self.jump[1]
        return Box(top, left, top + self.extent[0], left + self.extent[1])


@dataclass(frozen=True)
class Layer:
    """One layer's output.

    Attributes:
        name: of the layer and of the tensor, such as ``conv1_1``.
        kind: ``conv``, ``maxpool``, ``avgpool``, ``subsample`` or ``fc``.
        shape: ``(C, H, W)``, or ``(F,)`` of a dense layer.
        field: what its units see; None for a dense layer, which sees the whole picture.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    field: Field | None

    @property
    def units(self) -> int:
        """Feature maps, or values of a dense layer."""
        return self.shape[0]

    @property
    def values(self) -> int:
        """Numbers per picture."""
        product = 1
        for side in self.shape:
            product *= side
        return product

    def find_position(self, place: int) -> Pair | None:
        """Return row and column of the ``place``-th value of a map; None for a dense layer."""
        return divmod(place, self.shape[2]) if self.field else None

    def locate(self, place: int, size: Pair) -> Box:
        """Return what decides the ``place``-th value of a unit.

        Args:
            place: counted row by row through the unit's map.
            size: of the network's input.
        """
        position = self.find_position(place)
        if self.field is None or position is None:
            return Box(0, 0, *size)
        return self.field.locate(*position)


def read_layers(card: ModelCard) -> tuple[Layer, ...]:
    """Read the layers that ``impasto.taps`` lists, in the order in which they run.

    Raises:
        ModelError: there are none, or the entry is damaged.
    """
    taps = card.values.get("taps")
    if taps is None:
        message = f"{card.path}: it gives out none of its layers, which look shows; {REMEDY}"
        raise ModelError(message)
    entries = taps.get("outputs") if isinstance(taps, dict) else None
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_LAYERS:
        message = f"{card.path}: impasto.taps {shorten(taps)} lists no outputs; {REMEDY}"
        raise ModelError(message)
    try:
        layers = tuple(map(read_layer, entries))
    except ValueError as error:
        message = f"{card.path}: impasto.taps cannot be used, {error}; {REMEDY}"
        raise ModelError(message) from None
    if len({layer.name for layer in layers}) < len(layers):
        message = f"{card.path}: impasto.taps names a layer twice; {REMEDY}"
        raise ModelError(message)
    return layers


def read_layer(entry: Any) -> Layer:  # noqa: ANN401 - any JSON value
    """Read one entry of ``impasto.taps``.

    Raises:
        ValueError: a value is missing or not allowed; the message names it.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        message = f"its output {shorten(entry)} has no name"
        raise ValueError(message)
    name, shape = entry["name"], entry.get("shape")
    if not isinstance(shape, list) or len(shape) not in (1, 3) or not are_within(shape, 1, 2**24):
        message = f"the shape {shorten(shape)} of {shorten(name)} is neither [C, H, W] nor [F]"
        raise ValueError(message)
    field = read_field(entry) if len(shape) == 3 else None
    return Layer(name, str(entry.get("kind", "")), tuple(shape), field)


def read_field(entry: dict[str, Any]) -> Field:
    """Read the receptive field of one entry of ``impasto.taps``.

    Raises:
        ValueError: a value is missing or not allowed; the message names it.
    """
    pairs = []
    for key, least in (("receptive_field", 1), ("jump", 1), ("start", -LARGEST_SIDE)):
        pair = entry.get(key)
        if not isinstance(pair, list) or len(pair) != 2 or not are_within(pair, least):
            message = (
                f"the {key} {shorten(pair)} of {shorten(entry['name'])} must be two numbers from "
                f"{least} to {LARGEST_SIDE}"
            )
            raise ValueError(message)
        pairs.append((pair[0], pair[1]))
    return Field(*pairs)


def are_within(numbers: list[Any], least: int, most: int = LARGEST_SIDE) -> bool:
    """Tell whether all are integers of a range; True and False are none."""
    return all(type(number) is int and least <= number <= most for number in numbers)
