"""Operations of files and modules for which the grammar has no word."""

from dataclasses import dataclass

from calculator.arithmetic import formulas
from calculator.arithmetic.receptive import Slide
from calculator.layers.base import Layer
from calculator.layers.shapes import Derived, Shape


@dataclass(frozen=True)
class Source(Layer):
    """Another input of the network, beside the picture.

    Args:
        shape: without the batch.
    """

    shape: Shape

    @property
    def kind(self) -> str:
        """``input``."""
        return "input"

    def derive(self, inputs: tuple[Shape, ...], batch: int = 1) -> Derived:  # noqa: ARG002
        """Return the given shape; nothing is computed, and no receptive field begins here."""
        return Derived(self.shape, rules=None)


@dataclass(frozen=True)
class Operator(Layer):
    """An operation whose output and counts are what the file says, for the input it was read with.

    Args:
        operator: its name in lower case, such as ``scale``, ``reshape``, ``quantizelinear``.
        output: shape without the batch.
        params: trainable numbers that it holds.
        buffers: numbers that it holds and that are not trained.
        products: multiply-adds for one sample; only matrix products have any.
        pointwise: every output value depends on the input values at its own position only.
        rules: what every output value sees of the input along each axis, where that is known.
    """

    operator: str
    output: Shape
    params: int = 0
    buffers: int = 0
    products: int = 0
    pointwise: bool = False
    rules: tuple[Slide, ...] | None = None

    @property
    def kind(self) -> str:
        """The operation's name."""
        return self.operator

    def derive(self, inputs: tuple[Shape, ...], batch: int = 1) -> Derived:  # noqa: ARG002
        """Return what the file says."""
        macs = formulas.HELD_PRODUCTS.derive(N=batch, products=self.products)
        return Derived(
            self.output,
            params=formulas.HELD_PARAMS.derive(values=self.params) if self.params else None,
            buffers=formulas.HELD_BUFFERS.derive(values=self.buffers) if self.buffers else None,
            macs=macs if self.products else None,
            connections=formulas.PRODUCT_LINKS.derive(macs=macs.result) if self.products else None,
            rules=() if self.pointwise else self.rules,
        )
