"""Repairs of the input: its size, its channels, the order of its numbers."""

from collections.abc import Callable, Iterator

from calculator.layers.convolutions import TransposedConv
from calculator.layers.dense import Dense
from calculator.layers.joins import Add, Concat
from calculator.layers.resizing import PixelShuffle, Upsample
from calculator.layers.shapes import Shape, render_shape
from calculator.teaching.doctor.cases import SLIDING, Case, Trials
from calculator.teaching.doctor.drafts import put_padding
from calculator.teaching.doctor.repairs import Repair, propose

# sizes that are taken for one another: digits (LeCun et al. 1998 padded 28 to 32), AlexNet's
# pictures (227 where the paper prints 224), and Inception's
USUAL = {28: (32,), 32: (28, 224), 64: (224,), 224: (227, 299), 227: (224,), 299: (224,)}
LARGEST_SIZE = 2048
FACTORS = (2, 4, 8, 16, 32, 64)  # one more for each pooling on the way down
JOINS = (Add, Concat)
ENLARGING = (TransposedConv, Upsample, PixelShuffle)
CONVERSIONS = {(1, 3): "repeat the grey channel", (3, 1): "convert to grey", (4, 3): "drop alpha"}


def repair_input(case: Case, trials: Trials) -> Iterator[Repair]:
    """Propose other inputs, the plainest slips first."""
    yield from reorder(case)
    yield from exchange_channels(case)
    yield from use_usual(case, trials)
    yield from use_divisible(case, trials)
    yield from find_size(case, trials)


def swap(case: Case, name: str, *, shape: Shape, **values: object) -> Repair:
    """Propose another input."""
    given = render_shape(case.draft.network.input)
    text = case.draft.put_input(shape)
    return propose(name, text, values={"given": given, "shape": render_shape(shape), **values})


def reorder(case: Case) -> Iterator[Repair]:
    """Propose channels first, no batch, and channels where there are none."""
    shape = case.draft.network.input
    if len(shape) == 3 and shape[-1] in (1, 3, 4) and shape[0] > 4:
        yield swap(case, "channels_last", shape=(shape[-1], *shape[:-1]))
    if len(shape) == 4:
        yield swap(case, "batch_in_input", shape=shape[1:], batch=shape[0])
    if len(shape) == 2 and shape[0] > 4:
        for channels in (1, 3):
            yield swap(case, "channel_missing", shape=(channels, *shape))


def exchange_channels(case: Case) -> Iterator[Repair]:
    """Propose the channels that a layer states."""
    shape, wanted = case.draft.network.input, case.stated
    if wanted is None or isinstance(case.layer, Dense) or case.inputs[0][0] != shape[0]:
        return
    how = CONVERSIONS.get((shape[0], wanted), f"{wanted} channels")
    values = {"channels": wanted, "conversion": how, "layer": case.node.name}
    yield swap(case, "input_channels", shape=(wanted, *shape[1:]), **values)


def use_usual(case: Case, trials: Trials) -> Iterator[Repair]:
    """Propose a usual size, and the padding of the first layer that has the same effect."""
    shape = case.draft.network.input
    if case.usual is not None and case.usual != shape:
        yield swap(case, "named_input", shape=case.usual)
    if len(set(shape[1:])) != 1:
        return
    for size in USUAL.get(shape[1], ()):
        if case.stated is None and max(size, shape[1]) > 1.5 * min(size, shape[1]):
            continue  # any larger input fits a window: that another does is no evidence
        usual = (shape[0], *(size for _ in shape[1:]))
        repair = swap(case, "usual_input", shape=usual)
        if trials.fits(repair.text):
            yield repair
            yield from pad_first(case, size)


def pad_first(case: Case, usual: int) -> Iterator[Repair]:
    """Propose the padding on the first layer that stands in for a larger input."""
    size, layer = case.draft.network.input[1], case.draft.network.nodes[0].layer
    if not isinstance(layer, SLIDING) or layer.padding != ((0, 0),) or (usual - size) % 2:
        return
    if 0 < usual - size <= min(layer.kernel):
        padding = (usual - size) // 2
        item = put_padding(case.draft.get_item(0), str(padding))
        sizes = {"size": f"{size}x{size}", "usual": f"{usual}x{usual}"}
        values = {"padding": padding, "layer": case.get_name(0), **sizes}
        yield propose("usual_padding", case.draft.replace({0: item}), values=values)


def use_divisible(case: Case, trials: Trials) -> Iterator[Repair]:
    """Propose sizes that poolings halve without rounding, so that doubling brings them back."""
    shape = case.draft.network.input
    enlarging = any(isinstance(case.get_layer(i), ENLARGING) for i in case.path)
    if not isinstance(case.layer, JOINS) or not enlarging or len(shape) == 1:
        return
    smaller = [(shape[0], *(n // f * f for n in shape[1:])) for f in FACTORS]
    larger = [(shape[0], *(-(-n // f) * f for n in shape[1:])) for f in FACTORS]
    fitting = [
        next((s for s in shapes if 0 not in s and trials.fits(case.draft.put_input(s))), None)
        for shapes in (smaller, larger)
    ]
    found = list(dict.fromkeys(other for other in fitting if other not in (None, shape)))
    if found:
        other = "".join(f", or {render_shape(other)}" for other in found[1:] if other)
        yield swap(case, "divisible_input", shape=found[0] or shape, other=other)


def find_size(case: Case, trials: Trials) -> Iterator[Repair]:
    """Propose the smallest size of which every layer gets enough."""
    shape = case.draft.network.input
    if isinstance(case.layer, JOINS):
        return  # branches meet at some tiny size by chance, and then at that one only
    if len(shape) == 1 or (case.stated is not None and not isinstance(case.layer, Dense)):
        return
    longest = max(shape[1:])

    def scale(size: int) -> Shape:
        return (shape[0], *(-(-side * size // longest) for side in shape[1:]))

    size = bisect(lambda size: is_enough(trials, case.draft.put_input(scale(size))))
    if size is not None and scale(size) != shape:
        yield swap(case, "fitting_input", shape=scale(size))


def is_enough(trials: Trials, text: str) -> bool:
    """Return whether a line fits, or fails only since more than is stated arrives."""
    run = trials.run(text)
    if run is None:
        return False
    case = Case(*run)
    if case.trial.failed is None:
        return True
    return isinstance(case.layer, Dense) and 0 < (case.stated or 0) < case.inputs[0][0]


def bisect(is_large: Callable[[int], bool]) -> int | None:
    """Return the smallest size that is large enough; None where none up to the largest is."""
    low, high = 0, LARGEST_SIZE
    if not is_large(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_large(middle) else (middle, high)
    return high
