"""The smallest input that a network works with."""

import pytest

from calculator import CalculatorError, Network, parse, summarize
from calculator.layers.operators import Operator
from calculator.layers.resizing import Crop
from calculator.layers.shapes import Shape
from calculator.network import Node
from calculator.reading.networks import NETWORKS
from calculator.symbolic.letters import Alphabet, read_sides
from calculator.symbolic.smallest import find_smallest, smallest_input
from calculator.symbolic.templates import read_template


def works(text: str, shape: Shape) -> bool:
    """Return whether the table of a network can be made for an input."""
    try:
        summarize(parse(text, input_shape=shape))
    except CalculatorError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("alexnet-torchvision", 63),  # torchvision's own documentation names it
        ("alexnet", 67),
        ("vgg11", 32),
        ("vgg16", 32),
        ("vgg19-bn", 32),
        ("resnet18", 1),
        ("resnet152", 1),
        ("lenet5", 16),
        ("lenet5-1998", 32),
        ("inception-3a", 1),
        ("nin-block", 19),
        ("style-paper", 5),
        ("style-fast", 15),
    ],
)
def test_named_network_has_its_known_smallest_input(name: str, side: int) -> None:
    """The sizes that are known from elsewhere or follow by hand."""
    network = parse(name)
    assert smallest_input(network) == (network.input[0], side, side)


@pytest.mark.parametrize(
    "text",
    [
        *NETWORKS,
        "3x40x50 | conv 4@7x3 s3x2 | maxpool 2 ceil | conv 2@3 d2 | crop 0x1 | flatten | fc 2",
        "1x90 | avgpool 5 s2 | avgpool 5 s2 | pad 9 reflect",
        "2x16x16 | [ maxpool 2 | conv 2@3 p1 | upsample 2 || ] add",
        "2x9x9x9 | [ conv 2@3 s2 p1 || maxpool 2 ceil ] concat | conv 1@2",
        "1x11x11 | [ conv 2@2 s2 | upsample 2 | pad 0:1 || ] concat | conv 2@4",
    ],
)
def test_no_smaller_input_works(text: str) -> None:
    """Each side of the smallest input is the least that works, whatever the others are."""
    smallest = smallest_input(parse(text))
    assert works(text, smallest)
    for axis in range(1, len(smallest)):
        for side in range(1, smallest[axis]):
            for other in (smallest, parse(text).input):
                shape = (*other[:axis], side, *other[axis + 1 :])
                assert not works(text, shape), shape


def test_smallest_input_is_found_where_usual_sizes_are_too_small() -> None:
    """The network's own input is large enough to halve from."""
    network = parse("1x9000 |" + " | ".join(["conv 1@11"] * 700))
    assert smallest_input(network) == (1, 7001)


def test_flat_input_stays() -> None:
    """Features are no size."""
    assert smallest_input(parse("7 | fc 3")) == (7,)


def test_letters_of_every_kind_have_a_smallest_value() -> None:
    """Channels in groups, equal sides, multiples."""
    for shape, text, smallest in (
        ("CxHxH", "9x9x9 | conv 6@3 g3", {"C": 3, "H": 3}),
        ("3x4H+1xW", "vgg16", {"H": 8, "W": 32}),
        ("3xHx40", "vgg16", {"H": 32}),
    ):
        sides = read_sides(shape, Alphabet())
        assert find_smallest(read_template(text, sides)) == smallest


def test_network_that_fits_nothing_says_where() -> None:
    """The error is that of the layer, for the size tried last."""
    sides = read_sides("3xHx7", Alphabet())
    with pytest.raises(CalculatorError, match=r"pool3 .*kernel 2 is larger than the input"):
        find_smallest(read_template("vgg16", sides))


def test_search_is_bounded() -> None:
    """Branches that agree at few sizes of a long network end the search."""
    agree = " | ".join(f"[ maxpool {n} | upsample {n} || ] add" for n in (31, 32))
    assert smallest_input(parse(f"1x992 | {agree}")) == (1, 992)
    with pytest.raises(CalculatorError, match="not found within 20000 layers tried; give numbers"):
        smallest_input(parse(f"1x992 | {' | '.join(['relu'] * 900)} | {agree}"))


def test_model_with_layers_for_one_size_is_refused() -> None:
    """A file whose crop is computed from its input has no table for every size."""

    def read(text: str, *, input_shape: Shape | None = None) -> Network:
        assert text == "net.onnx"
        shape = input_shape or (3, 16, 16)
        return Network("net", shape, (Node("cut", Crop(((0, shape[1] % 4),)), (-1,)),))

    sides = read_sides("3xHxW", Alphabet())
    with pytest.raises(CalculatorError, match=r"others for 3x17x17 than for 3x16x16; give numbers"):
        read_template("net.onnx", sides, read=read)
    with pytest.raises(CalculatorError, match="its input is 3x16x16; give letters for as many"):
        read_template("net.onnx", read_sides("3xL", Alphabet()), read=read)


def test_layers_of_a_file_are_known_for_its_input_only() -> None:
    """An operation without a formula has no other size."""
    layer = Operator("reshape", (8,))
    network = Network("net", (2, 2, 2), (Node("view", layer, (-1,)),))
    with pytest.raises(
        CalculatorError, match=r"view \(reshape\): its output is known for .* 2x2x2"
    ):
        smallest_input(network)
