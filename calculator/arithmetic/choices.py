"""The least or the greatest of several numbers."""

from collections.abc import Sequence


def choose(which: str, numbers: Sequence[int]) -> int:
    """Return the least (``min``) or the greatest (``max``) of at least one number.

    A number that depends on letters (``calculator/symbolic``) chooses by itself.
    """
    for number in numbers:
        choose_among = getattr(number, "choose", None)
        if choose_among is not None:
            chosen: int = choose_among(which, numbers)
            return chosen
    return min(numbers) if which == "min" else max(numbers)
