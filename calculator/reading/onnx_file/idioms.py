"""Layers that exporters take apart, and the operations they leave of them."""

from collections.abc import Callable
from math import pi, sqrt

from calculator.layers.base import Layer
from calculator.layers.pointwise import Activation, InstanceNorm, LocalResponseNorm
from calculator.reading.onnx_file.expressions import Chain, Match, Matcher, Named, Of, of

Make = Callable[[Matcher, Match], Layer | None]  # None: it is none of these after all

VIEWS = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Pad", "AveragePool", "Slice"})


def list_gelus() -> list[Of]:
    """Return GELU with the error function and with the tanh (Hendrycks and Gimpel 2016)."""
    errors = [of("Erf", of("Div", "x", sqrt(2))), of("Erf", of("Mul", "x", sqrt(0.5)))]
    cubes = [of("Mul", "x", of("Mul", "x", "x")), of("Pow", "x", 3)]
    inner = [of("Add", "x", of("Mul", cube, 0.044715)) for cube in cubes]
    tanhs = [of("Tanh", of("Mul", part, sqrt(2 / pi))) for part in inner]
    return [product for curve in (*errors, *tanhs) for product in list_halves(of("Add", curve, 1))]


def list_halves(factor: Of) -> list[Of]:
    """Return the three ways to write half of x times a factor."""
    return [
        of("Mul", of("Mul", "x", factor), 0.5),
        of("Mul", of("Mul", "x", 0.5), factor),
        of("Mul", "x", of("Mul", factor, 0.5)),
    ]


def list_hard() -> tuple[list[Of], list[Of]]:
    """Return hard sigmoid and hard swish (Howard et al. 2019, section 5.2)."""
    ramp = of("Relu6|relu6", of("Add", "x", 3))
    sigmoids = [of("Div", ramp, 6), of("Mul", ramp, 1 / 6)]
    swishes = [of("Mul", "x", gate) for gate in (*sigmoids, of("HardSigmoid|hardsigmoid", "x"))]
    swishes += [of("Div", of("Mul", "x", ramp), 6), of("Mul", of("Mul", "x", ramp), 1 / 6)]
    return sigmoids, swishes


def list_norms() -> list[Of]:
    """Return instance normalisation without its scale and shift."""
    offset = Named("d", of("Sub", "x", of("ReduceMean", "x")))
    squares = [of("Pow", offset, 2), of("Mul", offset, offset)]
    norms = []
    for square in squares:
        deviation = of("Sqrt", of("Add", of("ReduceMean", square), None))
        inverses = [of("Reciprocal", deviation), of("Div", 1, deviation)]
        norms += [of("Div", offset, deviation), *(of("Mul", offset, i) for i in inverses)]
    return norms


def list_response_norms() -> list[Of]:
    """Return local response normalisation: squares, their mean over neighbours, a power."""
    squares = [of("Mul", "x", "x"), of("Pow", "x", 2)]
    powers = [
        of("Pow", of("Add", of("Mul", Chain(VIEWS, square), None), None), None)
        for square in squares
    ]
    return [of("Div", "x", power) for power in powers]


def activate(function: str) -> Make:
    """Return what makes an activation."""
    return lambda _, __: Activation(function)


def make_response_norm(_: Matcher, match: Match) -> Layer | None:
    """Return the normalisation over as many channels as the mean is taken of."""
    pools = [o for o in match.operations if o.kind == "AveragePool"]
    if len(pools) != 1:
        return None
    kernel = pools[0].settings.get("kernel_shape") or [1]
    return LocalResponseNorm(max(kernel))


def make_instance_norm(matcher: Matcher, match: Match) -> Layer | None:
    """Return the normalisation if both means are over all spatial axes."""
    means = [o for o in match.operations if o.kind == "ReduceMean"]
    sizes = matcher.values[match.names["x"]].sizes
    kept = (*sizes[:2], *(1,) * (len(sizes) - 2))
    if len(sizes) < 3 or any(matcher.values[o.outputs[0]].sizes != kept for o in means):
        return None
    return InstanceNorm(affine=False)


HARD_SIGMOIDS, HARD_SWISHES = list_hard()
IDIOMS: list[tuple[list[Of], Make]] = [
    ([of("Mul", "x", of("Sigmoid", "x"))], activate("silu")),
    (HARD_SWISHES, activate("hardswish")),
    (HARD_SIGMOIDS, activate("hardsigmoid")),
    (list_gelus(), activate("gelu")),
    (
        [of("Where", of("Greater", "x", None), "x", of("Softplus", "x"))],
        activate("softplus"),
    ),
    (
        [of("Min", of("Relu", "x"), 6), of("Min", of("Max", "x", 0), 6)],
        activate("relu6"),
    ),
    (list_norms(), make_instance_norm),
    (list_response_norms(), make_response_norm),
]
