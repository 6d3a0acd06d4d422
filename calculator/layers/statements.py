"""What a description says arrives at a layer, checked against what does arrive."""

from calculator.errors import ShapeError


def check_inputs(arriving: int, stated: int | None, *, what: str) -> None:
    """Refuse a number of channels or features that differs from the one that is stated.

    Frameworks make the weights of a layer from such a number (``in_channels`` and
    ``in_features`` of PyTorch), so a wrong one is the commonest of all shape errors.

    Args:
        arriving: channels or features that the layer is given.
        stated: what the description says; None where it says nothing.
        what: ``channels`` or ``features``.

    Raises:
        ShapeError: the two differ.
    """
    if stated is not None and arriving != stated:
        message = (
            f"{what}: {arriving} arriving, in={stated} stated; "
            f"state in={arriving}, or change the layers before"
        )
        raise ShapeError(message)
