"""Eight-bit classifiers: what is quantised, what is held back, and when nothing is written."""

import gzip
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper
from PIL import Image

from exporter.classifiers import quantization
from exporter.classifiers.agreement import Agreement, measure_agreement, require_agreement
from exporter.classifiers.calibration import divide_pictures
from exporter.classifiers.export import export_classifier
from exporter.classifiers.graphs import build_classifier
from exporter.classifiers.parity import classify, draw_pictures, scale_pixels
from exporter.classifiers.quantization import quantize_model
from exporter.classifiers.ranges import Range
from exporter.classifiers.sessions import open_classifier
from exporter.classifiers.settings import ExportSettings, Method, Precision
from exporter.classifiers.storage import write_model
from exporter.errors import ExportError, ParityError

from .conftest import Draw, ask_torch

Saved = Callable[[str], Path]
GOOD = Agreement(200, 0.995, 1e-3, 0.1, 0, 0.99)


def quantise(saved: Saved, name: str, pictures: Path, path: Path, **others: Any) -> Agreement:  # noqa: ANN401
    """Export a random network in eight bits."""
    settings = ExportSettings(precision="int8", pictures=pictures, **others)
    agreement = export_classifier(saved(name), path, settings).agreement
    assert agreement is not None
    return agreement


@pytest.mark.parametrize("calibration", ["mse", "percentile"])
@pytest.mark.parametrize("name", ["lenet5", "simpleconvnet"])
def test_eight_bits_name_what_fp32_names(
    name: str,
    calibration: Method,
    saved: Saved,
    draw: Draw,
    pictures: Path,
    tmp_path: Path,
) -> None:
    """Predictions on pictures never seen are mostly kept, and the file says so."""
    path = tmp_path / "it.onnx"
    agreement = quantise(saved, name, pictures, path, calibration=calibration, min_agreement=0.8)
    assert agreement.pictures == 10
    assert 0 < agreement.mean_difference < 0.05
    images = draw_pictures(draw(name).input, 8)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    found, expected = session.run(None, {"image": images})[0], ask_torch(draw(name), images)
    assert 0 < np.abs(found - expected).mean() < 0.05
    assert [path.name for path in tmp_path.iterdir()] == ["it.onnx"]
    entries = {p.key: p.value for p in onnx.load(path).metadata_props}
    assert json.loads(entries["impasto.precision"]) == "int8"
    assert json.loads(entries["impasto.calibration"]) == {"method": calibration, "pictures": 40}
    parity = json.loads(entries["impasto.parity"])
    assert parity["same_class"] == agreement.same_class
    assert parity["tolerance"] == {"agreement": 0.8}
    assert parity["fp32"]["max_difference"] <= 1e-5
    assert all(key.startswith("impasto.") for key in entries)


def test_file_says_it_is_of_integers(saved: Saved, pictures: Path, tmp_path: Path) -> None:
    """The weights are bytes, a quarter of their size, and the logits stay exact."""
    path, whole = tmp_path / "it.onnx", tmp_path / "whole.onnx"
    quantise(saved, "simpleconvnet", pictures, path, min_agreement=0.0)
    export_classifier(saved("simpleconvnet"), whole)
    assert path.stat().st_size < 0.27 * whole.stat().st_size
    model = onnx.load(path)
    stored = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for layer, outputs in (("conv1", 30), ("fc1", 100), ("fc2", 10)):
        assert stored[f"{layer}.weight"].dtype == np.int8
        assert stored[f"{layer}.weight/step"].shape == (outputs,)
        assert stored[f"{layer}.bias"].dtype == np.int32
    assert [node.op_type for node in model.graph.node][-2:] == ["Gemm", "Softmax"]
    assert model.producer_name == "impasto"
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    onnx.checker.check_model(model, full_check=True)


