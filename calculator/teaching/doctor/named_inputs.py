"""Layers of a named network that another input than the usual one makes different."""

from collections.abc import Iterator

from calculator.layers.shapes import Shape, render_shape
from calculator.network import Network
from calculator.reading.grammar import read_network
from calculator.reading.networks import NETWORKS, describe_network
from calculator.summary import Report, Row, summarize
from calculator.teaching.doctor.input_repairs import CONVERSIONS
from calculator.teaching.doctor.remarks import Remark
from calculator.teaching.doctor.sentences import REMARKS, say

MOST_CHANGES = 3  # layers that are named
MOST_MARGIN = 8  # positions of zeros that change a picture little


def list_changes(name: str, report: Report) -> list[Remark]:
    """Return the layers whose parameters are others than with the usual input.

    Args:
        name: what the network was called; nothing is known of the input of others.
        report: of the network with its input.
    """
    if name not in NETWORKS or report.network.input == NETWORKS[name][0]:
        return []
    usual = summarize(read_usual(name))
    if len(usual.rows) != len(report.rows):
        return []
    return list(compare(report, usual))[:MOST_CHANGES]


def read_usual(name: str) -> Network:
    """Return a named network with its usual input."""
    return read_network(describe_network(name), name=name)


def compare(report: Report, usual: Report) -> Iterator[Remark]:
    """Yield a remark for each layer that gets another number of channels or features."""
    for row, other in zip(report.rows, usual.rows, strict=True):
        if row.params != other.params and row.inputs[0][0] != other.inputs[0][0]:
            yield remark(row, other, given=report.network.input, usual=usual.network.input)


def remark(row: Row, other: Row, *, given: Shape, usual: Shape) -> Remark:
    """Return what is to be said of one layer."""
    arriving, wanted = row.inputs[0], other.inputs[0]
    values = {
        "layers": row.node.name,
        "arriving": arriving[0],
        "wanted": wanted[0],
        "what": "features" if len(arriving) == 1 else "channels",
        "usual": render_shape(usual),
        "remedy": find_remedy(given, usual, flat=len(arriving) == 1),
    }
    return Remark("other_input", (row.node.name,), say(REMARKS["other_input"], **values))


def find_remedy(given: Shape, usual: Shape, *, flat: bool) -> str:
    """Return what makes the usual input of another.

    Args:
        given: the input.
        usual: that of the network.
        flat: whether features are wrong, which sizes decide first, and not channels.
    """
    if given[0] != usual[0] and not (flat and given[1:] != usual[1:]):
        return CONVERSIONS.get((given[0], usual[0]), f"give {usual[0]} channels")
    rests = {want - have for have, want in zip(given[1:], usual[1:], strict=False)}
    rest = rests.pop() if len(rests) == 1 and len(given) == len(usual) else 0
    small = 0 < rest <= MOST_MARGIN and rest % 2 == 0
    padding = f"pad by {rest // 2} on every side or " if small else ""
    return f"{padding}resize to {render_shape(usual[1:])}"
