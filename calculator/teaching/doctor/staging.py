"""A network made to fail as a framework's error says: with another input, or stated numbers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.layers.dense import Dense
from calculator.layers.joins import Add, Concat
from calculator.layers.pointwise import BatchNorm
from calculator.layers.pools import Pool, Subsample
from calculator.layers.resizing import Pad, PixelShuffle
from calculator.layers.shapes import Shape
from calculator.reading.networks import NETWORKS, describe_network
from calculator.teaching.doctor.cases import Case, Trials, expand
from calculator.teaching.doctor.complaints import Complaint
from calculator.teaching.doctor.drafts import Draft, put_option, read_draft
from calculator.teaching.doctor.input_repairs import USUAL
from calculator.teaching.doctor.readings import find_row, read_product

EFFORT = 3_000  # layers that are run to find the failure
MOST_GUESSES = 3  # named networks that are tried
MOST_STATEMENTS = 8  # layers that may be the one of the error


@dataclass(frozen=True)
class Stage:
    """A network that fails as the error says.

    Args:
        case: the line and where it fails.
        input_given: whether the input is another than the network's own.
    """

    case: Case
    input_given: bool


def stage(complaint: Complaint, draft: Draft, *, effort: int = EFFORT) -> Stage | None:
    """Make a network fail as an error says; None where no usual input does.

    Args:
        complaint: the error.
        draft: the network as it is described.
        effort: layers that may be run.
    """
    if complaint.name not in AGREEMENTS:
        return None
    trials, own = Trials(effort), draft.network.input
    for shape in list_inputs(complaint, own):
        text = draft.text if shape == own else draft.put_input(shape)
        for stated in (text, *list_statements(complaint, read_draft(text))):
            run = trials.run(stated)
            if run is None or run[1].failed is None:
                continue
            case = Case(*run)
            if AGREEMENTS[complaint.name](complaint, case):
                return Stage(case, shape != own)
    return None


def list_inputs(complaint: Complaint, own: Shape) -> Iterator[Shape]:
    """Yield the network's own input, that of the error, and the usual ones."""
    yield own
    given = complaint.numbers.get("given", ())
    if (
        complaint.name in ("channels", "reflection")
        and len(given) == len(own) + 1
        and min(given) > 0
    ):
        yield given[1:]
    sizes = dict.fromkeys((*USUAL.get(own[-1], ()), *USUAL))
    for channels in dict.fromkeys((own[0], 1, 3)):
        for size in sizes:
            shape = (channels, *(size for _ in own[1:]))
            if shape != own:
                yield shape


def list_statements(complaint: Complaint, draft: Draft) -> Iterator[str]:
    """Yield lines in which one layer states what the error says it was made for."""
    kinds: dict[str, tuple[type, ...]] = {
        "product": (Dense,),
        "channels": (Conv, TransposedConv),
        "norm": (BatchNorm,),
        "view": (Dense,),
    }
    wanted, meant = find_wanted(complaint), kinds.get(complaint.name, ())
    positions = [
        position
        for position, node in enumerate(draft.network.nodes)
        if isinstance(node.layer, meant) and is_meant(complaint, node.layer)
    ]
    for position in positions[:MOST_STATEMENTS] if wanted > 0 else ():
        item = put_option(draft.get_item(position), "in", value=str(wanted))
        yield draft.replace({position: item})


def find_wanted(complaint: Complaint) -> int:
    """Return the channels or features that the error says a layer was made for."""
    if complaint.name == "product":
        return read_product(complaint)[2]
    if complaint.name == "view":
        return find_row(complaint)
    return complaint.get("stated") or complaint.get("wanted")


def is_meant(complaint: Complaint, layer: object) -> bool:
    """Return whether a layer has the outputs that the error's weights have, where it has any."""
    weight = complaint.numbers.get("weight", ())
    if isinstance(layer, Dense):
        return len(weight) < 2 or layer.units == weight[-1]
    if isinstance(layer, Conv):
        return len(weight) < 3 or (layer.filters == weight[0] and layer.kernel[0] == weight[2])
    return True


def agree_product(complaint: Complaint, case: Case) -> bool:
    """Compare features; of a picture that is not flat, the last size stands in the error."""
    _, arriving, wanted = read_product(complaint)
    if not isinstance(case.layer, Dense) or case.layer.inputs not in (wanted, None):
        return False
    return case.inputs[0][-1] == arriving


