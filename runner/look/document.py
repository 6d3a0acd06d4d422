"""The data of the sheets as one JSON document."""

from collections.abc import Mapping, Sequence
from typing import Any

from runner.look.layers import Layer
from runner.look.maps import Exposure
from runner.look.network import Filters, Values
from runner.look.search import Excitement, Patch
from runner.look.tones import Scale


def describe_filters(filters: Filters) -> dict[str, Any]:
    """Return what the sheet of filters shows: shape, scale, ranges, and how far training went."""
    before = None if filters.before is None else describe_array(filters.before)
    return {
        "shape": list(filters.after.shape),
        "scale": describe_scale(Scale(filters.limit or 1.0, signed=True)),
        "before": before,
        "after": describe_array(filters.after),
        "change": filters.change,
    }


def describe_exposure(
    layers: Sequence[Layer], units: Mapping[str, Sequence[int]], exposure: Exposure
) -> dict[str, Any]:
    """Return what the sheets of feature maps show.

    Args:
        layers: all of the network.
        units: shown ones, by layer's name.
        exposure: to one picture.
    """
    rows = []
    for layer in layers:
        values = exposure.values[layer.name]
        shown = range(layer.units) if layer.field is None else units[layer.name]
        rows.append(
            {
                **describe_layer(layer),
                "scale": describe_scale(exposure.scales[layer.name]),
                **describe_array(values),
                "units": [{"unit": unit, **describe_array(values[unit])} for unit in shown],
            }
        )
    return {"picture": exposure.picture, "shared_scale": exposure.shared, "layers": rows}


def describe_excitements(layer: Layer, found: Sequence[Excitement]) -> dict[str, Any]:
    """Return what one sheet of patches shows."""
    units = [
        {
            "unit": excitement.unit,
            "minimum": excitement.lowest,
            "maximum": excitement.highest,
            "active_pictures": excitement.active,
            "patches": [describe_patch(patch) for patch in excitement.patches],
        }
        for excitement in found
    ]
    return {**describe_layer(layer), "units": units}


def describe_patch(patch: Patch) -> dict[str, Any]:
    """Return where a unit was excited; the box is in pixels of the network's input."""
    return {
        "picture": patch.picture,
        "activation": patch.activation,
        "position": None if patch.position is None else list(patch.position),
        "box": patch.box._asdict(),
    }


def describe_layer(layer: Layer) -> dict[str, Any]:
    """Return name, kind, shape and receptive field of a layer."""
    field = layer.field
    return {
        "layer": layer.name,
        "kind": layer.kind,
        "shape": list(layer.shape),
        "receptive_field": list(field.extent) if field else None,
        "jump": list(field.jump) if field else None,
        "start": list(field.start) if field else None,
    }


def describe_scale(scale: Scale) -> dict[str, Any]:
    """Return which values are black and white, and how those between are spread."""
    black = -scale.limit if scale.signed else 0.0
    return {"black": black, "white": scale.limit, "steps": scale.steps}


def describe_array(values: Values) -> dict[str, float]:
    """Return minimum, maximum, mean and the share of values above 0."""
    return {
        "minimum": float(values.min()),
        "maximum": float(values.max()),
        "mean": float(values.mean(dtype=float)),
        "positive": float((values > 0).mean()),
    }
