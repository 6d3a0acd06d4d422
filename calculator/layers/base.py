"""What every layer can do."""

from calculator.layers.shapes import Derived, Shape


class Layer:
    """One operation of a network; subclasses are frozen dataclasses of its settings."""

    @property
    def kind(self) -> str:
        """The word of the one-line grammar, such as ``conv``."""
        raise NotImplementedError

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
        (shape,) = inputs
        return self.derive_one(shape, batch)

    def derive_one(self, shape: Shape, batch: int) -> Derived:
        """Apply a layer of one input; :meth:`derive` calls this."""
        raise NotImplementedError
