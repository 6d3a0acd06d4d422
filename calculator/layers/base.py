"""What every layer can do."""

from abc import ABC, abstractmethod

from calculator.layers.shapes import Derived, Shape


class Layer(ABC):
    """One operation of a network; subclasses are frozen dataclasses of its settings."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """The word of the one-line grammar, such as ``conv``."""

    @abstractmethod
    def derive(self, inputs: tuple[Shape, ...], batch: int = 1) -> Derived:
        """Apply the layer to inputs of these shapes.

        Args:
            inputs: shapes without the batch; one, except for joins.
            batch: N, at least 1.

        Returns:
            The output's shape and every count, each with its derivation.

        Raises:
            ShapeError: the layer cannot take these shapes.
        """


class UnaryLayer(Layer):
    """A layer of one input, which nearly all are."""

    def derive(self, inputs: tuple[Shape, ...], batch: int = 1) -> Derived:
        """Apply the layer to its one input; see :meth:`Layer.derive`."""
        (shape,) = inputs
        return self.derive_one(shape, batch)

    @abstractmethod
    def derive_one(self, shape: Shape, batch: int) -> Derived:
        """Apply the layer to a shape without the batch; :meth:`derive` calls this."""
