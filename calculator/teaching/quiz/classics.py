"""The problems of the fourth level: published networks, and questions asked backwards."""

from functools import cache

from calculator.arithmetic.expressions import Folded, Formula, floor
from calculator.arithmetic.formulas import K, S, window_size
from calculator.arithmetic.units import divide_rounded
from calculator.layers.convolutions import Conv
from calculator.layers.shapes import render_shape
from calculator.reading.sources import parse
from calculator.summary import Report, Row, summarize
from calculator.teaching.comparison import compare
from calculator.teaching.counting import Convention, find_conventions, list_conventions
from calculator.teaching.language import Message
from calculator.teaching.quiz.mistakes import H_OUT, MISTAKES, TWO, H, list_field_mistakes
from calculator.teaching.quiz.problems import (
    Draw,
    Maker,
    Option,
    Problem,
    count_option,
    list_wrong,
    to_message,
)
from calculator.teaching.quiz.questions import CONVENTIONS
from calculator.teaching.quiz.templates import describe_windows, list_field_steps, work_out
from calculator.teaching.solving import solve

TITLES = {
    "lenet5": "LeNet-5 (lenet5)",
    "alexnet": "AlexNet (alexnet)",
    "vgg16": "VGG-16 (vgg16)",
    "vgg11": "VGG-11 (vgg11)",
    "alexnet-torchvision": "AlexNet (alexnet-torchvision)",
    "caffe-lenet": "LeNet (caffe-lenet)",
    "simpleconvnet": "SimpleConvNet (simpleconvnet)",
}
LAYERS = (
    *(("lenet5", layer) for layer in ("conv1", "conv2", "fc1", "fc2", "fc3")),
    *(("alexnet", layer) for layer in ("conv1", "conv2", "conv3", "fc1", "fc3")),
    *(("vgg16", layer) for layer in ("conv1_1", "conv1_2", "conv2_1", "fc1", "fc3")),
)
FIELDS = (
    *(("lenet5", layer) for layer in ("conv2", "pool2")),
    *(("alexnet", layer) for layer in ("conv2", "pool2", "conv3")),
    *(("vgg16", layer) for layer in ("pool1", "conv2_1", "pool2")),
)
GROUPED = ("conv2", "conv4", "conv5")
COUNTED = ("lenet5", "alexnet", "vgg16")
MOST_PARAMS = ("lenet5", "alexnet", "vgg16", "vgg11", "alexnet-torchvision", "caffe-lenet")
MOST_MACS = ("lenet5", "alexnet", "alexnet-torchvision", "caffe-lenet")
# which convention is mistaken for which: (what was chosen, what was counted)
CONFUSED = {
    ("macs", "flops"): "macs-for-flops",
    ("flops", "macs"): "flops-for-macs",
    ("params", "weights"): "bias-counted",
    ("weights", "params"): "forgot-bias",
    ("bytes", "params"): "bytes-for-numbers",
    ("bytes", "weights"): "bytes-for-numbers",
    ("params", "bytes"): "four-bytes-forgotten",
    ("weights", "bytes"): "four-bytes-forgotten",
}
WORK = ("macs", "flops")
PADDING = Formula("p", floor(Folded((H_OUT - 1) * S) + K - H, TWO))


@cache
def report_on(name: str) -> Report:
    """Return the layer table of a named network."""
    return summarize(parse(name))


def find_row(report: Report, layer: str) -> Row:
    """Return a layer that is known to be there."""
    return next(row for row in report.rows if row.node.name == layer)


def ask_params(draw: Draw) -> Problem:
    """Ask for the parameters of a published layer."""
    network, layer = draw.pick(LAYERS)
    row = find_row(report_on(network), layer)
    kind, subject, values = describe_layer(network, row)
    worked = work_out(row.derived.params)
    sources = row.inputs[0] if kind != "classic_flat" else find_maps(network)
    return Problem(
        kind,
        {"title": TITLES[network], "layer": layer, "shape": render_shape(sources), **values},
        network,
        right=count_option(worked.value, worked.working),
        wrong=list_wrong(MISTAKES[subject], values),
        derivations=worked.derivations,
    )


