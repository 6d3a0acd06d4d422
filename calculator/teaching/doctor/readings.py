"""What the numbers of a framework's error say by themselves, without the network."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isqrt, prod

from calculator.teaching.doctor.complaints import Complaint
from calculator.teaching.doctor.meanings import CAUSES, FACTS, PROBLEMS
from calculator.teaching.doctor.sentences import say

DIMENSIONS = {0: "batch", 1: "channels", 2: "height", 3: "width"}
MOST_SIDE = 1000  # of a map
Values = dict[str, object]
Reading = Iterator[tuple[str, Values]]  # names of facts and causes, the likeliest first


@dataclass(frozen=True)
class Meaning:
    """An error in plain words.

    Args:
        problem: what its numbers are.
        facts: how they hang together.
        causes: why and what to do, the likeliest first.
    """

    problem: str
    facts: tuple[str, ...]
    causes: tuple[tuple[str, str], ...]


def explain(complaint: Complaint) -> Meaning:
    """Say what an error means and why it may have come.

    Args:
        complaint: from :func:`calculator.teaching.doctor.complaints.recognise`.
    """
    values = list_values(complaint)
    reading = read_nothing if complaint.is_empty else READERS[complaint.name]
    found = [(choose_name(name, complaint), more) for name, more in reading(complaint)]
    facts = [say(FACTS[name], **{**values, **more}) for name, more in found if name in FACTS]
    causes = [render_cause(name, {**values, **more}) for name, more in found if name in CAUSES]
    return Meaning(say(PROBLEMS[complaint.name], **values), tuple(facts), tuple(causes))


def choose_name(name: str, complaint: Complaint) -> str:
    """Return the name of a cause as the framework of an error has it."""
    named = f"keras_{name}"
    return named if complaint.keras and named in CAUSES else name


def read_nothing(_: Complaint) -> Reading:
    """Read an empty tensor, of whose sizes nothing follows."""
    yield "empty", {}


def render_cause(name: str, values: Values) -> tuple[str, str]:
    """Return why and what to do."""
    why, fix = CAUSES[name]
    return say(why, **values), say(fix, **values)


def list_values(complaint: Complaint) -> Values:
    """Return an error's values by the names that its sentences use."""
    values: Values = {
        name: "x".join(map(str, numbers)) for name, numbers in complaint.numbers.items()
    }
    if complaint.name == "product":
        _, arriving, wanted = read_product(complaint)
        values |= {"arriving": arriving, "wanted": wanted}
    if complaint.name == "reflection":
        values |= {"padding": complaint.get("padding")}
    if complaint.name == "sum":
        axis = complaint.get("axis")
        values |= {"dimension": DIMENSIONS.get(axis, "size")}
    if complaint.name == "loss":
        values |= {name: f"({words})" for name, words in complaint.words.items()}
    if complaint.name == "view":
        values |= {"row": find_row(complaint)}
    return values


def read_product(complaint: Complaint) -> tuple[int, int, int]:
    """Return rows and features of what arrives, and the features that the weights take."""
    given, weight = complaint.numbers.get("given", (0,)), complaint.numbers.get("weight", (0,))
    return (given[0] if len(given) > 1 else 0), given[-1], weight[0]


