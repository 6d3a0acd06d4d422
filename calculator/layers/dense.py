"""Layers that see a sample as one row of values, and the step that makes it one."""

from dataclasses import dataclass, field

from calculator.arithmetic import formulas
from calculator.layers.base import UnaryLayer
from calculator.layers.convolutions import name_axes
from calculator.layers.shapes import Derived, Shape, require_flat
from calculator.layers.statements import check_inputs


@dataclass(frozen=True)
class Flatten(UnaryLayer):
    """All values of a sample in one row."""

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "flatten"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002
        """Derive the number of features."""
        axes = len(shape) - 1
        size = formulas.flat_size(axes).derive(C=shape[0], **name_axes("", shape[1:]))
        return Derived((size.result,), (size,), rules=None)


@dataclass(frozen=True)
class Dense(UnaryLayer):
    """A fully connected layer.

    Args:
        units: output features.
        bias: one trainable number per unit.
        inputs: features that must arrive; None for any. Only a check, so layers that
            differ in nothing else are equal.
    """

    units: int
    bias: bool = True
    inputs: int | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "fc"

    def derive_one(self, shape: Shape, batch: int) -> Derived:
        """Derive parameters, multiply-adds and connections."""
        features = {"F_in": require_flat(shape), "F_out": self.units}
        check_inputs(shape[0], self.inputs, what="features")
        params = formulas.DENSE_PARAMS if self.bias else formulas.DENSE_WEIGHTS
        macs = formulas.DENSE_MACS.derive(N=batch, **features)
        links = (
            formulas.DENSE_LINKS.derive(macs=macs.result, N=batch, F_out=self.units)
            if self.bias
            else formulas.PRODUCT_LINKS.derive(macs=macs.result)
        )
        return Derived(
            (self.units,),
            params=params.derive(**features),
            macs=macs,
            connections=links,
            rules=None,
        )


@dataclass(frozen=True)
class RadialUnits(UnaryLayer):
    """Units that measure the distance to a fixed vector (LeCun et al. 1998, eq. 7).

    Args:
        units: output features.
    """

    units: int

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "rbf"

    def derive_one(self, shape: Shape, batch: int) -> Derived:
        """Derive the fixed weights, which are buffers, and one multiply-add for each."""
        features = {"F_in": require_flat(shape), "F_out": self.units}
        macs = formulas.DENSE_MACS.derive(N=batch, **features)
        return Derived(
            (self.units,),
            buffers=formulas.FIXED_WEIGHTS.derive(**features),
            macs=macs,
            connections=formulas.PRODUCT_LINKS.derive(macs=macs.result),
            rules=None,
        )
