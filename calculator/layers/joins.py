"""Where branches meet: sums and concatenations."""

from dataclasses import dataclass

from calculator.errors import ShapeError
from calculator.layers.base import Layer
from calculator.layers.shapes import Derived, Shape, render_shape


@dataclass(frozen=True)
class Add(Layer):
    """The sum of branches of one shape (He et al. 2016, "Deep Residual Learning", eq. 1)."""

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "add"

    def derive(self, inputs: tuple[Shape, ...], batch: int = 1) -> Derived:  # noqa: ARG002
        """Return the common shape.

        Raises:
            ShapeError: the shapes differ.
        """
        if len(set(inputs)) > 1:
            shown = ", ".join(render_shape(shape) for shape in inputs)
            message = (
                f"the branches have shapes {shown} and a sum needs equal ones; "
                "give every branch the same channels, strides and padding"
            )
            raise ShapeError(message)
        return Derived(inputs[0])


@dataclass(frozen=True)
class Concat(Layer):
    """The channels of all branches, one after another (Szegedy et al. 2015, figure 2)."""

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "concat"

    def derive(self, inputs: tuple[Shape, ...], batch: int = 1) -> Derived:  # noqa: ARG002
        """Return the sum of the channels with the common spatial sizes.

        Raises:
            ShapeError: the spatial sizes differ.
        """
        if len({shape[1:] for shape in inputs}) > 1:
            shown = ", ".join(render_shape(shape) for shape in inputs)
            message = (
                f"the branches have shapes {shown} and only the channels may differ; "
                "give every branch the same strides and padding"
            )
            raise ShapeError(message)
        return Derived((sum(shape[0] for shape in inputs), *inputs[0][1:]))
