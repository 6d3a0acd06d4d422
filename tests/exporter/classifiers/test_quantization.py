"""Eight-bit classifiers: what is quantised, what is held back, and when nothing is written."""

import gzip
import json
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from exporter.classifiers import quantization
from exporter.classifiers.calibration import divide_pictures
from exporter.classifiers.export import export_classifier
from exporter.classifiers.parity import draw_pictures
from exporter.classifiers.quantization import Agreement, require_agreement
from exporter.classifiers.settings import ExportSettings, Method
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


@pytest.mark.parametrize("calibration", ["entropy", "percentile"])
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
    images = draw_pictures(draw(name), 8)
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


def test_products_are_quantised_per_channel(saved: Saved, pictures: Path, tmp_path: Path) -> None:
    """Weights of convolutions and dense layers are signed bytes with a scale per output."""
    path = tmp_path / "it.onnx"
    quantise(saved, "simpleconvnet", pictures, path, min_agreement=0.0)
    model = onnx.load(path)
    stored = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for layer, outputs in (("conv1", 30), ("fc1", 100), ("fc2", 10)):
        assert stored[f"{layer}.weight_quantized"].dtype == np.int8
        assert stored[f"{layer}.weight_scale"].shape == (outputs,)
        assert stored[f"{layer}.bias_quantized"].dtype == np.int32
    floats = [array for array in stored.values() if array.dtype == np.float32]
    assert max(array.size for array in floats) == 100
    kinds = Counter(node.op_type for node in model.graph.node)
    assert kinds["QuantizeLinear"] > 3
    assert [node.op_type for node in model.graph.node][-2:] == ["Gemm", "Softmax"]  # exact logits
    assert model.producer_name == "impasto"
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    onnx.checker.check_model(model, full_check=True)


def test_bad_ranges_write_nothing(
    saved: Saved, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ranges of a fiftieth cut activations off: the agreement falls and no file is written."""
    measure = quantization.measure_ranges

    def shrink(*arguments: Any) -> Any:  # noqa: ANN401
        ranges = measure(*arguments)
        for name, data in ranges.items():
            low, high = data.range_value
            data.lowest, data.highest = low / np.float32(50), high / np.float32(50)
            ranges.data[name] = data
        return ranges

    monkeypatch.setattr(quantization, "measure_ranges", shrink)
    with pytest.raises(
        ParityError, match=r"in int8 names \d+\.\d+% of 10 held-back .*lower --min-a"
    ):
        quantise(saved, "simpleconvnet", pictures, tmp_path / "it.onnx", min_agreement=0.95)
    assert list(tmp_path.iterdir()) == []


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


def test_calibrator_sees_exactly_the_chosen_pictures(
    saved: Saved, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pictures but the held-back ones go through the calibrator, each once."""
    fed: list[bytes] = []
    reader = quantization.PictureReader

    class Watched(reader):  # type: ignore[valid-type,misc]
        def get_next(self) -> Any:  # noqa: ANN401
            feeds = super().get_next()
            if feeds is not None:
                fed.append(feeds["image"].tobytes())
            return feeds

    monkeypatch.setattr(quantization, "PictureReader", Watched)
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


def test_weights_beside_the_file_are_not_quantised(
    saved: Saved, pictures: Path, tmp_path: Path
) -> None:
    """Networks of over 2 GiB are refused in eight bits, with the remedy."""
    settings = ExportSettings(precision="int8", pictures=pictures, largest_bytes=1000)
    with pytest.raises(ExportError, match="over 2 GiB cannot be brought to int8; export as fp16"):
        export_classifier(saved("lenet5"), tmp_path / "it.onnx", settings)
    assert list(tmp_path.iterdir()) == []
