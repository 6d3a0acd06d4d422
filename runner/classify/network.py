"""One exported ``classify`` network: prepared pictures in, probabilities out."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from runner.classify.rules import InputRule, read_rule
from runner.errors import ModelError, PictureError
from runner.images import Pixels
from runner.model import ModelCard, find_classifier, read_card, require_task
from runner.session import RUNTIME_ERRORS, name_provider, open_session

Probabilities = NDArray[np.float32]
LARGEST_BATCH = 64
BATCH_BYTES = 2**20  # of input per run


class Network:
    """An open ``classify`` file.

    Args:
        model: name of a classifier that ships with the package, or an ONNX file.
        provider: ``auto``, ``cpu``, ``cuda`` or ``openvino``.
        threads: of one run on the CPU; all processors when None.
        runs: how many batches will be classified at the same time.

    Raises:
        ModelError: the file is missing, damaged, made for something else, or contradicts itself.
        ProviderError: the provider cannot be used.
    """

    def __init__(
        self,
        model: str | Path,
        provider: str = "auto",
        threads: int | None = None,
        *,
        runs: int = 1,
    ) -> None:
        path = find_classifier(model)
        self._session = open_session(path, provider, threads, runs=runs)
        self.card: ModelCard = read_card(self._session, path)
        require_task(self.card, "classify")
        self.rule: InputRule = read_input(self.card)
        self.labels: tuple[str, ...] = read_labels(self.card)
        self.provider = name_provider(self._session)
        check_tensors(self._session, self.card, self.rule, len(self.labels))
        self._check_output()

    @property
    def batch(self) -> int:
        """Pictures per run that are fast without taking much memory.

        Up to 64: a small network spends more on starting a run than on a picture. Less for
        larger inputs, whose runs are long anyway.
        """
        return max(1, min(LARGEST_BATCH, BATCH_BYTES // self.rule.input_bytes))

    def predict(self, pixels: Pixels) -> Probabilities:
        """Classify prepared pictures in one run.

        Args:
            pixels: uint8 ``[N, H, W, C]``.

        Returns:
            float32 ``[N, K]``; rows sum to 1 and do not depend on the other rows but for rounding.

        Raises:
            PictureError: the runtime fails, mostly for want of memory.
        """
        try:
            found = np.asarray(self._session.run(["probabilities"], {"image": pixels})[0])
        except RUNTIME_ERRORS as error:
            message = (
                f"ONNX Runtime cannot classify it ({str(error).splitlines()[0]}); "
                "try a smaller --batch"
            )
            raise PictureError(message) from None
        if found.shape != (len(pixels), len(self.labels)):
            message = (
                f"{self.card.path} returned probabilities {list(found.shape)} for {len(pixels)} "
                f"pictures and {len(self.labels)} labels; export or annotate it again"
            )
            raise PictureError(message)
        return found

    def _check_output(self) -> None:
        """Ask a file that does not state its number of classes for one picture's."""
        shape = self._session.get_outputs()[0].shape
        if isinstance(shape[1], int):
            return
        try:
            self.predict(np.zeros((1, *self.rule.size, self.rule.channels), np.uint8))
        except PictureError as error:
            message = f"{self.card.path}: {error.message}"
            raise ModelError(message) from None


def read_input(card: ModelCard) -> InputRule:
    """Read the input rule of a ``classify`` file.

    Raises:
        ModelError: it is missing or not allowed.
    """
    try:
        return read_rule(card.values.get("input"))
    except ValueError as error:
        message = f"{card.path}: {error}; export or annotate it again"
        raise ModelError(message) from None


def read_labels(card: ModelCard) -> tuple[str, ...]:
    """Read the class names of a ``classify`` file.

    Raises:
        ModelError: they are no list of texts.
    """
    labels: Any = card.values.get("labels")
    if isinstance(labels, list) and labels and all(isinstance(label, str) for label in labels):
        return tuple(labels)
    message = f"{card.path}: impasto.labels is no list of names; export or annotate it again"
    raise ModelError(message)


def check_tensors(
    session: ort.InferenceSession, card: ModelCard, rule: InputRule, classes: int
) -> None:
    """Stop where a file calls itself a ``classify`` file and does not keep the contract.

    Raises:
        ModelError: names, types or shapes of its tensors differ, or its labels are too many or
            too few.
    """
    inputs, outputs = session.get_inputs(), session.get_outputs()
    # a file with taps also returns the values of its layers, which nothing here asks for
    tensors = [*inputs, *(outputs[:1] if "taps" in card.values else outputs)]
    names = [(tensor.name, tensor.type, len(tensor.shape)) for tensor in tensors]
    wanted = [("image", "tensor(uint8)", 4), ("probabilities", "tensor(float)", 2)]
    listed = ", ".join(f"{tensor.name} {tensor.type} {tensor.shape}" for tensor in tensors)
    sides = (*rule.size, rule.channels)
    if names != wanted or not all(map(agree, inputs[0].shape[1:], sides)):
        message = (
            f"{card.path}: its tensors ({listed}) do not fit a classify network of input "
            f"image uint8 [N, {sides[0]}, {sides[1]}, {sides[2]}] and output probabilities float32 "
            "[N, K]; export it again"
        )
        raise ModelError(message)
    if isinstance(inputs[0].shape[0], int):
        message = (
            f"{card.path}: its batch is fixed to {inputs[0].shape[0]}; export it with a free one"
        )
        raise ModelError(message)
    if not agree(outputs[0].shape[1], classes):
        message = (
            f"{card.path}: {classes} labels for {outputs[0].shape[1]} classes; annotate it again"
        )
        raise ModelError(message)


def agree(stated: object, wanted: int) -> bool:
    """Tell whether a dimension of a file is free or ``wanted``."""
    return not isinstance(stated, int) or stated == wanted
