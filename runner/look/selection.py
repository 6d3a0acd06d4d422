"""Which layers and which of their units are shown."""

from collections.abc import Sequence

import click

from runner.errors import list_nearest_first
from runner.look.layers import Layer

ALL = "all"


def choose_layers(layers: Sequence[Layer], names: Sequence[str] = ()) -> tuple[Layer, ...]:
    """Return the layers that were asked for, in the order in which they run.

    Without names these are the last convolution of each block: each that is not followed
    directly by another one. Where there is no convolution, all layers.

    Args:
        layers: of the network, in order.
        names: of layers, or ``all`` alone.

    Raises:
        click.UsageError: there is no such layer.
    """
    if list(names) == [ALL]:
        return tuple(layers)
    if not names:
        followers = [*layers[1:], None]
        last = (
            layer
            for layer, next_layer in zip(layers, followers, strict=True)
            if layer.kind == "conv" and (next_layer is None or next_layer.kind != "conv")
        )
        return tuple(last) or tuple(layers)
    known = [layer.name for layer in layers]
    for name in names:
        if name not in known:
            message = f"there is no layer {name!r}; there are {list_nearest_first(name, known)}"
            raise click.UsageError(message)
    return tuple(layer for layer in layers if layer.name in names)


def choose_units(layer: Layer, count: int) -> tuple[int, ...]:
    """Return ``count`` units at even distances, or all where there are fewer.

    A network gives its units no order, so these are a sample in which nobody has a hand.
    """
    total = layer.units
    return tuple(range(total) if total <= count else (i * total // count for i in range(count)))


def check_units(layers: Sequence[Layer], units: Sequence[int]) -> None:
    """Stop where a layer lacks a unit that was asked for.

    Raises:
        click.UsageError: it does.
    """
    for layer in layers:
        for unit in units:
            if not 0 <= unit < layer.units:
                message = f"layer {layer.name} has no unit {unit}; it has 0 to {layer.units - 1}"
                raise click.UsageError(message)
