"""Layers that keep the shape: normalisation, activations, dropout."""

from dataclasses import dataclass, field

from calculator.arithmetic import formulas
from calculator.layers.base import UnaryLayer
from calculator.layers.shapes import Derived, Shape, require_spatial
from calculator.layers.statements import check_inputs

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
class BatchNorm(UnaryLayer):
    """Normalisation over the batch (Ioffe and Szegedy 2015, section 3).

    Args:
        affine: a trainable scale and shift per channel.
        inputs: channels that must arrive, a check that makes no difference; None for any.
    """

    affine: bool = True
    inputs: int | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "batchnorm"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002
        """Derive scale and shift, and the running mean and variance, which are buffers."""
        check_inputs(shape[0], self.inputs, what="channels")
        return Derived(
            shape,
            params=formulas.NORM_PARAMS.derive(C=shape[0]) if self.affine else None,
            buffers=formulas.NORM_BUFFERS.derive(C=shape[0]),
        )


@dataclass(frozen=True)
class InstanceNorm(UnaryLayer):
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
class LocalResponseNorm(UnaryLayer):
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
class Activation(UnaryLayer):
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
class Dropout(UnaryLayer):
    """Random zeros during training; nothing at inference."""

    @property
    def kind(self) -> str:
        """The word of the grammar."""
        return "dropout"

    def derive_one(self, shape: Shape, batch: int) -> Derived:  # noqa: ARG002
        """Return the shape unchanged."""
        return Derived(shape)
