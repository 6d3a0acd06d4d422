"""One exported file with its layers: prepared pictures in, what each layer returns out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from runner.classify.network import agree, read_input
from runner.classify.rules import InputRule, shorten
from runner.errors import ModelError, PictureError
from runner.images import Pixels
from runner.look.layers import REMEDY, Layer, read_layers
from runner.model import ModelCard, find_classifier, read_card
from runner.session import RUNTIME_ERRORS, open_session

Values = NDArray[np.float32]
TASKS = ("classify", "features")
PROBABILITIES = "probabilities"
BATCH_BYTES = 2**27  # of the layers of one run, which holds them all at once
LARGEST_BATCH = 64
MOST_COLORS = (1, 3)


@dataclass(frozen=True)
class Filters:
    """The first layer's filters.

    Attributes:
        after: training, float32 ``[K, C, height, width]``, C 1 or 3.
        before: the same before training; None where the file does not know them.
    """

    after: Values
    before: Values | None = None

    @property
    def limit(self) -> float:
        """The largest weight, of either sign, before or after."""
        arrays = [self.after] if self.before is None else [self.before, self.after]
        return max(float(np.abs(array).max()) for array in arrays)

    @property
    def change(self) -> float | None:
        """Root mean square of what training changed, relative to that of the weights before."""
        if self.before is None:
            return None
        size = float(np.sqrt(np.mean(self.before**2, dtype=np.float64)))
        moved = float(np.sqrt(np.mean((self.after - self.before) ** 2, dtype=np.float64)))
        return moved / size if size else None


class LayeredNetwork:
    """An open ``classify`` or ``features`` file that gives out its layers.

    Args:
        model: name of a classifier that ships with the package, or an ONNX file.
        provider: ``auto``, ``cpu`` or ``cuda``.

    Attributes:
        card: the file's metadata.
        rule: how pictures become its input.
        layers: in the order in which they run.
        labels: of the classes; empty for a ``features`` file.

    Raises:
        ModelError: the file is missing, damaged, made for something else, without layers, or
            contradicts itself.
        ProviderError: the provider cannot be used.
    """

    def __init__(self, model: str | Path, provider: str = "auto") -> None:
        path = find_classifier(model)
        self._session = open_session(path, provider)
        self.card: ModelCard = read_card(self._session, path)
        check_task(self.card)
        self.layers: tuple[Layer, ...] = read_layers(self.card)
        self.rule: InputRule = read_input(self.card)
        check_input(self._session, self.card, self.rule)
        check_outputs(self._session, self.card, self.layers)
        self.labels: tuple[str, ...] = self._read_labels()

    @property
    def name(self) -> str:
        """What the network is called: by its metadata, else by its file."""
        network = self.card.values.get("network")
        name = network.get("name") if isinstance(network, dict) else None
        return name if isinstance(name, str) and name else self.card.path.stem

    @property
    def batch(self) -> int:
        """Pictures per run. A run holds all layers, also those that nobody asked for."""
        held = 4 * sum(layer.values for layer in self.layers)
        return max(1, min(LARGEST_BATCH, BATCH_BYTES // held))

    def run(self, names: Sequence[str], pixels: Pixels) -> list[Values]:
        """Return outputs of prepared pictures.

        Args:
            names: of layers or other outputs.
            pixels: uint8 ``[N, H, W, C]``.

        Returns:
            Per name float32 ``[N, ...]``.

        Raises:
            PictureError: the runtime fails, mostly for want of memory.
        """
        try:
            found = self._session.run(list(names), {"image": pixels})
        except RUNTIME_ERRORS as error:
            message = f"ONNX Runtime cannot look at it ({str(error).splitlines()[0]})"
            raise PictureError(message) from None
        return [np.asarray(values, np.float32) for values in found]

    def read_filters(self) -> Filters | None:
        """Return the first layer's filters, or None where the file has none.

        Raises:
            ModelError: what the file calls filters are none.
        """
        taps = self.card.values["taps"]
        stated = taps.get("filters") or {}
        if not isinstance(stated, dict):
            message = (
                f"{self.card.path}: impasto.taps names no filters but {shorten(stated)}; {REMEDY}"
            )
            raise ModelError(message)
        if stated.get("after") is None:
            return None
        present = [stated[when] for when in ("after", "before") if stated.get(when) is not None]
        outputs = {output.name for output in self._session.get_outputs()}
        if not all(isinstance(name, str) and name in outputs for name in present):
            message = f"{self.card.path}: it has no outputs {shorten(present)}; {REMEDY}"
            raise ModelError(message)
        blank = np.zeros((1, *self.rule.size, self.rule.channels), np.uint8)
        arrays = self.run(present, blank)
        check_filters(self.card, arrays)
        return Filters(*arrays)

    def _read_labels(self) -> tuple[str, ...]:
        """Return the classes' names where the file gives out their probabilities."""
        labels: Any = self.card.values.get("labels")
        stated = {output.name: output.shape for output in self._session.get_outputs()}
        named = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
        shape = stated.get(PROBABILITIES, [])
        if named and len(shape) == 2 and agree(shape[1], len(labels)):
            return tuple(labels)
        return ()


