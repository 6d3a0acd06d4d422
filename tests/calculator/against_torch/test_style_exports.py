"""Style networks read back: unwritten they are the network of their name, else it is told apart."""

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
import torch

from calculator import compare, load, parse, summarize
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
    model = build_model(net)
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


@pytest.mark.parametrize(
    ("name", "form"),
    [("fast", form) for form in WRITERS] + [("slim", "fp32")],
)
def test_rewritten_export_is_told_apart_exactly(name: str, form: str, tmp_path: Path) -> None:
    """In every precision and in the earlier form only known causes count, and no field moves."""
    path = tmp_path / "net.onnx"
    onnx.save(WRITERS[form](make_net(name, styles=3)), path)
    named = summarize(parse(f"style-{name}", input_shape=SIZE))
    found = compare(named, summarize(load(path, input_shape=SIZE)))
    for count in COUNTS:
        change = getattr(found.second, count) - getattr(found.first, count)
        assert sum(one.change(count) for one in found.differences) == change
    causes = {one.causes for one in found.differences if any(map(one.change, COUNTS))}
    is_shaved = CONFIGS[name].margin and form != "before"
    assert causes == {(TABLES,), (PHASES, TAIL) if is_shaved else (PHASES,)}
    alone = [one for one in found.differences if not (one.first and one.second)]
    # the margin's crop, where it is one with that of the phases
    assert {one.first[0].node.layer.kind for one in alone if not one.cause} <= {"crop"}
    assert {one.cause for one in alone} <= {TABLES, *PURPOSES, ""}
    before, after = (report.rows[-1].fields for report in (found.first, found.second))
    assert before is not None
    assert after is not None
    pixels = range(8)
    for one, other in zip(before, after, strict=True):
        assert [*map(one.first_of, pixels)] == [*map(other.first_of, pixels)]
        assert [*map(one.last_of, pixels)] == [*map(other.last_of, pixels)]


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
