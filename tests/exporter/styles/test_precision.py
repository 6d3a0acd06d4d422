"""Style networks in eight and sixteen bits: what changes type, and what the file says of it."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker

from exporter import cli
from exporter.classifiers.ranges import Range
from exporter.columns import fold_columns
from exporter.errors import ExportError, ParityError
from exporter.export import build_model, export_checkpoint
from exporter.pixels import fold_scale
from exporter.scenes import draw_scenes
from exporter.styles.halves import halve_model
from exporter.styles.integers import plan_ranges, quantize_model
from exporter.styles.photos import Sample, draw_rows
from exporter.styles.quality import record_quality
from exporter.styles.ranges import measure_ranges
from exporter.styles.settings import StyleSettings
from models.style.style_net import StyleNet

NETS = ("tiny", "fast", "paper")
WIDENED = ("fast", "tiny")  # the paper's first convolution steps over no columns


def optimize(model: ModelProto, path: Path) -> Counter[str]:
    """Count the operators that ONNX Runtime makes of a model."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 4
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def quantize(model: ModelProto) -> ModelProto:
    """Return a model in eight bits, calibrated on two small scenes."""
    sample = Sample(draw_scenes(2, 64, 64, seed=1), draw_rows(3))
    return quantize_model(model, measure_ranges(model, sample, "percentile"))


def paint(model: ModelProto) -> NDArray[np.int16]:
    """Paint two scenes in two rows of styles."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = {"image": draw_scenes(2, 61, 70, seed=2), "style_weights": draw_rows(3)[:2]}
    painted: NDArray[np.int16] = session.run(None, feed)[0].astype(np.int16)
    return painted


@pytest.mark.parametrize("name", NETS)
def test_every_convolution_runs_in_integers(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """ONNX Runtime fuses all of them, with a QuantizeLinear only where floats were computed."""
    model: ModelProto = request.getfixturevalue(f"{name}_model")
    convolutions = sum(node.op_type == "Conv" for node in model.graph.node)
    quantized = quantize(model)
    checker.check_model(quantized, full_check=True)
    operators = optimize(quantized, tmp_path / "optimized.onnx")
    assert operators["QLinearConv"] == convolutions
    assert operators["QLinearSigmoid"] == 1
    assert not {"Conv", "FusedConv", "Sigmoid"} & set(operators)
    norms = operators["InstanceNormalization"]
    assert operators["DequantizeLinear"] == norms
    assert operators["QuantizeLinear"] <= norms


@pytest.mark.parametrize("name", WIDENED)
def test_shapes_for_integer_kernels_paint_the_same(
    name: str, request: pytest.FixtureRequest
) -> None:
    """Columns as channels in front and a block of phases at the end round otherwise at most."""
    model = build_model(request.getfixturevalue(f"{name}_net"), widen=True)
    checker.check_model(model, full_check=True)
    kernels = [
        list(a.ints) for n in model.graph.node for a in n.attribute if a.name == "kernel_shape"
    ]
    assert kernels[0] == [8, 2]
    assert np.abs(paint(model) - paint(request.getfixturevalue(f"{name}_model"))).max() <= 1


@pytest.mark.parametrize("name", WIDENED)
def test_integer_kernels_take_every_channel_of_the_widened_form(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """They read four at a time; what is summed up stays in integers."""
    net: StyleNet = request.getfixturevalue(f"{name}_net")
    quantized = quantize(build_model(net, widen=True))
    checker.check_model(quantized, full_check=True)
    shapes = [
        list(tensor.dims)
        for tensor in quantized.graph.initializer
        if tensor.name.endswith("/integers") and len(tensor.dims) == 4
    ]
    assert all(inputs % 4 == 0 for _, inputs, *_ in shapes)
    operators = optimize(quantized, tmp_path / "optimized.onnx")
    assert operators["QLinearConv"] == len(shapes)
    assert operators["QLinearAdd"] == net.config.blocks
    assert operators["DequantizeLinear"] == operators["InstanceNormalization"]
    assert "Relu" not in operators


def test_photo_that_several_convolutions_read_keeps_its_columns(tiny_net: StyleNet) -> None:
    """What cannot be folded stays as it was."""
    model = build_model(tiny_net)
    stem = next(node for node in model.graph.node if node.op_type == "Conv")
    model.graph.node.append(stem)
    model.graph.node[-1].output[0] = "second"
    before = model.SerializeToString(deterministic=True)
    assert not fold_columns(model)
    assert model.SerializeToString(deterministic=True) == before


def test_zeros_around_integers_are_what_stands_for_zero() -> None:
    """Where bytes mean values of both signs, the border is their zero point, not the byte 0."""
    random = np.random.default_rng(2)
    values = {name: random.uniform(-0.4, 0.4, (4, 4, 1, 1)) for name in ("w", "v")}
    body = 'n = Neg(x) c = Conv(n, w) p = Pad<mode="constant">(c, s) y = Conv(p, v)'
    head = '<ir_version: 8, opset_import: ["" : 17]>'
    ends = "(float[1,4,5,5] x) => (float[1,4,h,w] y)"
    model = onnx.parser.parse_model(f"{head} net {ends} {{ {body} }}")
    constants = {k: v.astype(np.float32) for k, v in values.items()}
    constants |= {"s": np.array([0, 0, 2, 2, 0, 0, 2, 2])}
    for name, value in constants.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    ranges = dict.fromkeys(plan_ranges(model), Range(-2.0, 1.5))
    feed = {"x": random.uniform(-1, 1, (1, 4, 5, 5)).astype(np.float32)}
    found, expected = (
        ort.InferenceSession(one.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            None, feed
        )[0]
        for one in (quantize_model(model, ranges), model)
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.05)


@pytest.mark.parametrize("name", NETS)
def test_eight_bits_paint_much_the_same(name: str, request: pytest.FixtureRequest) -> None:
    """Paintings differ by a few grey levels of 255 on average."""
    model: ModelProto = request.getfixturevalue(f"{name}_model")
    difference = np.abs(paint(quantize(model)) - paint(model))
    assert 0 < difference.mean() < 8


@pytest.mark.parametrize("name", ["tiny", "paper"])
def test_sixteen_bits_are_for_convolutions_only(name: str, request: pytest.FixtureRequest) -> None:
    """Weights of convolutions are halves; tables, and what normalises, are float32."""
    net: StyleNet = request.getfixturevalue(f"{name}_net")
    halved = halve_model(build_model(net, fold=False))
    checker.check_model(halved, full_check=True)
    types = {tensor.name: tensor.data_type for tensor in halved.graph.initializer}
    made = {name: node for node in halved.graph.node for name in node.output}
    for node in halved.graph.node:
        kinds = {types[name] for name in node.input if name in types}
        if node.op_type == "Conv":
            assert kinds == {TensorProto.FLOAT16}
        if node.op_type in {"InstanceNormalization", "Sigmoid", "QuantizeLinear"}:
            assert TensorProto.FLOAT16 not in kinds
            assert made[node.input[0]].op_type != "Conv"
    difference = np.abs(paint(halved) - paint(build_model(net)))
    assert difference.max() <= 3


def test_small_weights_keep_their_precision_in_halves(tiny_net: StyleNet) -> None:
    """The first convolution is not divided by 255, which would leave float16's normal range."""
    halved = halve_model(build_model(tiny_net, fold=False))
    stem = tiny_net.state_dict()["stem.0.conv.conv.weight"].numpy()
    name = next(node for node in halved.graph.node if node.op_type == "Conv").input[1]
    tensor = next(t for t in halved.graph.initializer if t.name == name)
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(tensor), stem.astype(np.float16))


