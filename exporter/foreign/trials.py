"""A wrapped network against the foreign one, fed by hand."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

from exporter.errors import ExportError, ParityError
from exporter.foreign.survey import Port
from exporter.foreign.wishes import Wishes
from exporter.foreign.wrapping import IMAGE, PROBABILITIES, Wiring
from exporter.scenes import draw_scenes

BATCHES = (1, 2, 7)
TOLERANCE = 1e-5  # of a probability
HALF_TOLERANCE = 1e-2  # of a network that takes float16
SUM_TOLERANCE = 1e-2  # of a row of probabilities; float16 rows sum less exactly
PROVIDER = "CPUExecutionProvider"

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """How closely the wrapped network follows the foreign one.

    Attributes:
        max_difference: of a probability, over all batches.
        batch_difference: of a probability between a picture in a batch and alone.
        tolerance: what both may be at most.
    """

    max_difference: float
    batch_difference: float
    tolerance: float

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "reference": "the network as it was, fed with pixels prepared by numpy",
            "runtime": f"onnxruntime {ort.__version__} {PROVIDER}",
            "tolerance": {"probability": self.tolerance},
            "max_difference": self.max_difference,
            "batch_difference": self.batch_difference,
            "batches": list(BATCHES),
        }


def draw_pictures(wishes: Wishes) -> NDArray[np.uint8]:
    """Return random scenes uint8 ``[N, H, W, C]``, as many as the largest batch."""
    return draw_scenes(max(BATCHES), *wishes.rule.size, seed=0)[..., : wishes.channels]


def score_by_hand(
    model: ModelProto, wiring: Wiring, wishes: Wishes, images: NDArray[np.uint8]
) -> Scores:
    """Return what the foreign network says of pictures, float64 ``[N, K]``.

    Args:
        model: as it was found.
        wiring: of its input and output.
        wishes: how pixels become its numbers.
        images: uint8 ``[N, H, W, C]``.

    Raises:
        ExportError: it cannot be run, or does not give K numbers per picture.
    """
    whole = ModelProto()
    whole.CopyFrom(model)
    if all(value.name != wiring.scores.name for value in whole.graph.output):
        whole.graph.output.append(helper.make_empty_tensor_value_info(wiring.scores.name))
    session = open_model(whole)
    batch = wiring.entry.dims[0] or 1
    pixels = prepare(images, wiring, wishes)
    rows = []
    for first in range(0, len(pixels), batch):
        part = pixels[first : first + batch]
        fed = np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)])
        rows.append(run(session, wiring.scores.name, {wiring.entry.name: fed})[: len(part)])
    scores = np.concatenate(rows).astype(np.float64)
    return check_scores(scores.reshape(len(scores), -1), wiring.scores, len(wishes.labels))


def check_scores(scores: Scores, port: Port, classes: int) -> Scores:
    """Return scores that are as many as the labels.

    Raises:
        ExportError: they are not.
    """
    if scores.shape[1] != classes:
        message = (
            f"output {port.name!r} has {scores.shape[1]} numbers per picture and --labels "
            f"{classes} names; give a label per class, in the network's order"
        )
        raise ExportError(message)
    return scores


def prepare(images: NDArray[np.uint8], wiring: Wiring, wishes: Wishes) -> NDArray[Any]:
    """Return pixels as the foreign network takes them."""
    values = (images.astype(np.float64) / wishes.scale - np.array(wishes.mean)) / wishes.std
    if wishes.color == "bgr":
        values = values[..., ::-1]
    if wiring.form == "nchw":
        values = values.transpose(0, 3, 1, 2)
    if wiring.form == "rows":
        values = values.reshape(len(values), -1)
    dtype = helper.tensor_dtype_to_np_dtype(wiring.entry.element)
    return np.ascontiguousarray(values.astype(dtype))


def are_probabilities(scores: Scores) -> bool:
    """Return whether every row has no negative value and sums to 1."""
    return bool(scores.min() >= 0 and np.abs(scores.sum(axis=1) - 1).max() < SUM_TOLERANCE)


def are_shares(scores: Scores) -> bool:
    """Return whether every value is one that a probability may have."""
    return bool(scores.min() >= 0 and scores.max() <= 1 + SUM_TOLERANCE)


def try_model(
    wrapped: ModelProto, images: NDArray[np.uint8], expected: Scores, *, half: bool
) -> Trial:
    """Run a wrapped network in several batches and compare.

    Args:
        wrapped: with the contract's input and output.
        images: uint8 ``[N, H, W, C]``.
        expected: probabilities ``[N, K]``.
        half: whether the network computes in float16.

    Raises:
        ParityError: results differ, or depend on the batch.
        ExportError: it cannot be run on several pictures at once.
    """
    session = open_model(wrapped)
    alone = np.concatenate([run(session, PROBABILITIES, {IMAGE: x[None]}) for x in images])
    together = [run(session, PROBABILITIES, {IMAGE: images[:n]}) for n in BATCHES]
    if any(rows.shape != expected[:n].shape for rows, n in zip(together, BATCHES, strict=True)):
        message = "gives another number of rows than pictures; export it with an open batch size"
        raise ExportError(message)
    trial = Trial(
        max(float(np.abs(rows - expected[: len(rows)]).max()) for rows in together),
        max(float(np.abs(rows - alone[: len(rows)]).max()) for rows in together),
        HALF_TOLERANCE if half else TOLERANCE,
    )
    if not max(trial.max_difference, trial.batch_difference) <= trial.tolerance:
        message = (
            f"differs by up to {trial.max_difference:.2g} in a probability once it is wrapped, and "
            f"by {trial.batch_difference:.2g} between a picture in a batch and alone; at most "
            f"{trial.tolerance:.0e} is allowed: export it with an open batch size"
        )
        raise ParityError(message)
    return trial


def apply_softmax(scores: Scores) -> Scores:
    """Return scores as probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def open_model(model: ModelProto) -> ort.InferenceSession:
    """Open a model on the CPU.

    Raises:
        ExportError: ONNX Runtime cannot.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(model.SerializeToString(), options, providers=[PROVIDER])
    except Exception as error:  # its exceptions share no narrower public class
        message = f"ONNX Runtime {ort.__version__} cannot open it ({first_line(error)})"
        raise ExportError(message) from error


def run(session: ort.InferenceSession, output: str, feeds: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """Return one output.

    Raises:
        ExportError: ONNX Runtime fails.
    """
    try:
        result: NDArray[Any] = session.run([output], feeds)[0]
    except Exception as error:  # its exceptions share no narrower public class
        count = len(next(iter(feeds.values())))
        message = (
            f"cannot run on {count} pictures at once ({first_line(error)}); export it with an open "
            "batch size, and check --size and --layout"
        )
        raise ExportError(message) from error
    return result


def first_line(error: Exception) -> str:
    """Return the first line of an error, shortened."""
    return str(error).partition("\n")[0][:300]


def count_parameters(model: ModelProto) -> int:
    """Return how many numbers with a fraction a model stores."""
    arrays = (numpy_helper.to_array(tensor) for tensor in model.graph.initializer)
    return sum(array.size for array in arrays if array.dtype.kind == "f" and array.ndim > 0)