def agree_view(complaint: Complaint, case: Case) -> bool:
    """Compare the row that is asked for, and whether whole samples make the values."""
    values, arriving = complaint.get("values"), case.inputs[0][0]
    return case.stated == find_row(complaint) and values > 0 and values % arriving == 0


def agree_channels(complaint: Complaint, case: Case) -> bool:
    """Compare what is stated and what arrives."""
    return case.stated == find_wanted(complaint) and case.inputs[0][0] == complaint.get("arriving")


def agree_window(complaint: Complaint, case: Case) -> bool:
    """Compare kernel and padded map."""
    layer, shape = case.layer, case.inputs[0]
    if not isinstance(layer, (Conv, DepthwiseConv, Pool, Subsample)):
        return False
    padding = getattr(layer, "padding", ((0, 0),))
    borders = expand(tuple(sum(pair) for pair in padding), len(shape) - 1)
    if len(borders) != len(shape) - 1:
        return False
    padded = tuple(size + border for size, border in zip(shape[1:], borders, strict=True))
    wanted = complaint.numbers.get("size", ())
    kernel = expand(layer.kernel, len(shape) - 1)
    pairs = zip(kernel, padded, strict=False)
    if len(wanted) == 1:  # TensorFlow names one axis
        return (complaint.get("kernel"), wanted[0]) in pairs
    return padded == wanted and kernel == complaint.numbers.get("kernel")


def agree_pool(complaint: Complaint, case: Case) -> bool:
    """Compare the whole input of a pooling."""
    return isinstance(case.layer, (Pool, Subsample)) and case.inputs[0] == (
        complaint.numbers.get("given")
    )


def agree_branches(complaint: Complaint, case: Case) -> bool:
    """Compare the sizes of branches along the axis of the error, or along any."""
    if not isinstance(case.layer, Add if complaint.name == "sum" else Concat):
        return False
    sizes = {complaint.get("a"), complaint.get("b")}
    return any(sizes <= set(along) for along in zip(*case.inputs, strict=False))


def agree_reflection(complaint: Complaint, case: Case) -> bool:
    """Compare the map in front of a reflecting pad."""
    given = complaint.numbers.get("given", ())
    return isinstance(case.layer, Pad) and case.inputs[0] == given[-len(case.inputs[0]) :]


def agree_pool_padding(complaint: Complaint, case: Case) -> bool:
    """Compare the window of a pooling."""
    return isinstance(case.layer, Pool) and case.layer.kernel[0] == complaint.get("kernel")


def agree_shuffle(complaint: Complaint, case: Case) -> bool:
    """Compare the channels in front of a pixel shuffle."""
    return isinstance(case.layer, PixelShuffle) and case.inputs[0][0] == complaint.get("channels")


def agree_rank(_: Complaint, case: Case) -> bool:
    """Accept a window behind flatten."""
    return len(case.inputs[0]) == 1 and not isinstance(case.layer, Dense)


AGREEMENTS: dict[str, Callable[[Complaint, Case], bool]] = {
    "product": agree_product,
    "channels": agree_channels,
    "norm": agree_channels,
    "view": agree_view,
    "window": agree_window,
    "pool": agree_pool,
    "sum": agree_branches,
    "concat": agree_branches,
    "reflection": agree_reflection,
    "pool_padding": agree_pool_padding,
    "shuffle": agree_shuffle,
    "rank": agree_rank,
}


def guess_network(complaint: Complaint) -> tuple[str, Stage] | None:
    """Find the named network whose dense layer an error speaks of, made to fail as it says."""
    weight = complaint.numbers.get("weight", ())
    if complaint.name != "product" or len(weight) != 2:
        return None
    trials, guesses = Trials(EFFORT), 0
    for name in NETWORKS:
        line = describe_network(name)
        run = trials.run(line) if f"fc {weight[1]}" in line else None
        if run is None or guesses == MOST_GUESSES or not has_dense(Case(*run), weight):
            continue
        guesses += 1
        found = stage(complaint, run[0], effort=EFFORT // MOST_GUESSES)
        if found is not None:
            return name, found
    return None


def has_dense(case: Case, weight: tuple[int, ...]) -> bool:
    """Return whether a network that fits has a dense layer of these weights."""
    shapes, nodes = case.trial.shapes, case.draft.network.nodes
    return any(
        isinstance(node.layer, Dense) and (*shapes[node.inputs[0]], node.layer.units) == weight
        for node in nodes
    )
