"""Graphs of aten operations written by hand; the real ones are compared where PyTorch is."""

from typing import Any

import pytest

from calculator import CalculatorError, Network, summarize
from calculator.reading.aten.assembly import Namer, assemble
from calculator.reading.aten.steps import Ref, Step, Trace, Weight, take_sample
from calculator.reading.grammar import NAME

X = (1, 2, 4, 4)


def make_step(name: str, operator: str, *shape: int, **arguments: Any) -> Step:  # noqa: ANN401
    """Return a step of the outermost module."""
    return Step(name, operator, arguments, (shape,))


def read(*steps: Step, weights: dict[str, Weight] | None = None) -> Network:
    """Read steps on an input ``x`` of 2x4x4; the last one is the output."""
    return assemble(Trace("x", X, weights or {}, steps, (steps[-1].name,)), "drawn")


def test_steps_become_layers() -> None:
    """Every step reads what it refers to; what no output needs is left out."""
    network = read(
        make_step("a", "relu", *X, self=Ref("x")),
        make_step("unread", "tanh", *X, self=Ref("a")),
        make_step("b", "add", *X, self=Ref("a"), other=Ref("x")),
    )
    assert network.input == (2, 4, 4)
    assert [(node.name, node.layer.kind, node.inputs) for node in network.nodes] == [
        ("relu1", "relu", (-1,)),
        ("add1", "add", (0, -1)),
    ]


def test_shape_that_is_not_derived_is_an_error() -> None:
    """A layer whose formula gives another shape than PyTorch would make the table wrong."""
    step = make_step("a", "relu", 1, 2, 4, 5, self=Ref("x"))
    with pytest.raises(
        CalculatorError, match=r"relu1 .relu.: derived as 2x4x4, but PyTorch .* 2x4x5"
    ):
        read(step)


def test_layer_that_does_not_fit_is_named() -> None:
    """The formulas' own refusals come through."""
    sizes = {"kernel_size": 9, "stride": 1, "padding": 0, "ceil_mode": False}
    step = make_step("a", "max_pool2d", 1, 2, 1, 1, self=Ref("x"), **sizes)
    with pytest.raises(CalculatorError, match=r"pool1 \(maxpool\): kernel 9 is larger than"):
        read(step)


def test_one_tensor_under_two_names_is_counted_once() -> None:
    """Also within one operation, and beside a buffer and a constant."""
    weights = {
        "first": Weight(1, (2, 1, 1), "parameter"),
        "again": Weight(1, (2, 1, 1), "parameter"),
        "mean": Weight(2, (3,), "buffer"),
        "table": Weight(3, (5,), "constant"),
    }
    held = [Ref(name) for name in weights]
    steps = [make_step(n, "odd", *X, self=Ref(s), held=held) for n, s in (("a", "x"), ("b", "a"))]
    rows = summarize(read(*steps, weights=weights)).rows
    assert [(row.params, row.buffers) for row in rows] == [(2, 3), (0, 0)]


def test_unknown_operation_is_named_by_aten() -> None:
    """Its shape is kept, its receptive field ends, unless aten calls it pointwise."""
    odd = make_step("a", "_odd_name", 1, 2, 4, 4, self=Ref("x"))
    assert read(odd).nodes[0].layer.kind == "odd_name"
    assert summarize(read(odd)).rows[0].fields is None
    even = Step("a", "even", {"self": Ref("x")}, (X,), pointwise=True)
    assert summarize(read(even)).rows[0].fields is not None


def test_value_of_a_skipped_step_counts_as_constant() -> None:
    """Numbers that assertions and shapes leave behind are in no table."""
    network = read(make_step("a", "add", *X, self=Ref("x"), other=Ref("number")))
    assert network.nodes[0].layer.kind == "shift"


def test_output_without_layers_is_refused() -> None:
    """A view of the input, and a value made of weights alone, have no table."""
    with pytest.raises(CalculatorError, match="no layer lies between input and output"):
        read(make_step("a", "contiguous", *X, self=Ref("x")))
    with pytest.raises(CalculatorError, match="no layer lies between input and output"):
        read(make_step("a", "ones", *X, size=[1]))


@pytest.mark.parametrize(
    ("shape", "sample"),
    [
        ((1, 3, 8, 8), (3, 8, 8)),
        ((1, 10), (10,)),
        ((7, 1, 4), (7, 1, 4)),
        ((1,), (1,)),
        ((), (1,)),
        ((1, 2, 3, 4, 5, 6, 7), (24, 5, 6, 7)),
    ],
)
def test_sample_has_four_axes_at_most(shape: tuple[int, ...], sample: tuple[int, ...]) -> None:
    """The batch goes, and axes that a table cannot show are merged in front."""
    assert take_sample(shape) == sample


@pytest.mark.parametrize(
    ("path", "leaf", "name"),
    [
        ("features.0", True, "features.0"),
        ("features", False, "features.conv"),
        ("0.1", True, "layer0.1"),
        ("a b.c\x1b", True, "a_b.c_"),
        ("outer." * 20 + "last", True, ".".join(["outer"] * 9) + ".last"),
        ("x" * 99, True, "x" * 64),
        ("9" * 99, True, "layer" + "9" * 59),
        ("", True, "conv1"),
    ],
)
def test_names_are_such_as_the_grammar_has(path: str, leaf: bool, name: str) -> None:  # noqa: FBT001
    """Long paths keep their end; a second layer of one name gets a number."""
    namer = Namer()
    assert namer.choose(path, "conv", leaf=leaf) == name
    again = namer.choose(path, "conv", leaf=leaf)
    assert again != name
    assert all(NAME.fullmatch(f"{chosen}:") for chosen in (name, again))