def test_input_s_range_is_that_of_bytes(saved: Saved, tmp_path: Path) -> None:
    """Dark pictures to calibrate on do not cut light ones off."""
    dark = tmp_path / "dark"
    dark.mkdir()
    for number in range(20):
        Image.new("L", (28, 28), number).save(dark / f"{number}.png")
    path = tmp_path / "it.onnx"
    quantise(saved, "simpleconvnet", dark, path, min_agreement=0.0)
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    assert stored["pixels/scaled/step"] == pytest.approx(1 / 255)
    assert stored["pixels/scaled/zero"] == 0


def test_bad_ranges_write_nothing(
    saved: Saved, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ranges of a fiftieth cut activations off: the agreement falls and no file is written."""
    measure = quantization.measure_ranges

    def shrink(*arguments: Any) -> Any:  # noqa: ANN401
        found = measure(*arguments).items()
        return {name: Range(span.low / 50, span.high / 50) for name, span in found}

    monkeypatch.setattr(quantization, "measure_ranges", shrink)
    with pytest.raises(
        ParityError, match=r"in int8 names \d+\.\d+% of 10 held-back .*lower --min-a"
    ):
        quantise(saved, "simpleconvnet", pictures, tmp_path / "it.onnx", min_agreement=0.95)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("precision", ["fp16", "int8"])
@pytest.mark.parametrize("name", ["lenet5", "simpleconvnet", "alexnet-grouped"])
def test_batch_changes_no_prediction(
    name: str, precision: Precision, draw: Draw, pictures: Path, tmp_path: Path
) -> None:
    """In batches of 1, 2, 7 and 32 a picture is called what it is called alone."""
    path, checkpoint = tmp_path / "it.onnx", draw(name)
    half = precision == "fp16"
    model = build_classifier(checkpoint, checkpoint.build(), half=half, fold=not half)
    if not half:
        seen, _ = divide_pictures(pictures, checkpoint.input)
        few = replace(seen, numbers=seen.numbers[:4])
        model = quantize_model(model, checkpoint.pixels, few, "mse")
    write_model(model.skeleton, model.weights, path)
    images = draw_pictures(checkpoint.input)
    session = open_classifier(path)
    alone = np.concatenate([classify(session, image[None]) for image in images])
    for batch in (1, 2, 7, 32):
        together = classify(session, images[:batch])
        assert together.argmax(1).tolist() == alone[:batch].argmax(1).tolist()
        np.testing.assert_allclose(together, alone[:batch], rtol=0, atol=1e-5)


def test_calibration_does_not_see_what_is_held_back(draw: Draw, pictures: Path) -> None:
    """A fifth of the pictures is held back, the same each time; none is in both."""
    rule = draw("lenet5").input
    seen, held_back = divide_pictures(pictures, rule)
    assert (len(seen), len(held_back)) == (40, 10)
    assert not set(seen.numbers) & set(held_back.numbers)
    assert divide_pictures(pictures, rule)[1].numbers == held_back.numbers
    batches = list(held_back.read_batches(4))
    assert [batch.shape for batch in batches] == [(4, 32, 32, 1), (4, 32, 32, 1), (2, 32, 32, 1)]
    assert {path.suffix for path in seen.pool.files} == {".png"}


def test_calibration_sees_exactly_the_chosen_pictures(
    saved: Saved, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pictures but the held-back ones are counted, each once."""
    fed: list[bytes] = []
    scale = scale_pixels

    def watch(images: Any, pixels: Any) -> Any:  # noqa: ANN401
        fed.extend(image.tobytes() for image in images)
        return scale(images, pixels)

    monkeypatch.setattr(quantization, "scale_pixels", watch)
    quantise(saved, "simpleconvnet", pictures, tmp_path / "it.onnx", min_agreement=0.0)
    from models.classifiers.checkpoint import read_classifier

    seen, held_back = divide_pictures(pictures, read_classifier(saved("simpleconvnet")).input)
    expected = [image.tobytes() for batch in seen.read_batches(7) for image in batch]
    assert sorted(fed) == sorted(expected)
    assert not set(fed) & {
        image.tobytes() for batch in held_back.read_batches(7) for image in batch
    }


def test_mnist_s_files_are_pictures_too(draw: Draw, tmp_path: Path) -> None:
    """A folder of IDX files gives its training digits."""
    digits = np.random.default_rng(0).integers(0, 256, (25, 28, 28), dtype=np.uint8)
    header = struct.pack(">IIII", 0x803, 25, 28, 28)
    with gzip.open(tmp_path / "train-images-idx3-ubyte.gz", "wb") as file:
        file.write(header + digits.tobytes())
    with gzip.open(tmp_path / "train-labels-idx1-ubyte.gz", "wb") as file:
        file.write(struct.pack(">II", 0x801, 25) + bytes(25))
    seen, held_back = divide_pictures(tmp_path, draw("simpleconvnet").input)
    assert (len(seen), len(held_back)) == (20, 5)
    assert seen.read(seen.numbers[:2]).shape == (2, 28, 28, 1)


def test_unfit_folders_are_refused(draw: Draw, tmp_path: Path) -> None:
    """No folder, too few pictures, damaged pictures and damaged IDX files each give one line."""
    rule = draw("lenet5").input
    with pytest.raises(ExportError, match="nowhere: no such folder; give a folder of pictures"):
        divide_pictures(tmp_path / "nowhere", rule)
    with pytest.raises(
        ExportError, match="holds 0 pictures, too few to calibrate on; give a folder"
    ):
        divide_pictures(tmp_path, rule)
    for number in range(20):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    seen, _ = divide_pictures(tmp_path, rule)
    with pytest.raises(
        ExportError, match=r"\d+\.png: not a readable picture .*; mend or remove it"
    ):
        list(seen.read_batches(4))
    for part in ("images", "labels"):
        (tmp_path / f"train-{part}-idx-ubyte").write_bytes(b"no IDX")
    with pytest.raises(ExportError, match="train-images-idx-ubyte"):
        divide_pictures(tmp_path, rule)


@pytest.mark.parametrize(
    ("changed", "agrees"),
    [({}, True), ({"same_class": 0.9899}, False), ({"batch_changes": 1}, False)],
)
def test_rule_has_two_parts(changed: dict[str, Any], *, agrees: bool) -> None:
    """Predictions unlike fp32's and predictions that depend on the batch each can refuse."""
    agreement = replace(GOOD, **changed)
    assert agreement.agrees is agrees
    if not agrees:
        with pytest.raises(ParityError, match="it: in int8 names"):
            require_agreement(agreement, "it")


def test_dependence_on_the_batch_is_found_out(draw: Draw, pictures: Path) -> None:
    """Pictures that are called otherwise in a batch than alone are counted."""
    _, held_back = divide_pictures(pictures, draw("lenet5").input)

    def answer(images: Any) -> Any:  # noqa: ANN401
        return np.eye(10, dtype=np.float32)[np.full(len(images), min(len(images), 2))]

    expected = np.eye(10, dtype=np.float32)[np.ones(10, int)]
    agreement = measure_agreement(expected, answer, held_back, min_agreement=0.99)
    assert (agreement.same_class, agreement.mean_difference) == (1.0, 0.0)
    assert agreement.batch_changes == 9  # of seven, of two, and one that came last, alone
    assert not agreement.agrees


def test_integers_may_lie_beside_the_file(saved: Saved, pictures: Path, tmp_path: Path) -> None:
    """Networks of over 2 GiB can be brought to eight bits, too."""
    settings = ExportSettings(
        precision="int8", pictures=pictures, largest_bytes=1000, min_agreement=0.0
    )
    exported = export_classifier(saved("lenet5"), tmp_path / "it.onnx", settings)
    assert [path.name for path in exported.files] == ["it.onnx", "it.onnx.data"]
    assert exported.files[1].stat().st_size > 50_000