def check_task(card: ModelCard) -> None:
    """Stop where a file is made for something else.

    Raises:
        ModelError: its task is neither ``classify`` nor ``features``.
    """
    if card.task not in TASKS:
        made_for = f"made for {card.task!r}" if card.task else "without impasto metadata"
        remedy = "pass a classifier that was exported with --taps" if card.task else REMEDY
        message = f"{card.path}: {made_for}, and look shows classifiers; {remedy}"
        raise ModelError(message)


def check_input(session: ort.InferenceSession, card: ModelCard, rule: InputRule) -> None:
    """Stop where a file does not take pictures as its metadata say.

    Raises:
        ModelError: name, type or shape of the input differs.
    """
    inputs = session.get_inputs()
    sides = (*rule.size, rule.channels)
    fits = [(tensor.name, tensor.type, len(tensor.shape)) for tensor in inputs] == [
        ("image", "tensor(uint8)", 4)
    ]
    if not fits or not all(map(agree, inputs[0].shape[1:], sides)):
        listed = ", ".join(f"{tensor.name} {tensor.type} {tensor.shape}" for tensor in inputs)
        message = (
            f"{card.path}: its inputs ({shorten(listed)}) are not image uint8 [N, {sides[0]}, "
            f"{sides[1]}, {sides[2]}] as its metadata say; {REMEDY}"
        )
        raise ModelError(message)
    if isinstance(inputs[0].shape[0], int):
        message = f"{card.path}: its batch is fixed to {inputs[0].shape[0]}; {REMEDY}"
        raise ModelError(message)


def check_outputs(session: ort.InferenceSession, card: ModelCard, layers: Sequence[Layer]) -> None:
    """Stop where a layer of the metadata is no output, or one of another shape.

    Raises:
        ModelError: it is so.
    """
    outputs = {output.name: output for output in session.get_outputs()}
    for layer in layers:
        found = outputs.get(layer.name)
        shape = found.shape if found and found.type in {"tensor(float)", "tensor(float16)"} else []
        fits = len(shape) == 1 + len(layer.shape) and all(map(agree, shape[1:], layer.shape))
        if not fits:
            stated = f"{found.type} {found.shape}" if found else "missing"
            message = (
                f"{card.path}: layer {shorten(layer.name)} should be an output "
                f"[N, {', '.join(map(str, layer.shape))}] and is {stated}; {REMEDY}"
            )
            raise ModelError(message)


def check_filters(card: ModelCard, arrays: Sequence[Values]) -> None:
    """Stop where filters cannot be drawn.

    Raises:
        ModelError: they are not [K, 1 or 3, height, width], differ in shape, or are not finite.
    """
    shape = arrays[0].shape
    drawable = len(shape) == 4 and shape[1] in MOST_COLORS and min(shape) > 0
    if not drawable or any(array.shape != shape for array in arrays):
        message = (
            f"{card.path}: its filters {[list(array.shape) for array in arrays]} are not "
            f"[K, C, height, width] with 1 or 3 channels; {REMEDY}"
        )
        raise ModelError(message)
    if not all(np.isfinite(array).all() for array in arrays):
        message = f"{card.path}: its filters hold values that are no numbers; train it again"
        raise ModelError(message)
