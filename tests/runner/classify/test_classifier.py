"""Classifying from Python: the class ``Classifier``."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image

from runner import Classifier, ImpastoError, Prediction
from runner.errors import ModelError, PictureError, ProviderError

RED = Image.new("RGB", (30, 20), (200, 0, 0))


@pytest.fixture(scope="module")
def classifier(colors: Path) -> Classifier:
    """Return the classifier of three colours on the CPU."""
    return Classifier(colors, "cpu")


def make_tile(number: int) -> Image.Image:
    """Return a tile whose class is ``number`` modulo 3, of changing size."""
    color = [0, 0, 0]
    color[number % 3] = 200
    return Image.new("RGB", (20 + number % 5, 30), tuple(color))


def test_classify_takes_pictures_in_any_form(classifier: Classifier, tmp_path: Path) -> None:
    """An image, a path, a path as text and an array give the same predictions."""
    RED.save(tmp_path / "ü.png")
    found = classifier.classify(RED)
    assert found[0] == Prediction(0, "red", found[0].probability)
    assert found[0].probability == pytest.approx(0.9963, abs=1e-4)
    assert [prediction.label for prediction in found] == ["red", "green", "blue"]
    for source in (tmp_path / "ü.png", str(tmp_path / "ü.png"), np.asarray(RED)):
        assert classifier.classify(source) == found
    with pytest.raises(FrozenInstanceError, match="probability"):
        found[0].probability = 1.0  # type: ignore[misc]


def test_arrays_may_be_grey_or_have_a_mask(classifier: Classifier) -> None:
    """uint8 [H, W], [H, W, 1] and [H, W, 4] are pictures, also where they lie apart in memory."""
    grey = np.full((20, 40), 90, np.uint8)
    expected = classifier.prepare(Image.fromarray(grey))
    np.testing.assert_array_equal(classifier.prepare(grey), expected)
    np.testing.assert_array_equal(classifier.prepare(grey[:, :, None]), expected)
    np.testing.assert_array_equal(classifier.prepare(grey[:, ::2]), expected)
    clear = np.zeros((20, 20, 4), np.uint8)
    clear[..., 0] = 255
    assert (classifier.prepare(clear) == 0).all()  # what is clear is the background


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((8, 8)), np.zeros((8, 8, 2), np.uint8), np.zeros((0, 8, 3), np.uint8),
     np.zeros(8, np.uint8), np.zeros((1, 8, 8, 3), np.uint8)],
)  # fmt: skip
def test_other_arrays_are_refused(pixels: Any, classifier: Classifier) -> None:  # noqa: ANN401
    """An array that is no picture is named by type and shape."""
    with pytest.raises(PictureError, match=r"is no picture: it must be uint8 \[H, W\]"):
        classifier.classify(pixels)


def test_probabilities_are_all_of_them(classifier: Classifier) -> None:
    """float32, one per class, in the order of the labels, summing to 1."""
    found = classifier.probabilities(RED)
    assert found.dtype == np.float32
    assert found.shape == (3,)
    assert classifier.labels == ("red", "green", "blue")
    assert found.sum() == pytest.approx(1, abs=1e-6)


def test_prepare_and_predict_are_its_halves(classifier: Classifier) -> None:
    """Pixels go in as they come out, many at a time; other arrays are refused."""
    assert classifier.input_shape == (8, 8, 3)
    pixels = np.stack([classifier.prepare(make_tile(number)) for number in range(4)])
    found = classifier.predict(pixels)
    assert found.argmax(axis=1).tolist() == [0, 1, 2, 0]
    assert classifier.predict(pixels[:0]).shape == (0, 3)
    wrongs: list[Any] = [pixels[0], pixels.astype(np.float32), pixels[:, :7]]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"must be uint8 \[N, 8, 8, 3\]; prepare\(\) returns"):
            classifier.predict(wrong)


def test_top_is_bounded(classifier: Classifier) -> None:
    """As many classes as asked for come back, and no impossible number is taken."""
    assert len(classifier.classify(RED, top=1)) == 1
    assert len(classifier.classify(RED)) == 3
    for top in (0, 4):
        with pytest.raises(ValueError, match=rf"top {top} must lie between 1 and the 3 classes"):
            classifier.classify(RED, top)
        with pytest.raises(ValueError, match=rf"top {top} must lie between 1 and the 3 classes"):
            classifier.classify_many([], top)


def test_classify_many_keeps_the_order(classifier: Classifier) -> None:
    """Hundreds of pictures come back in their order, as classify gives them alone."""
    found = list(classifier.classify_many((make_tile(number) for number in range(300)), top=2))
    assert [predictions[0].index for predictions in found] == [n % 3 for n in range(300)]
    for number, predictions in enumerate(found[:9]):
        alone = classifier.classify(make_tile(number), top=2)
        assert [p.label for p in predictions] == [p.label for p in alone]
        assert predictions[0].probability == pytest.approx(alone[0].probability, abs=1e-6)


def test_classify_many_opens_no_second_session(
    colors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One picture or many, the network is in memory once."""
    opened: list[object] = []
    session = ort.InferenceSession

    def count(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        opened.append(arguments)
        return session(*arguments, **options)

    monkeypatch.setattr(ort, "InferenceSession", count)
    once = Classifier(colors, "cpu")
    alone = once.classify(RED)
    assert next(once.classify_many([RED])) == alone
    assert len(opened) == 1


def test_classify_many_is_lazy(classifier: Classifier) -> None:
    """From endless input a few results can be taken, and nothing runs on behind them."""
    taken = 0

    def tiles() -> Iterator[Image.Image]:
        nonlocal taken
        while True:
            yield make_tile(taken)
            taken += 1

    before = threading.active_count()
    found = classifier.classify_many(tiles())
    assert taken == 0
    assert len(list(itertools.islice(found, 3))) == 3
    assert taken < 2000
    del found
    assert threading.active_count() == before


def test_classify_many_of_a_live_source(colors: Path) -> None:
    """With a batch of 1 a result comes before the next picture is there."""
    seen: list[int] = []

    def come() -> Iterator[Image.Image]:
        for number in range(40):
            yield make_tile(number)
            seen.append(number)

    found = Classifier(colors, "cpu", batch=1).classify_many(come())
    next(found)
    assert len(seen) < 39
    assert len(list(found)) == 39


def test_classify_many_takes_one_lazy_image_many_times(
    classifier: Classifier, make_photo: Callable[..., Image.Image], tmp_path: Path
) -> None:
    """An image that Pillow has only opened may stand in the list more than once."""
    make_photo(400, 300).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        found = list(classifier.classify_many([image] * 40))
    assert all(predictions == found[0] for predictions in found)


def test_classify_many_stops_at_a_failure(classifier: Classifier, tmp_path: Path) -> None:
    """The pictures before a bad one come out, then its error, and no thread stays."""
    (tmp_path / "bad.png").write_text("Dear diary,")
    before = threading.active_count()
    found = classifier.classify_many([RED, tmp_path / "bad.png", RED])
    assert next(found)[0].label == "red"
    with pytest.raises(PictureError, match=r"bad\.png: not a picture"):
        next(found)
    assert threading.active_count() == before


def test_classifier_explains_what_it_cannot_do(classifier: Classifier, tmp_path: Path) -> None:
    """Pictures, models, providers and batches that cannot be used are named."""
    with pytest.raises(ImpastoError, match=r"b\.jpg: cannot be read \(No such file"):
        classifier.classify(tmp_path / "b.jpg")
    with pytest.raises(ModelError, match=r"model 'lenet55' is no file"):
        Classifier("lenet55")
    with pytest.raises(ProviderError, match=r"provider 'gpu' is unknown"):
        Classifier(tmp_path, "gpu")
    with pytest.raises(ValueError, match=r"batch 0 must be at least 1"):
        Classifier(tmp_path, batch=0)


@pytest.mark.cuda
@pytest.mark.skipif(
    "CUDAExecutionProvider" not in ort.get_available_providers(),
    reason="needs an NVIDIA GPU and onnxruntime-gpu: this runtime has no CUDA provider",
)
def test_cuda_classifies_like_the_cpu(strokes: Path) -> None:
    """A GPU gives the CPU's probabilities to 1e-4."""
    pixels = np.random.default_rng(2).integers(0, 256, (40, 32, 32, 1), dtype=np.uint8)
    expected = Classifier(strokes, "cpu").predict(pixels)
    np.testing.assert_allclose(Classifier(strokes, "cuda").predict(pixels), expected, atol=1e-4)
