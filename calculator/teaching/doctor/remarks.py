"""What is valid in a network and probably not meant."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from calculator.layers.base import Layer
from calculator.layers.convolutions import Conv
from calculator.layers.dense import Dense, Flatten
from calculator.layers.pointwise import Activation, BatchNorm, Dropout, InstanceNorm
from calculator.layers.pools import AdaptivePool, GlobalPool, Pool
from calculator.layers.resizing import Pad, Upsample
from calculator.layers.shapes import Shape, Window, render_shape
from calculator.network import INPUT
from calculator.summary import Report, Row
from calculator.teaching.doctor.sentences import REMARKS, say

MOST_REMARKS = 6
MOST_NAMES = 4  # layers that one remark lists
DENSE_SHARE = 90  # percent of all parameters in one dense layer
SQUASHING = ("relu", "relu6", "sigmoid", "hardsigmoid", "tanh")  # before softmax
LINEAR = (Flatten, Dropout, BatchNorm, Upsample)  # layers through which linear stays linear


@dataclass(frozen=True)
class Remark:
    """Something suspicious about some layers.

    Args:
        name: key of ``REMARKS``.
        layers: names of the layers.
        sentence: the whole sentence.
    """

    name: str
    layers: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class Finding:
    """Something suspicious about one layer; findings of one name and values are one remark.

    Args:
        name: key of ``REMARKS``.
        layer: its name.
        values: of the sentence.
        amount: summed over the layers, under the name ``params``; 0 for nothing to sum.
    """

    name: str
    layer: str
    values: tuple[tuple[str, object], ...] = ()
    amount: int = 0


def list_remarks(report: Report) -> list[Remark]:
    """Return what is suspicious, at most ``MOST_REMARKS``, the gravest kinds first.

    Args:
        report: of a network that fits.
    """
    groups: dict[tuple[str, tuple[tuple[str, object], ...]], list[Finding]] = {}
    for check in CHECKS:
        for row in report.rows:
            for finding in check(row, report):
                groups.setdefault((finding.name, finding.values), []).append(finding)
    return [join(findings) for findings in list(groups.values())[:MOST_REMARKS]]


def join(findings: list[Finding]) -> Remark:
    """Return one remark for layers of which the same is to be said."""
    first, names = findings[0], tuple(finding.layer for finding in findings)
    more = len(names) - MOST_NAMES
    shown = ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    values = {"params": f"{sum(finding.amount for finding in findings):,}", **dict(first.values)}
    return Remark(first.name, names, say(REMARKS[first.name], layers=shown, **values))


def find(name: str, row: Row, *, amount: int = 0, **values: object) -> Finding:
    """Return a finding."""
    return Finding(name, row.node.name, tuple(values.items()), amount)


def get_before(row: Row, report: Report) -> Row | None:
    """Return the layer in front, dropout left out; None at the input."""
    source = row.node.inputs[0]
    while source != INPUT and isinstance(report.rows[source].node.layer, Dropout):
        source = report.rows[source].node.inputs[0]
    return None if source == INPUT else report.rows[source]


def is_softmax(layer: Layer) -> bool:
    """Return whether a layer is softmax."""
    return isinstance(layer, Activation) and layer.function == "softmax"


def check_softmax(row: Row, report: Report) -> Iterator[Finding]:
    """Look at what stands before softmax, and behind it."""
    if not is_softmax(row.node.layer):
        return
    before = get_before(row, report)
    if before is not None and before.node.layer.kind in SQUASHING:
        yield find("squashed", row, before=before.node.layer.kind)
    if before is not None and is_softmax(before.node.layer):
        yield find("softmax_twice", row)
    behind = report.rows[report.rows.index(row) + 1 :]
    if any(isinstance(other.node.layer, (Conv, Dense)) for other in behind):
        yield find("softmax_inside", row)


def check_linear(row: Row, report: Report) -> Iterator[Finding]:
    """Look for two linear layers with nothing that bends between them."""
    if not isinstance(row.node.layer, (Conv, Dense)):
        return
    source = row.node.inputs[0]
    while source != INPUT and is_linear(report.rows[source].node.layer):
        source = report.rows[source].node.inputs[0]
    if source == INPUT:
        return
    before = report.rows[source].node
    alike = isinstance(before.layer, (Conv, Dense)) and before.layer.kind == row.node.layer.kind
    grouped = any(
        isinstance(layer, Conv) and layer.groups > 1 for layer in (before.layer, row.node.layer)
    )
    if alike and not grouped:
        yield find("linear", row, before=before.name)


def is_linear(layer: Layer) -> bool:
    """Return whether what passes a layer keeps being linear in what came before."""
    return isinstance(layer, LINEAR) or (isinstance(layer, Pool) and layer.mode == "avg")


def check_bias(row: Row, report: Report) -> Iterator[Finding]:
    """Look for a bias that normalisation subtracts (Ioffe and Szegedy 2015, section 3.2)."""
    if not isinstance(row.node.layer, (BatchNorm, InstanceNorm)):
        return
    source = row.node.inputs[0]
    before = None if source == INPUT else report.rows[source].node
    if before is None or not isinstance(before.layer, (Conv, Dense)) or not before.layer.bias:
        return
    users = sum(source in other.node.inputs for other in report.rows)
    if users == 1:
        channels = report.rows[source].derived.shape[0]
        yield Finding("idle_bias", before.name, (("norm", row.node.layer.kind),), channels)


def check_window(row: Row, report: Report) -> Iterator[Finding]:
    """Look for positions that are never read, and weights that never meet the picture."""
    window, layer = row.derived.window, row.node.layer
    if window is None or not isinstance(layer, (Conv, Pool)):
        return
    shape, kernel, stride = row.inputs[0], window.kernel[0], window.stride[0]
    reach = window.dilation[0] * (kernel - 1) + 1
    alone = sum(row.node.inputs[0] in other.node.inputs for other in report.rows) == 1
    if stride > reach and alone:
        yield find("gaps", row, stride=stride, kernel=kernel)
    elif alone and not is_padding(row, report):
        yield from check_rest(row, shape, window=window)
    yield from check_pool(row, window)
    before, after = window.padding[0]
    if isinstance(layer, Conv) and max(before, after) >= reach:
        yield find("blind_padding", row, padding=max(before, after), kernel=kernel)
    elif isinstance(layer, Conv) and reach > max(shape[1:]):
        yield find("large_kernel", row, kernel=kernel, map=render_shape(shape[1:]))
    if isinstance(layer, Conv) and layer.padding == "same" and before != after and stride == 1:
        yield find("lopsided", row, before=before, after=after)


def check_pool(row: Row, window: Window) -> Iterator[Finding]:
    """Look for padding that ``torch.nn.MaxPool2d`` refuses: more than half of the window."""
    layer = row.node.layer
    if not isinstance(layer, Pool) or layer.padding == "same":
        return
    for kernel, dilation, borders in zip(
        window.kernel, window.dilation, window.padding, strict=True
    ):
        reach = dilation * (kernel - 1) + 1
        if 2 * max(borders) > reach:
            shown = {"padding": max(borders), "kernel": reach, "half": reach // 2}
            yield find("pool_padding", row, **shown)
            return


def is_padding(row: Row, report: Report) -> bool:
    """Return whether the layer in front only pads, so that what is left out may be padding."""
    source = row.node.inputs[0]
    return source != INPUT and isinstance(report.rows[source].node.layer, Pad)


def check_rest(row: Row, shape: Shape, *, window: Window) -> Iterator[Finding]:
    """Look for rows at the end of the input that floor leaves out; padding left out is no loss."""
    for axis, derivation in enumerate(row.derived.sizes):
        before, after = window.padding[axis]
        rest = sum(rest for way, rest, _ in derivation.list_rounding() if way == "floor")
        if rest > after:
            name = "dropped" if rest == after + 1 else "dropped_several"
            # one window more, begun in the rest and ended in further padding
            more = f"padding {before}:{after + window.stride[axis] - rest}"
            remedy = "ceil" if isinstance(row.node.layer, Pool) else more
            size = shape[1 + axis]
            yield find(name, row, rows=rest - after, size=size, remedy=remedy)
            return


def check_share(row: Row, report: Report) -> Iterator[Finding]:
    """Look for a dense layer that holds nearly all parameters."""
    total = report.params
    if isinstance(row.node.layer, Dense) and total and len(report.rows) > 1:
        percent = 100 * row.params // total
        several = sum(other.params > 0 for other in report.rows) > 1
        if percent >= DENSE_SHARE and several:
            yield find("dense", row, percent=percent, params=f"{total:,}")


def check_field(row: Row, report: Report) -> Iterator[Finding]:
    """Look for units that are averaged over the picture and have seen little of it."""
    layer = row.node.layer
    whole = isinstance(layer, GlobalPool) or (
        isinstance(layer, AdaptivePool) and set(layer.size) == {1}
    )
    if not whole or (source := row.node.inputs[0]) == INPUT:
        return
    fields = report.rows[source].fields
    sizes = report.network.input[1:]
    if fields is not None and len(fields) == len(sizes):
        field, size = max(one.extent for one in fields), min(sizes)
        if 2 * field < size:
            yield find("field", row, field=field, size=size)


Check = Callable[[Row, Report], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    check_softmax,
    check_linear,
    check_window,
    check_bias,
    check_field,
    check_share,
)
