"""What is measured: one network at every size, on every provider, in every precision."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from runner.classify.network import read_input
from runner.errors import ModelError, ProviderError
from runner.model import COLLECTION, ModelCard, find_classifier, read_card
from runner.precision import choose_precision, list_precisions
from runner.session import choose_provider, list_providers, open_session

STYLE_SIDES = (256, 512, 1024, 2048)


@dataclass(frozen=True)
class Combination:
    """One thing to time.

    Attributes:
        model: the file that was named.
        file: the one that is opened: ``model``, or its sibling of another precision.
        provider: ``cpu``, ``cuda`` or ``openvino``.
        precision: ``fp32``, ``int8``, ``fp16`` or ``bf16``.
        shape: of the input ``image``: pictures per run, height, width, channels.
        threads: of one run on the CPU.
    """

    model: str
    file: str
    provider: str
    precision: str
    shape: tuple[int, int, int, int]
    threads: int


def read_subject(model: Path | None) -> ModelCard:
    """Read what a file, the name of a classifier, or the collection (None) is.

    Raises:
        ModelError: it is missing, damaged, or neither a style file nor a classifier.
    """
    path = COLLECTION if model is None else find_classifier(model)
    card = read_card(open_session(path, "cpu", 1), path)
    if card.task not in {"stylize", "classify"}:
        made_for = f"made for {card.task!r}" if card.task else "without impasto metadata"
        message = f"{path}: {made_for}; give a file that 'impasto export' or 'annotate' wrote"
        raise ModelError(message)
    return card


def list_shapes(
    card: ModelCard, sides: Sequence[int] | None, batch: int
) -> list[tuple[int, int, int, int]]:
    """Return the input shapes, ``[N, H, W, C]``.

    Raises:
        click.UsageError: a size does not fit the network.
        ModelError: a classifier's rule cannot be read.
    """
    if card.task == "classify":
        rule = read_input(card)
        if sides is not None:
            size = f"{rule.size[1]}x{rule.size[0]}"
            message = f"{card.path}: its pictures are {size}; leave out --sizes"
            raise click.UsageError(message)
        return [(batch, *rule.size, rule.channels)]
    sides = sides or STYLE_SIDES
    small = next((side for side in sides if side < card.minimum_side), None)
    if small is not None:
        message = f"--sizes {small} is smaller than the {card.minimum_side} px this network needs"
        raise click.UsageError(message)
    return [(batch, side, side, 3) for side in sides]


def list_pairs(
    path: Path, providers: Sequence[str], precisions: Sequence[str]
) -> list[tuple[str, str]]:
    """Return providers with precisions, without repetition.

    Args:
        path: the file that was named.
        providers: what was asked for; nothing means all of this build.
        precisions: the same; nothing means all that can be had.

    Raises:
        ModelError: a precision was asked for that can be had on none of the providers.
        ProviderError: the same, or a provider is not there.
    """
    chosen = [choose_provider(name) for name in providers] or list_providers()
    if not precisions:
        pairs = [(name, word) for name in chosen for word in list_precisions(path, name)]
        return list(dict.fromkeys(pairs))
    pairs = []
    for word in precisions:
        found, error = find_providers(path, chosen, word)
        if not found and error is not None:
            raise error
        pairs += found
    return list(dict.fromkeys(pairs))


def find_providers(
    path: Path, providers: Sequence[str], precision: str
) -> tuple[list[tuple[str, str]], ModelError | ProviderError | None]:
    """Return the providers that have a precision, with its resolved name, and the last refusal."""
    found: list[tuple[str, str]] = []
    error: ModelError | ProviderError | None = None
    for name in providers:
        try:
            found.append((name, choose_precision(path, name, precision).precision))
        except (ModelError, ProviderError) as refusal:
            error = refusal
    return found, error


def combine(
    path: Path,
    shapes: Sequence[tuple[int, int, int, int]],
    pairs: Sequence[tuple[str, str]],
    threads: int,
) -> list[Combination]:
    """Return everything that is to be timed, sizes outermost."""
    return [
        Combination(
            model=str(path),
            file=str(choose_precision(path, provider, precision).path),
            provider=provider,
            precision=precision,
            shape=shape,
            threads=threads,
        )
        for shape in shapes
        for provider, precision in pairs
    ]
