"""PyTorch against ONNX Runtime, and what happens when they disagree."""

import numpy as np
import onnxruntime as ort
import pytest
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper

from exporter.errors import ExportError, ParityError
from exporter.scenes import draw_scenes, draw_style_weights
from exporter.verify import (
    SIZES,
    Case,
    Parity,
    measure_parity,
    open_session,
    paint_with_torch,
    require_parity,
)
from models.style.style_net import StyleNet

SIZES_OF = {
    "tiny": tuple((n, h, w) for n in (1, 2, 5) for h, w in ((32, 32), (33, 47))),
    "fast": ((1, 32, 32), (2, 33, 47)),
    "paper": ((2, 33, 47),),
}


@pytest.mark.parametrize("name", SIZES_OF)
def test_parity_of_random_networks(name: str, request: pytest.FixtureRequest) -> None:
    """At most one grey level apart and 99.9% of bytes equal, alone and in a batch."""
    net: StyleNet = request.getfixturevalue(f"{name}_net")
    model: ModelProto = request.getfixturevalue(f"{name}_model")
    parity = measure_parity(net, model.SerializeToString(), sizes=SIZES_OF[name])
    assert [(c.batch, c.height, c.width) for c in parity.cases] == list(SIZES_OF[name])
    assert parity.agrees
    assert parity.max_grey_levels <= 1
    assert parity.exact_share >= 0.999
    assert parity.batch_grey_levels <= 1


@pytest.mark.parametrize("name", SIZES_OF)
def test_random_networks_do_not_paint_flat(name: str, request: pytest.FixtureRequest) -> None:
    """The paintings compared reach over most of the grey range, so agreement means something."""
    net: StyleNet = request.getfixturevalue(f"{name}_net")
    images, weights = draw_scenes(2, 33, 47, seed=0), draw_style_weights(2, 3, seed=0)
    painted = paint_with_torch(net, images, weights)
    assert painted.shape == images.shape
    for picture in painted:
        assert np.percentile(picture, 98) - np.percentile(picture, 2) > 100


def test_sizes_cover_what_the_contract_names() -> None:
    """By default: N of 1, 2 and 5 at the smallest, an odd, a usual and an uneven size."""
    sides = {(32, 32), (33, 47), (256, 256), (511, 770)}
    assert set(SIZES) == {(n, h, w) for n in (1, 2, 5) for h, w in sides}


def test_rounding_agrees_at_every_half() -> None:
    """Both round halves to the even neighbour."""
    halves = np.arange(256, dtype=np.float32) + np.float32(0.5)
    graph = helper.make_graph(
        [helper.make_node("Round", ["x"], ["y"])],
        "round",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [256])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [256])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    rounded = session.run(None, {"x": halves})[0]
    np.testing.assert_array_equal(rounded, torch.round(torch.from_numpy(halves)).numpy())


def test_damaged_model_disagrees(tiny_net: StyleNet, tiny_model: ModelProto) -> None:
    """A graph whose weights are not the network's is found out and refused with the figures."""
    damaged = ModelProto.FromString(tiny_model.SerializeToString())
    tensor = [t for t in damaged.graph.initializer if t.name.endswith("/bias")][-1]  # to RGB
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) + 1, tensor.name))
    parity = measure_parity(tiny_net, damaged.SerializeToString(), sizes=[(1, 33, 47)])
    assert not parity.agrees
    with pytest.raises(ParityError, match=r"it: differs from PyTorch by up to \d+ grey levels"):
        require_parity(parity, "it")


@pytest.mark.parametrize(
    ("figures", "agrees"),
    [((1, 0.999, 1), True), ((2, 1.0, 0), False), ((1, 0.9989, 0), False), ((0, 1.0, 2), False)],
)
def test_rule_has_three_parts(*, figures: tuple[int, float, int], agrees: bool) -> None:
    """Largest difference, share of equal bytes and company in a batch each can refuse."""
    parity = Parity((Case(1, 32, 32, 0, 1.0, 0), Case(2, 32, 32, *figures)))
    assert parity.agrees is agrees
    assert (parity.max_grey_levels, parity.exact_share, parity.batch_grey_levels) == figures


def test_session_refuses_other_bytes() -> None:
    """Bytes that are no ONNX model give one line."""
    with pytest.raises(ExportError, match="cannot open the model"):
        open_session(b"not a model", styles=1)


def test_session_refuses_another_number_of_styles(tiny_model: ModelProto) -> None:
    """A file is compared only with a checkpoint of as many styles."""
    with pytest.raises(ExportError, match=r"not image, style_weights \[N, 4\] and stylized"):
        open_session(tiny_model.SerializeToString(), styles=4)


def test_scenes_are_the_same_in_every_batch() -> None:
    """A picture and its style do not depend on how many are drawn with it."""
    np.testing.assert_array_equal(
        draw_scenes(3, 40, 32, seed=4)[:2], draw_scenes(2, 40, 32, seed=4)
    )
    np.testing.assert_array_equal(
        draw_style_weights(3, 5, seed=4)[:2], draw_style_weights(2, 5, seed=4)
    )


def test_scenes_reach_both_ends_of_the_range() -> None:
    """Scenes hold black, white and much between, like photos."""
    scenes = draw_scenes(4, 64, 64, seed=0)
    assert scenes.min() == 0
    assert scenes.max() == 255
    assert len(np.unique(scenes)) > 200


def test_style_weights_are_single_styles_and_blends() -> None:
    """Rows sum to 1; even rows are one style, odd rows mix several."""
    rows = draw_style_weights(6, 4, seed=1)
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-6)
    assert ((rows > 0).sum(axis=1) == 1).tolist() == [True, False] * 3
