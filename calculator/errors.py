"""The errors of the calculator: a description that makes no sense is wrong usage, exit status 2.

The whole tree is drawn in ``runner/errors.py``. This room imports nothing of ours, so
its leaf grows from :class:`click.UsageError`, which the command line prints without a
traceback.
"""

from collections.abc import Iterable

import click


class CalculatorError(click.UsageError):
    """A network cannot be read, or its layers do not fit; the exit status is 2."""


class ShapeError(CalculatorError):
    """A layer cannot take the shape it is given; the message does not name the layer yet."""


class MisfitError(CalculatorError):
    """The layers of a line do not fit.

    Args:
        message: which one, why, and where it stands.
        line: the whole line.
        input_shape: replaces the shape that the line starts with.
    """

    def __init__(self, message: str, line: str, *, input_shape: tuple[int, ...] | None) -> None:
        super().__init__(message)
        self.line, self.input_shape = line, input_shape

    def format_message(self) -> str:
        """Return the message with the likeliest remedy, which is sought only when it is shown."""
        from calculator.teaching.doctor.diagnosis import suggest_fix  # noqa: PLC0415 - only here

        return self.message + suggest_fix(self.line, input_shape=self.input_shape)


def list_nearest(word: str, known: Iterable[str]) -> str:
    """Return the ``known`` words as one line, those most like ``word`` first."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - only when something is wrong

    return ", ".join(
        sorted(known, key=lambda other: SequenceMatcher(None, word, other).ratio(), reverse=True)
    )


def suggest(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'same'?"`` for the word nearest to ``word``, or nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - only when something is wrong

    nearest = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
