"""An open network: the file of the right precision on the right processor."""

from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort

from runner.model import ModelCard, read_card
from runner.precision import choose_precision
from runner.session import choose_provider, name_provider, open_session


@dataclass(frozen=True)
class Network:
    """A file at work.

    Attributes:
        session: ONNX Runtime's.
        card: what the file says of itself.
        provider: ``cpu``, ``cuda`` or ``openvino``: where it really runs.
        precision: ``fp32``, ``int8``, ``fp16`` or ``bf16``: in which it really computes.
        remark: why a faster file was not taken, or empty.
    """

    session: ort.InferenceSession
    card: ModelCard
    provider: str
    precision: str
    remark: str


def open_network(
    path: Path,
    provider: str = "auto",
    threads: int | None = None,
    *,
    precision: str = "auto",
    runs: int = 1,
) -> Network:
    """Open a file, or its sibling of another precision.

    Args:
        path: the fp32 file, or any.
        provider: see :func:`runner.session.open_session`.
        threads: the same.
        precision: see :func:`runner.precision.choose_precision`.
        runs: how many runs will go on at the same time.

    Raises:
        ModelError: the file is missing, damaged, or not there in this precision.
        ProviderError: the provider cannot be used, or has not this precision.
    """
    wanted = choose_provider(provider)
    choice = choose_precision(path, wanted, precision)
    session = open_session(choice.path, provider, threads, precision=choice.precision, runs=runs)
    found = name_provider(session)
    if found != wanted:  # auto fell back to the CPU, for which another file may be the right one
        choice = choose_precision(path, found, precision)
        session = open_session(choice.path, found, threads)
    card = read_card(session, choice.path)
    return Network(session, card, found, choice.precision, choice.remark)
