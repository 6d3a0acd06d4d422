"""One version of one model, open and ready to run."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from runner.classify.network import check_tensors, read_input, read_labels
from runner.errors import ModelError
from runner.model import ModelCard
from runner.network import Network
from runner.service.engine.statistics import Ledger
from runner.service.engine.tensors import Array, TensorSpec, check_inputs, read_spec
from runner.service.errors import BadRequest
from runner.session import RUNTIME_ERRORS

JOINABLE = ("stylize", "classify", "features")
WARM_SIDE = 64  # pixels, where a picture may have any size
WARM_RUNS = 2  # the first is slow in a way that says nothing about the next
# Of input. Above it a run's memory is given back when it ends: otherwise the largest picture
# ever sent would occupy its share for good, once for every worker.
SHRINK_BYTES = 2**20
SUM_TOLERANCE = 1e-3


class ServedModel:
    """An open network under the name and version that clients use.

    Args:
        name: of the model.
        version: of it, a whole number from 1 as text.
        network: open.

    Attributes:
        name: see above.
        version: see above.
        card: what the file says of itself; its ``path`` is not for clients.
        labels: of a ``classify`` file.
        inputs: what it takes.
        outputs: what it gives.
        joinable: rows of several requests may be run together. So it is for files that say
            what they are for, whose first dimensions are all free: of a foreign file nobody
            knows whether its first dimension counts pictures.
        provider: ``cpu``, ``cuda`` or ``openvino``, where it runs.
        precision: ``fp32``, ``int8``, ``fp16`` or ``bf16``, in which it computes.
        remark: why it is not another precision, where that is worth a word; it may name paths.
        ledger: its statistics.
        ns_per_byte: nanoseconds of a run per byte of input as the warm-up measured them; 0 where
            there was none.

    Raises:
        ModelError: the file contradicts itself, or has tensors that cannot be sent.
    """

    def __init__(self, name: str, version: str, network: Network) -> None:
        self.name = name
        self.version = version
        self.card: ModelCard = network.card
        self.provider, self.precision = network.provider, network.precision
        self.remark = network.remark
        self._session = network.session
        path = self.card.path
        self.inputs = read_specs(self._session.get_inputs(), path)
        if not self.inputs:
            message = f"{path}: it takes no input, and there is nothing to ask it; leave it out"
            raise ModelError(message)
        self.outputs = read_specs(self._session.get_outputs(), path)
        self.labels: tuple[str, ...] = self.check_contract()
        self.joinable = self.card.task in JOINABLE and all(
            spec.shape[:1] == (-1,) for spec in (*self.inputs, *self.outputs)
        )
        self.ledger = Ledger(name, version)
        self.ns_per_byte = 0.0

    def check(self, inputs: Mapping[str, Array]) -> int:
        """Compare the tensors of a request with what the model takes.

        Returns:
            the rows of the request; 1 where the model has no rows.

        Raises:
            BadRequest: names, types, shapes or style weights do not fit.
        """
        check_inputs(self.name, inputs, self.inputs)
        if not self.joinable:
            return 1
        counts = {name: len(array) for name, array in inputs.items()}
        rows = next(iter(counts.values()))
        if any(count != rows for count in counts.values()):
            listed = ", ".join(f"{name} {count}" for name, count in counts.items())
            message = (
                f"inputs of model {self.name!r} differ in rows ({listed}); send as many of each"
            )
            raise BadRequest(message)
        if self.card.task == "stylize":
            check_picture(self.name, inputs, self.card.minimum_side)
        return rows

    def run(
        self,
        inputs: Mapping[str, Array],
        outputs: Sequence[str],
        options: ort.RunOptions | None = None,
    ) -> dict[str, Array]:
        """Run the network once, blocking, in any thread.

        Args:
            inputs: as :meth:`check` accepts them.
            outputs: names of those wanted.
            options: whose ``terminate`` ends the run early.

        Returns:
            the wanted outputs by name.

        Raises:
            Exception: what ONNX Runtime raises; see :data:`runner.session.RUNTIME_ERRORS`.
        """
        options = options or ort.RunOptions()
        if self.provider == "cpu" and count_bytes(inputs) > SHRINK_BYTES:
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        found = self._session.run(list(outputs), dict(inputs), options)
        return {name: np.asarray(array) for name, array in zip(outputs, found, strict=True)}

    def warm_up(self) -> None:
        """Run the model on zeros, where its file says enough to build an input.

        Raises:
            ModelError: it fails.
        """
        inputs = self.build_inputs()
        if inputs is None:
            return
        try:
            for _ in range(WARM_RUNS):
                began = time.perf_counter_ns()
                self.run(inputs, [spec.name for spec in self.outputs])
                self.ns_per_byte = (time.perf_counter_ns() - began) / count_bytes(inputs)
        except RUNTIME_ERRORS as error:
            message = (
                f"{self.card.path}: fails on a first input of zeros "
                f"({str(error).splitlines()[0]}); export it again"
            )
            raise ModelError(message) from None

    def build_inputs(self) -> dict[str, Array] | None:
        """Return one row of zeros, or None where a foreign file leaves its sizes open."""
        known = all(side > 0 for spec in self.inputs for side in spec.shape[1:])
        if not (known or self.joinable):
            return None
        side = max(WARM_SIDE, self.card.minimum_side)
        inputs = {
            spec.name: np.zeros(
                [
                    1 if place == 0 and size < 0 else size if size > 0 else side
                    for place, size in enumerate(spec.shape)
                ],
                spec.dtype,
            )
            for spec in self.inputs
        }
        if self.card.task == "stylize":
            inputs["style_weights"][:, 0] = 1
        return inputs

    def check_contract(self) -> tuple[str, ...]:
        """Stop where a file does not keep the contract of the task it names.

        Returns:
            the labels of a ``classify`` file, none of others.

        Raises:
            ModelError: its tensors do not fit its task.
        """
        if self.card.task == "classify":
            labels = read_labels(self.card)
            check_tensors(self._session, self.card, read_input(self.card), len(labels))
            return labels
        if self.card.task == "stylize":
            check_stylize(self.card, (*self.inputs, *self.outputs))
        return ()


def read_specs(tensors: Sequence[Any], path: Path) -> tuple[TensorSpec, ...]:
    """Translate the inputs or outputs of an open file.

    Raises:
        ModelError: one cannot be sent.
    """
    try:
        return tuple(read_spec(tensor.name, tensor.type, tensor.shape) for tensor in tensors)
    except ValueError as error:
        message = f"{path}: {error}"
        raise ModelError(message) from None


def check_stylize(card: ModelCard, specs: Sequence[TensorSpec]) -> None:
    """Stop where a file calls itself a ``stylize`` file and does not keep the contract.

    Raises:
        ModelError: names, types or shapes of its tensors differ.
    """
    found = {spec.name: (spec.datatype, len(spec.shape), *spec.shape[-1:]) for spec in specs}
    wanted = {
        "image": ("UINT8", 4, 3),
        "style_weights": ("FP32", 2, len(card.styles)),
        "stylized": ("UINT8", 4, 3),
    }
    if found != wanted or not card.styles:
        listed = ", ".join(f"{spec.name} {spec.datatype} {list(spec.shape)}" for spec in specs)
        message = (
            f"{card.path}: its tensors ({listed}) and its {len(card.styles)} styles do not fit a "
            "stylize network; export it again"
        )
        raise ModelError(message)


def count_bytes(inputs: Mapping[str, Array]) -> int:
    """Return the bytes of all tensors."""
    return sum(array.nbytes for array in inputs.values())


def check_picture(model: str, inputs: Mapping[str, Array], minimum_side: int) -> None:
    """Check what the types of a ``stylize`` file's tensors do not say.

    Raises:
        BadRequest: the pictures are too small, or a row of weights is no blend of styles.
    """
    height, width = inputs["image"].shape[1:3]
    if min(height, width) < minimum_side:
        message = (
            f"input 'image' is {width}x{height} px; model {model!r} needs {minimum_side} px on "
            "each side: send a larger picture"
        )
        raise BadRequest(message)
    weights = inputs["style_weights"]
    with np.errstate(all="ignore"):  # of infinities, which the comparison finds
        sums = weights.sum(axis=1)
    wrong = ~(abs(sums - 1) <= SUM_TOLERANCE)  # so that NaN is wrong too
    if wrong.any():
        message = (
            f"input 'style_weights' of model {model!r} has a row that sums to "
            f"{sums[wrong][0]:.4g}; the shares of the styles sum to 1 in every row"
        )
        raise BadRequest(message)
