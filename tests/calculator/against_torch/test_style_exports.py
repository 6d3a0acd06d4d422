"""A style network exported without rewrites and read back is the network of its name."""

from pathlib import Path

import onnx
import pytest
import torch

from calculator import load, parse, summarize
from exporter.trunk import trace_trunk
from models.style.architecture import CONFIGS
from models.style.style_net import StyleNet

SIZE = (3, 64, 64)
COUNTED = ("conv", "instancenorm", "relu", "add", "upsample", "sigmoid", "pad")


@pytest.mark.parametrize("name", ["fast", "paper"])
def test_unwritten_export_is_the_network_of_its_name(name: str, tmp_path: Path) -> None:
    """Kinds, shapes and multiply-adds row by row; the tables of one style are its parameters."""
    path = tmp_path / "trunk.onnx"
    net = StyleNet(CONFIGS[name], styles=1).eval()
    for values in net.parameters():
        torch.nn.init.uniform_(values)  # the exporter writes equal ones only once
    onnx.save(trace_trunk(net), path)
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