def find_maps(network: str) -> tuple[int, ...]:
    """Return the shape that the network flattens."""
    return next(r.inputs[0] for r in report_on(network).rows if r.node.layer.kind == "flatten")


def describe_layer(network: str, row: Row) -> tuple[str, str, dict[str, int]]:
    """Return the kind of question, the table of mistakes and the values for a layer."""
    layer, (first, *sizes) = row.node.layer, row.inputs[0]
    output = row.derived.shape
    if isinstance(layer, Conv):
        values = {"C_in": first, "H": sizes[0], "H_out": output[1], "k": layer.kernel[0]}
        return "classic_conv", "conv_params", {**values, "C_out": layer.filters, "N": 1}
    if row.node.name != "fc1":
        return "classic_dense", "dense_params", {"F_in": first, "F_out": output[0], "N": 1}
    channels, height, _ = find_maps(network)
    # every one of these networks pools by 2 just before
    values = {"C": channels, "H_pool": height, "H": 2 * height, "F_out": output[0]}
    return "classic_flat", "flat_params", values


def ask_field(draw: Draw) -> Problem:
    """Ask for the receptive field of a published layer."""
    network, layer = draw.pick(FIELDS)
    report = report_on(network)
    end = report.rows.index(find_row(report, layer)) + 1
    windows = [r.derived.window for r in report.rows[:end] if r.derived.window is not None]
    values = {f"k{i}": window.kernel[0] for i, window in enumerate(windows, start=1)}
    values |= {f"s{i}": window.stride[0] for i, window in enumerate(windows, start=1)}
    steps = list_field_steps(report.rows[:end])
    worked = work_out(steps[-1])
    shown = describe_windows(report, layer)
    return Problem(
        "classic_field",
        {"title": TITLES[network], "layer": layer, "windows": shown},
        network,
        right=count_option(worked.value, worked.working),
        wrong=list_wrong(list_field_mistakes(len(windows)), values),
        derivations=steps,
    )


def ask_most_params(draw: Draw) -> Problem | None:
    """Ask for the layer with the most parameters."""
    return ask_most(draw.pick(MOST_PARAMS), "params", {"macs": "work-for-weights"})


def ask_most_macs(draw: Draw) -> Problem | None:
    """Ask for the layer with the most multiply-adds."""
    return ask_most(draw.pick(MOST_MACS), "macs", {"params": "weights-for-work"})


def ask_most(network: str, count: str, confused: dict[str, str]) -> Problem | None:
    """Ask for the layer with the most of a count; None where two layers have as much."""
    report = report_on(network)
    rows = [row for row in report.rows if row.params]
    rows.sort(key=lambda row: -int(getattr(row, count)))
    best, second, *_ = rows
    if getattr(best, count) == getattr(second, count):
        return None
    wrong = [(max(rows, key=lambda r: int(getattr(r, c))), key) for c, key in confused.items()]
    last = next(row for row in reversed(report.rows) if row.params)
    largest = max(rows, key=lambda row: row.activations.result)
    wrong += [(last, "last-layer"), (largest, "largest-output")]
    derivation = best.derived.params if count == "params" else best.derived.macs
    return Problem(
        f"most_{count}",
        {"title": TITLES[network], "shape": render_shape(report.network.input)},
        network,
        right=layer_option(best, count),
        wrong=tuple(layer_option(row, count, key) for row, key in wrong),
        derivations=(derivation,) if derivation else (),
    )


def layer_option(row: Row, count: str, misconception: str | None = None) -> Option:
    """Return a layer as an answer, with its count behind the scenes."""
    name = row.node.name
    shown = f"{name}: {int(getattr(row, count)):,}"
    return Option(to_message(name), None, shown, misconception)