def read_dense(complaint: Complaint) -> Reading:
    """Read a matrix product whose inner sizes differ."""
    rows, arriving, wanted = read_product(complaint)
    given = complaint.numbers.get("given", ())
    if complaint.keras and len(given) > 1 and wanted in (prod(given), prod(given[1:])):
        yield "unflattened", {}
    elif min(arriving, wanted) < 1:
        yield "features", {}
    elif rows == wanted and (arriving == 1 or wanted % arriving):
        yield "turned", {}
    elif rows and wanted % arriving == 0 and rows * arriving % wanted == 0:
        yield "rows", {"rows": rows, "batch": rows * arriving // wanted}
        yield "unflattened", {}
    elif rows == 1 and arriving > wanted and arriving % wanted == 0:
        yield "batch", {"batch": arriving // wanted}
        yield "batch_flattened", {"batch": arriving // wanted}
    else:
        yield from read_maps(arriving, wanted)
        yield "features", {}


def read_maps(arriving: int, wanted: int) -> Reading:
    """Read two numbers of features as maps of one number of channels."""
    if (maps := find_maps(arriving, wanted)) is not None:
        channels, arrived, expected = maps
        values: Values = {"channels": channels, "map": arrived, "side": expected}
        yield "maps", values
        yield ("smaller_map" if arrived < expected else "larger_map"), values


def find_maps(arriving: int, wanted: int) -> tuple[int, int, int] | None:
    """Return the most channels with which both numbers are square maps, and the maps' sides.

    256 and 400 are 16 channels of 4x4 and of 5x5.
    """
    if arriving == wanted or min(arriving, wanted) < 1:
        return None
    for side in range(1, min(isqrt(arriving), MOST_SIDE) + 1):
        channels, rest = divmod(arriving, side * side)
        area, other = divmod(wanted, channels)
        if not rest and not other and isqrt(area) ** 2 == area and max(side, area) > 1:
            return channels, side, isqrt(area)
    return None


def read_channels(complaint: Complaint) -> Reading:
    """Read a convolution with other channels than it was made for."""
    wanted, arriving = complaint.get("wanted"), complaint.get("arriving")
    given = complaint.numbers.get("given", ())
    pictures = {(1, 3): "colour", (3, 1): "grey", (3, 4): "alpha", (1, 4): "colour"}
    if complaint.keras and len(given) > 2 and given[-3] == wanted != arriving:
        yield "channels_first", {"order": "(0, 2, 3, 1)"}
    elif len(given) > 2 and given[-1] == wanted and given[-1] != given[1]:
        yield "channels_last", {}
    elif (wanted, arriving) in pictures:
        yield pictures[wanted, arriving], {}
        yield "first_channels", {}
    elif not complaint.keras and wanted in (1, 3) and given[:2] == (1, arriving):
        yield "no_channels", {}
    else:
        yield "in_channels", {}


def read_window(_: Complaint) -> Reading:
    """Read a window that is larger than its map."""
    yield "small_input", {}
    yield "poolings", {}


def read_rank(complaint: Complaint) -> Reading:
    """Read an input with too few or too many dimensions."""
    given = complaint.numbers.get("given", ())
    flat = len(given) == 2 and (given[0] < 8 or given[0] != given[1])
    yield from (("spatial", {}), ("dimensions", {})) if flat else (("dimensions", {}),)


def read_layer_rank(complaint: Complaint) -> Reading:
    """Read an input of Keras with too few or too many axes; channels are the last of them."""
    axes, dimensions = complaint.get("axes"), complaint.get("dimensions")
    given = complaint.numbers["given"]
    open_batch = complaint.words["given"].lstrip().startswith("None")
    if dimensions > axes:
        yield "surplus_axes", {}
    elif axes - dimensions == 1 and (open_batch or given[-1] not in (1, 3, 4)) and axes > 2:
        yield "channel_axis", {}
    elif axes - dimensions == 1:
        yield "batch_axis", {}
    else:
        yield ("keras_spatial" if dimensions == 2 else "few_axes"), {}


def read_file_rank(complaint: Complaint) -> Reading:
    """Read an input of ONNX Runtime with too few or too many axes."""
    few = complaint.get("dimensions") < complaint.get("axes")
    yield ("few_axes" if few else "many_axes"), {}


def read_loss(complaint: Complaint) -> Reading:
    """Read labels and outputs of Keras that differ in shape."""
    classes, units = complaint.get("labels"), complaint.get("outputs")
    values: Values = {"classes": classes, "units": units}
    if complaint.words["labels"].count(",") != complaint.words["outputs"].count(","):
        yield "label_axes", values
    elif classes == 1:
        yield "whole_numbers", values
    else:
        yield ("one_hot" if units == 1 else "last_units"), values


def read_checkpoint(complaint: Complaint) -> Reading:
    """Read a parameter that the checkpoint has in another shape."""
    saved, wanted = complaint.numbers["saved"], complaint.numbers["wanted"]
    ends: Values = {"saved_last": saved[-1], "wanted_last": wanted[-1]}
    if len(saved) == len(wanted) == 2 and saved[0] == wanted[0]:
        if (maps := find_maps(saved[1], wanted[1])) is not None:
            values: Values = {"channels": maps[0], "map": maps[1], "side": maps[2], **ends}
            yield from (("saved_maps", values), ("other_maps", values))
    elif saved[1:] == wanted[1:]:
        yield "other_classes", {"saved_first": saved[0], "wanted_first": wanted[0]}
    yield "other_layers", {}


def read_rounding(large: int, small: int) -> Reading:
    """Read two sizes as one that was halved, rounded down, and doubled again."""
    factor = 2 ** (large - small).bit_length()
    if large > small > 0 and large // factor * factor == small:
        values: Values = {"large": large, "small": small, "half": small // factor, "factor": factor}
        yield "odd_size", {**values, "next": small + factor}


def read_sum(complaint: Complaint) -> Reading:
    """Read branches that do not meet."""
    large, small = sorted((complaint.get("a"), complaint.get("b")), reverse=True)
    if complaint.name == "sum" and complaint.get("axis") == 1:
        yield "projection", {}
    elif small and 2 * large > 3 * small:  # a stride of 2 or more, rounded somehow
        yield "strides", {"a": large, "b": small, "ratio": (large + small // 2) // small}
    else:
        yield from read_rounding(large, small)
        yield "margins", {"a": large, "b": small, "rest": large - small}


def read_view(complaint: Complaint) -> Reading:
    """Read a view whose rows do not divide the values."""
    values, row = complaint.get("values"), find_row(complaint)
    if row and values > row:
        yield "multiple", {"batch": values // row, "rest": values % row}
    yield "keep_batch", {}


def find_row(complaint: Complaint) -> int:
    """Return the values of one row of a view, the product of all sizes but the first."""
    return prod(complaint.numbers.get("wanted", (0,))[1:])


def read_batches(_: Complaint) -> Reading:
    """Read rows and labels of different number."""
    yield "split_batch", {}


def read_single(complaint: Complaint) -> Reading:
    """Read a batch of which there is no variance."""
    if complaint.numbers.get("given", (1,))[0] == 1:
        yield "one_sample", {}
    yield "training", {}


def read_label(complaint: Complaint) -> Reading:
    """Read a label without a unit."""
    yield "from_one", {}
    yield "classes", {"units": complaint.get("label") + 1}


def read_shuffle(complaint: Complaint) -> Reading:
    """Read channels that a pixel shuffle cannot gather."""
    block = max(1, complaint.get("block"))
    yield "shuffle", {"best": -(-complaint.get("channels") // block) * block}


def name_cause(name: str) -> Callable[[Complaint], Reading]:
    """Return a reader of an error with a single cause."""

    def read(complaint: Complaint) -> Reading:
        yield name, {"half": complaint.get("kernel") // 2}

    return read


READERS: dict[str, Callable[[Complaint], Reading]] = {
    "product": read_dense,
    "channels": read_channels,
    "window": read_window,
    "pool": read_window,
    "rank": read_rank,
    "layer_rank": read_layer_rank,
    "file_rank": read_file_rank,
    "loss": read_loss,
    "checkpoint": read_checkpoint,
    "sum": read_sum,
    "concat": read_sum,
    "norm": name_cause("norm"),
    "single": read_single,
    "reflection": name_cause("larger_picture"),
    "pool_padding": name_cause("half"),
    "view": read_view,
    "batches": read_batches,
    "label": read_label,
    "groups": name_cause("groups"),
    "shuffle": read_shuffle,
    "file": name_cause("fixed_file"),
}
