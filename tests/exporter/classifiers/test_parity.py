"""PyTorch against ONNX Runtime for classifiers, and what happens when they disagree."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from exporter.classifiers.graphs import build_classifier
from exporter.classifiers.parity import (
    BATCHES,
    TOLERANCES,
    Case,
    ClassifierParity,
    classify_with_torch,
    count_changes,
    draw_pictures,
    require_parity,
    subtract,
    walk_cases,
)
from exporter.classifiers.sessions import open_classifier
from exporter.classifiers.storage import write_model
from exporter.errors import ExportError, ParityError

from .conftest import Draw, ask_torch

GOOD = Case(2, 1e-6, 1.0, 1e-7, 0, 1e-5)


@pytest.fixture
def model(draw: Draw, tmp_path: Path) -> Path:
    """The random SimpleConvNet's file, without metadata."""
    checkpoint = draw("simpleconvnet")
    built = build_classifier(checkpoint, checkpoint.build())
    path = tmp_path / "model.onnx"
    write_model(built.skeleton, built.weights, path)
    return path


def measure(path: Path, draw: Draw) -> ClassifierParity:
    """Compare a file with the random SimpleConvNet."""
    checkpoint = draw("simpleconvnet")
    images = draw_pictures(checkpoint.input)
    reference = classify_with_torch(checkpoint.build(), checkpoint, images)
    cases = walk_cases(open_classifier(path), images, reference, tolerance=1e-5)
    return ClassifierParity(tuple(cases))


def test_batches_and_tolerances_are_the_promised_ones() -> None:
    """Batches of 1, 2, 7 and 32; 1e-5 in fp32 and 1e-2 in fp16."""
    assert BATCHES == (1, 2, 7, 32)
    assert TOLERANCES == {"fp32": 1e-5, "fp16": 1e-2}


def test_random_network_agrees(model: Path, draw: Draw) -> None:
    """All four batches agree, and the figures can be written as JSON."""
    parity = measure(model, draw)
    assert [case.batch for case in parity.cases] == [1, 2, 7, 32]
    assert parity.agrees
    assert parity.same_class == 1
    require_parity(parity, "it")
    assert parity.as_dict()["tolerance"] == {"probability": 1e-5}


@pytest.mark.parametrize("name", ["simpleconvnet", "lenet5-1998"])
def test_reference_is_pytorch_on_scaled_pixels(name: str, draw: Draw) -> None:
    """The reference does what the network does in training, picture by picture."""
    checkpoint = draw(name)
    images = draw_pictures(checkpoint.input, 3)
    found = classify_with_torch(checkpoint.build(), checkpoint, images)
    np.testing.assert_allclose(found, ask_torch(checkpoint, images), rtol=0, atol=1e-5)
    assert found.dtype == np.float32


def test_damaged_weights_are_found_out(model: Path, draw: Draw) -> None:
    """A file whose weights are not the network's is refused with the figures."""
    damaged = onnx.load(model)
    tensor = next(t for t in damaged.graph.initializer if t.name == "fc2.bias")
    tensor.CopyFrom(
        numpy_helper.from_array(
            numpy_helper.to_array(tensor) + np.eye(10)[0].astype("f"), "fc2.bias"
        )
    )
    onnx.save(damaged, model)
    parity = measure(model, draw)
    assert not parity.agrees
    with pytest.raises(
        ParityError, match=r"it: in a batch of 1 differs from PyTorch by up to 0\.\d+"
    ):
        require_parity(parity, "it")


def test_dependence_on_the_batch_is_found_out(model: Path, draw: Draw) -> None:
    """Logits from which the batch's mean is taken agree with nothing but a batch of one."""
    mixed = onnx.load(model)
    graph = mixed.graph
    softmax = graph.node[-1]
    mean = helper.make_node("ReduceMean", [softmax.input[0]], ["mean"], axes=[0], keepdims=1)
    less = helper.make_node("Sub", [softmax.input[0], "mean"], ["less"])
    softmax.input[0] = "less"
    graph.node.insert(len(graph.node) - 1, mean)
    graph.node.insert(len(graph.node) - 1, less)
    onnx.save(mixed, model)
    cases = measure(model, draw).cases
    assert cases[0].batch_difference == 0
    assert all(case.batch_difference > 0.01 for case in cases[1:])
    assert cases[-1].batch_changes > 0


@pytest.mark.parametrize(
    ("changed", "agrees"),
    [
        ({}, True),
        ({"max_difference": 2e-5}, False),
        ({"batch_difference": 2e-5}, False),
        ({"batch_changes": 1}, False),
        ({"max_difference": float("inf")}, False),
        ({"same_class": 0.5}, True),  # a tie within the tolerance
    ],
)
def test_rule_has_three_parts(changed: dict[str, float], *, agrees: bool) -> None:
    """Difference from PyTorch, difference from alone and changed predictions each can refuse."""
    parity = ClassifierParity((GOOD, replace(GOOD, **changed)))  # type: ignore[arg-type]
    assert parity.agrees is agrees


def test_values_that_are_no_numbers_never_agree() -> None:
    """A NaN counts as an infinite difference, which no tolerance allows."""
    rows = np.array([[0.5, np.nan]], np.float32)
    assert subtract(rows, np.zeros_like(rows)) == float("inf")


def test_ties_are_no_change() -> None:
    """Classes that are as likely as each other may swap; others may not."""
    left = np.array([[0.4, 0.4, 0.2], [0.6, 0.3, 0.1]], np.float32)
    tied = np.array([[0.4, np.nextafter(np.float32(0.4), 1), 0.2], [0.6, 0.3, 0.1]], np.float32)
    other = np.array([[0.4, 0.4, 0.2], [0.3, 0.6, 0.1]], np.float32)
    assert count_changes(left, tied) == 0
    assert count_changes(left, other) == 1


def test_other_files_are_refused(tmp_path: Path, model: Path, draw: Draw) -> None:
    """No ONNX, other names, another size and other classes are each told in one line."""
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(ExportError, match=r"broken\.onnx: ONNX Runtime \S+ cannot open the model"):
        open_classifier(broken)
    renamed = onnx.load(model)
    renamed.graph.input[0].name = renamed.graph.node[0].input[0] = "pixels"
    onnx.save(renamed, broken)
    with pytest.raises(ExportError, match=r"its inputs are \['pixels'\] .* not image and probabil"):
        open_classifier(broken)
    session = open_classifier(model)
    images = draw_pictures(draw("lenet5").input)
    reference = np.zeros((32, 10), np.float32)
    with pytest.raises(
        ExportError, match=r"takes pictures of \[28, 28, 1\] and the network of \[32"
    ):
        list(walk_cases(session, images, reference, tolerance=1))
    images = draw_pictures(draw("simpleconvnet").input)
    with pytest.raises(ExportError, match="knows 10 classes and the network 9"):
        list(walk_cases(session, images, reference[:, :9], tolerance=1))