def ask_saving(draw: Draw) -> Problem:
    """Ask what two groups save in one of AlexNet's convolutions."""
    layer = draw.pick(GROUPED)
    comparison = compare(report_on("alexnet"), report_on("alexnet-grouped"))
    difference = next(one for one in comparison.differences if one.name == layer)
    whole, halved = (find_row(r, layer) for r in (comparison.first, comparison.second))
    saved = -difference.change("params")
    values = {"C_in": whole.inputs[0][0], "C_out": whole.derived.shape[0], "g": 2}
    values["k"] = find_kernel(whole)
    terms = f"{whole.params:,} - {halved.params:,}"
    parts = (whole.derived.params, halved.derived.params)
    return Problem(
        "group_saving",
        {"layer": layer, **values},
        "alexnet-grouped",
        right=count_option(saved, f"{terms} = {saved:,}"),
        wrong=list_wrong(MISTAKES["group_saving"], values),
        derivations=tuple(part for part in parts if part is not None),
        notes=(to_message(f"{terms} = {saved:,}"),),
    )


def find_kernel(row: Row) -> int:
    """Return the side of a square window; 1 where nothing slides."""
    return row.derived.window.kernel[0] if row.derived.window else 1


def list_counted(report: Report) -> dict[str, Convention]:
    """Return what a table may have counted, by key."""
    words = {CONVENTIONS[key].en: key for key in CONVENTIONS}
    found = {words[one.words]: one for one in list_conventions(report) if one.words in words}
    return {key: found[key] for key in CONVENTIONS if key in found}


def ask_convention(draw: Draw) -> Problem | None:
    """Ask what a number counts; None where rounding makes two conventions alike."""
    network = draw.pick(COUNTED)
    report = report_on(network)
    counted = list_counted(report)
    key = draw.pick(list(counted))
    number = round_count(counted[key].value)
    fitting = {match.convention.words for match in find_conventions(report, number) if match.fits}
    if len(fitting & {one.words for one in counted.values()}) != 1:
        return None
    return Problem(
        "convention",
        {"title": TITLES[network], "number": number},
        network,
        right=convention_option(key, counted[key].value),
        wrong=tuple(
            convention_option(other, one.value, confuse(other, key))
            for other, one in counted.items()
            if other != key
        ),
        notes=tuple(describe_count(*one) for one in counted.items()),
    )


def describe_count(key: str, convention: Convention) -> Message:
    """Return ``61,706: parameters`` in every language."""
    words, count = CONVENTIONS[key], f"{convention.value:,}"
    return Message(f"{count}: {words.en}", f"{count}: {words.ko}")


def round_count(value: int) -> str:
    """Return a count as tables print it, such as ``138.36M``."""
    scale = (len(str(value)) - 1) // 3
    return divide_rounded(value, 1000**scale, digits=2) + ("", "K", "M", "G")[scale]


def confuse(chosen: str, counted: str) -> str:
    """Return which misconception takes one convention for another."""
    if (chosen in WORK) != (counted in WORK):
        return "work-for-weights" if chosen in WORK else "weights-for-work"
    return CONFUSED[chosen, counted]


def convention_option(key: str, value: int, misconception: str | None = None) -> Option:
    """Return a convention as an answer."""
    return Option(CONVENTIONS[key], None, f"{value:,}", misconception)


def ask_padding(draw: Draw) -> Problem | None:
    """Ask for the padding between two sizes; None where several would do."""
    values = {"k": draw.pick((5, 7, 9, 11)), "s": draw.pick((1, 2)), "p": draw.pick((1, 2, 3, 4))}
    values["H_out"] = draw.pick(range(6, 29))
    values["H"] = (values["H_out"] - 1) * values["s"] + values["k"] - 2 * values["p"]
    question = "{H} -> {H_out}, k={k}, s={s}, d=1".format(**values)
    solutions = solve(question).solutions
    if len(solutions) != 1:
        return None
    padding = dict(solutions[0].settings)["p"]
    size = window_size("H").derive(H=values["H"], p=padding, d=1, k=values["k"], s=values["s"])
    found = PADDING.derive(**values)
    return Problem(
        "padding",
        values,
        "3x{H}x{H} | conv 8@{k}x{k} s{s} p{p}".format(**{**values, "p": padding}),
        right=count_option(padding, work_out(found).working),
        wrong=list_wrong(MISTAKES["padding"], values),
        derivations=(found, size),
    )


CLASSICS: tuple[Maker, ...] = (
    ask_params,
    ask_field,
    ask_most_params,
    ask_most_macs,
    ask_saving,
    ask_convention,
    ask_padding,
)
