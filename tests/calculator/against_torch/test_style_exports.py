"""Style networks read back: unwritten they are the network of their name, else it is told apart."""

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
import torch

from calculator import Comparison, Report, compare, load, parse, summarize
from calculator.arithmetic.receptive import Bound
from calculator.teaching.comparison import COUNTS
from exporter.classifiers.ranges import Range
from exporter.export import build_model
from exporter.pixels import wrap_pixels
from exporter.rewrite import rewrite_upsampling
from exporter.styles.halves import halve_model
from exporter.styles.integers import plan_ranges, quantize_model
from exporter.tail import sink_phases
from exporter.trunk import trace_trunk
from models.style.architecture import CONFIGS
from models.style.style_net import StyleNet

SIZE = (3, 64, 64)
PHASES = "upsampling and convolution in one convolution of phases"
BLOCKS = "two upsamplings and convolutions as one block of phases"
COLUMNS = "columns of the photo read as channels"
TABLES = "scale and shift from a table of styles"
TAIL = "a tail without the margin that nobody sees"
PURPOSES = {"a further input", "pixels in and out", "8-bit values"}
COUNTED = ("conv", "instancenorm", "relu", "add", "upsample", "sigmoid", "pad")


def make_net(name: str, *, styles: int) -> StyleNet:
    """Return a network no two of whose tensors are alike: the exporter writes equal ones once."""
    net = StyleNet(CONFIGS[name], styles=styles).eval()
    for values in net.parameters():
        torch.nn.init.uniform_(values)
    return net


def write_integers(net: StyleNet) -> onnx.ModelProto:
    """Return a network in eight bits, its ranges made up."""
    model = build_model(net, widen=True)
    return quantize_model(model, dict.fromkeys(plan_ranges(model), Range(-1.0, 1.0)))


def write_as_before(net: StyleNet) -> onnx.ModelProto:
    """Return a network with tables one by one, DepthToSpace inside, and its whole margin."""
    trunk = trace_trunk(net)
    rewrite_upsampling(trunk)
    layout = sink_phases(trunk.graph, net.config.margin)
    return wrap_pixels(trunk, layout, styles=net.styles, config=net.config)


WRITERS: dict[str, Callable[[StyleNet], onnx.ModelProto]] = {
    "fp32": build_model,
    "fp16": lambda net: halve_model(build_model(net, fold=False)),
    "int8": write_integers,
    "before": write_as_before,
}


def write(net: StyleNet, form: str, path: Path) -> Comparison:
    """Write a network in a form, and compare it with the network of its name."""
    onnx.save(WRITERS[form](net), path)
    name = next(name for name, config in CONFIGS.items() if config == net.config)
    named = summarize(parse(f"style-{name}", input_shape=SIZE))
    return compare(named, summarize(load(path, input_shape=SIZE)))


def list_windows(report: Report) -> list[tuple[Bound, Bound]]:
    """Return the first and the last position that the first painted pixels see, per axis."""
    fields = report.rows[-1].fields
    assert fields is not None
    return [(f.first_of(pixel), f.last_of(pixel)) for f in fields for pixel in range(8)]


FORMS = [("fast", form) for form in WRITERS] + [("slim", "fp32")]


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_rewritten_export_is_told_apart_exactly(name: str, form: str, tmp_path: Path) -> None:
    """In every precision and in the earlier form only known causes count."""
    found = write(make_net(name, styles=3), form, tmp_path / "net.onnx")
    for count in COUNTS:
        change = getattr(found.second, count) - getattr(found.first, count)
        assert sum(one.change(count) for one in found.differences) == change
    causes = {one.causes for one in found.differences if any(map(one.change, COUNTS))}
    is_shaved = CONFIGS[name].margin and form != "before"
    doubled = (BLOCKS,) if form == "int8" else (PHASES, TAIL) if is_shaved else (PHASES,)
    assert causes == {(TABLES,), doubled}
    assert (COLUMNS in {one.cause for one in found.differences}) == (form == "int8")
    alone = [one for one in found.differences if not (one.first and one.second)]
    # the margin's crop, where it is one with that of the phases
    assert {one.first[0].node.layer.kind for one in alone if not one.cause} <= {"crop"}
    assert {one.cause for one in alone} <= {TABLES, *PURPOSES, ""}


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_rewritten_export_sees_what_the_network_sees(name: str, form: str, tmp_path: Path) -> None:
    """No field moves; taps of zero, which only blocks have, see something, too."""
    found = write(make_net(name, styles=3), form, tmp_path / "net.onnx")
    before, after = list_windows(found.first), list_windows(found.second)
    if form != "int8":
        assert before == after
    for one, other in zip(before, after, strict=True):
        assert None not in (*one, *other)
        assert other[0] <= one[0] < one[1] <= other[1]  # type: ignore[operator]


@pytest.mark.parametrize("name", ["fast", "paper"])
def test_unwritten_export_is_the_network_of_its_name(name: str, tmp_path: Path) -> None:
    """Kinds, shapes and multiply-adds row by row; the tables of one style are its parameters."""
    path = tmp_path / "trunk.onnx"
    onnx.save(trace_trunk(make_net(name, styles=1)), path)
    named = summarize(parse(f"style-{name}", input_shape=SIZE))
    # the trunk of the fast network begins behind the reflection and ends before the crop
    shape = named.rows[0].derived.shape if name == "fast" else SIZE
    found = summarize(load(path, input_shape=shape))
    expected = [
        (row.node.layer.kind, row.derived.shape, row.macs)
        for row in (named.rows[1:-1] if name == "fast" else named.rows)
    ]
    assert [
        (row.node.layer.kind, row.derived.shape, row.macs)
        for row in found.rows
        if row.node.layer.kind in COUNTED
    ] == expected
    assert found.params == named.params
