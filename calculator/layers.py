"""Layers without a sliding window: normalisation, activations, dropout, dense layers."""

from dataclasses import dataclass

from calculator import formulas
from calculator.convolutions import name_axes
from calculator.layer import Layer
from calculator.shapes import Derived, Shape, require_flat, require_spatial

ACTIVATIONS = (
    "relu",
    "relu6",
    "leakyrelu",
    "elu",
    "gelu",
    "silu",
    "hardswish",
    "softplus",
    "sigmoid",
    "hardsigmoid",
    "tanh",
    "softmax",
)


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Normalisation over the batch (Ioffe and Szegedy 2015, section 3).

    Args:
        affine: a trainable scale and shift per channel.
    """

    affine: bool = True

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "batchnorm"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002
        """Derive scale and shift, and the running mean and variance, which are buffers."""
        return Derived(
            shape,
            params=formulas.NORM_PARAMS.derive(C=shape[0]) if self.affine else None,
            buffers=formulas.NORM_BUFFERS.derive(C=shape[0]),
        )


@dataclass(frozen=True)
class InstanceNorm(Layer):
    """Normalisation of every channel of every sample (Ulyanov et al. 2016, eq. 4).

    Args:
        affine: a trainable scale and shift per channel.
    """

    affine: bool = True

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "instancenorm"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002
        """Derive scale and shift."""
        require_spatial(shape)
        return Derived(
            shape, params=formulas.NORM_PARAMS.derive(C=shape[0]) if self.affine else None
        )


@dataclass(frozen=True)
class LocalResponseNorm(Layer):
    """Normalisation over neighbouring channels (Krizhevsky et al. 2012, section 3.3).

    Args:
        size: channels that are looked at.
    """

    size: int = 5

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "lrn"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002
        """Return the shape unchanged."""
        return Derived(shape)


@dataclass(frozen=True)
class Activation(Layer):
    """A function applied to every value, or ``softmax``, without parameters.

    Args:
        function: one of ``ACTIVATIONS``.
    """

    function: str

    @property
    def kind(self) -> str:
        """The function's name."""
        return self.function

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002
        """Return the shape unchanged."""
        return Derived(shape)


@dataclass(frozen=True)
class Dropout(Layer):
    """Random zeros during training; nothing at inference."""

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "dropout"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002
        """Return the shape unchanged."""
        return Derived(shape)


@dataclass(frozen=True)
class Flatten(Layer):
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
class Dense(Layer):
    """A fully connected layer.

    Args:
        units: output features.
        bias: one trainable number per unit.
    """

    units: int
    bias: bool = True

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "fc"

    def derive_one(self, shape: Shape, batch: int) -> Derived:
        """Derive parameters, multiply-adds and connections."""
        features = {"F_in": require_flat(shape), "F_out": self.units}
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
class RadialUnits(Layer):
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