def test_folded_division_paints_the_same(tiny_net: StyleNet) -> None:
    """Divided weights do what dividing the photo does, and no node divides any more."""
    model = build_model(tiny_net, fold=False)
    expected = paint(model)
    assert fold_scale(model)
    assert "Div" not in {node.op_type for node in model.graph.node}
    assert np.abs(paint(model) - expected).max() <= 1


def test_file_records_its_difference(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    """An eight-bit file names its precision, calibration, mean and largest difference."""
    path = tmp_path / "int8.onnx"
    settings = StyleSettings("int8", photos, calibration="percentile", max_difference=50)
    exported = export_checkpoint(checkpoint, path, sizes=[(1, 32, 32)], settings=settings)
    entries = {p.key: json.loads(p.value) for p in onnx.load(path).metadata_props}
    parity = entries["impasto.parity"]
    assert entries["impasto.precision"] == "int8"
    assert entries["impasto.calibration"] == {"method": "percentile", "pictures": 8}
    assert exported.difference is not None
    assert parity["mean_grey_levels"] == exported.difference.mean_grey_levels > 0
    assert parity["mean_grey_levels"] <= parity["max_grey_levels"] <= 255
    assert parity["tolerance"] == {"mean_grey_levels": 50}
    assert len(parity["style_grey_levels"]) == 3
    assert parity["fp32"]["max_grey_levels"] <= 1
    assert parity["quality"] is None
    record_quality(path, 0.81, 0.82)
    entries = {p.key: json.loads(p.value) for p in onnx.load(path).metadata_props}
    assert entries["impasto.parity"]["quality"] == {"value": 0.81, "fp32": 0.82}


def test_quality_is_for_lower_precision(exported: Path) -> None:
    """A file in float32 has nothing to be compared with."""
    with pytest.raises(ExportError, match="is not of lower precision"):
        record_quality(exported, 0.5, 0.5)


def test_too_large_a_difference_is_refused(checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    """Nothing is written, and the message gives figures, rule and remedy."""
    settings = StyleSettings("int8", photos, max_difference=0)
    with pytest.raises(ParityError, match=r"int8 differs from fp32 by .* raise --max-difference"):
        export_checkpoint(checkpoint, tmp_path / "x.onnx", sizes=[(1, 32, 32)], settings=settings)
    assert list(tmp_path.iterdir()) == []


def test_commands_write_and_verify_lower_precision(
    checkpoint: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Export prints the difference; verify measures it again and asks for photos."""
    defaults = {**(export_checkpoint.__kwdefaults__ or {}), "sizes": [(1, 32, 32)]}
    monkeypatch.setattr(export_checkpoint, "__kwdefaults__", defaults)
    path = str(tmp_path / "int8.onnx")
    wished = ["--precision", "int8", "--calibrate", str(photos), "--max-difference", "60"]
    written = CliRunner().invoke(cli.export, [str(checkpoint), "-o", path, *wished])
    assert written.exit_code == 0, written.output
    assert "int8 differs from fp32 by" in written.output
    again = CliRunner().invoke(cli.verify, [path, str(checkpoint), "--pictures", str(photos)])
    assert again.exit_code == 0, again.output
    assert again.output.strip() in written.output
    bare = CliRunner().invoke(cli.verify, [path, str(checkpoint)])
    assert bare.exit_code == 1
    assert "pass --pictures FOLDER" in bare.output


def test_difference_is_for_lower_precision(checkpoint: Path) -> None:
    """In float32 there is nothing to allow."""
    arguments = [str(checkpoint), "-o", "x.onnx", "--max-difference", "3"]
    result = CliRunner().invoke(cli.export, arguments)
    assert result.exit_code == 2
    assert "pass --precision int8 or fp16" in result.output
