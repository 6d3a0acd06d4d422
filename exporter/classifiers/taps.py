"""Layers' outputs and the first filters as outputs of a model, and what its file says of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import TensorProto, ValueInfoProto, helper
from torch import Tensor, nn

from exporter.classifiers.geometry import Pair
from exporter.classifiers.layers import view
from exporter.classifiers.writing import Tap, Writing

BEFORE, AFTER = "filters/before", "filters/after"
Filters = Mapping[str, str | None]


def name_taps(writing: Writing, *, last: bool) -> tuple[Tap, ...]:
    """Give the tensors behind each layer the layers' names.

    Args:
        writing: its nodes' inputs and outputs are renamed.
        last: whether the last layer is shown, too; a classifier's probabilities tell its logits.
    """
    shown = writing.taps if last else writing.taps[:-1]
    names = {tap.tensor: tap.name for tap in shown}
    for node in writing.nodes:
        for field in (node.input, node.output):
            for position, tensor in enumerate(field):
                field[position] = names.get(tensor, tensor)
    return tuple(Tap(tap.name, tap.kind, tap.name, tap.geometry) for tap in shown)


def show_filters(writing: Writing, initials: Mapping[str, Tensor], net: nn.Module) -> Filters:
    """Add the first layer's filters, before and after training, as constants to give out.

    Args:
        writing: grows.
        initials: weights before training by name; those of the first layer may be missing.
        net: the network.

    Returns:
        ``before``, None where they are not known, and ``after``.
    """
    name, first = next((n, m) for n, m in net.named_modules() if isinstance(m, nn.Conv2d))
    initial = initials.get(f"{name}.weight")
    arrays = {BEFORE: None if initial is None else view(initial), AFTER: view(first.weight)}
    for output, array in arrays.items():
        if array is not None:
            stored = writing.store(f"{output}/values", array, TensorProto.FLOAT)
            writing.nodes.append(helper.make_node("Identity", [stored], [output], output))
    return {"before": None if initial is None else BEFORE, "after": AFTER}


def describe_taps(taps: Sequence[Tap], filters: Filters) -> dict[str, Any]:
    """Return what ``impasto.taps`` says: each output's layer and receptive field, in pixels."""
    outputs = [
        {
            "name": tap.name,
            "kind": tap.kind,
            "receptive_field": to_list(tap.geometry.extent),
            "jump": to_list(tap.geometry.jump),
            "start": to_list(tap.geometry.start),
            "shape": list(tap.geometry.shape),
        }
        for tap in taps
    ]
    return {"outputs": outputs, "filters": dict(filters)}


def to_list(pair: Pair | None) -> list[int] | None:
    """Return a pair as JSON has it; None stays None."""
    return None if pair is None else list(pair)


def describe_shown(writing: Writing, taps: Sequence[Tap], filters: Filters) -> list[ValueInfoProto]:
    """Return the outputs of layers and filters."""
    names = [name for name in filters.values() if name]
    return [*map(describe_tap, taps), *(describe_filter(writing, name) for name in names)]


def describe_tap(tap: Tap) -> ValueInfoProto:
    """Return the output of one layer, float32 ``[N, C, H, W]`` or ``[N, F]``."""
    words = f"What layer {tap.name} returns, behind its activation."
    shape: list[str | int | None] = ["N", *tap.geometry.shape]
    return helper.make_tensor_value_info(tap.tensor, TensorProto.FLOAT, shape, doc_string=words)


def describe_filter(writing: Writing, name: str) -> ValueInfoProto:
    """Return an output of filters, float32 ``[K, C, height, width]``."""
    words = f"The first layer's filters {name.rpartition('/')[2]} training."
    shape = list(writing.weights[f"{name}/values"].values.shape)
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape, doc_string=words)
