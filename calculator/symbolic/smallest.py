"""The smallest input that a network works with.

Every layer's size grows with the size that it is given, or stays, and every layer that
refuses a size refuses the smaller ones too; only sums and concatenations, whose branches
must agree, may take a size and refuse a larger one. So the search halves the range with
branches that may disagree, and from there looks at size after size.
"""

from collections.abc import Callable, Mapping, Sequence

from calculator.errors import CalculatorError, ShapeError
from calculator.layers.joins import Add, Concat
from calculator.layers.shapes import Shape, render_shape
from calculator.network import INPUT, Network
from calculator.reading.networks import NETWORKS
from calculator.reading.sources import parse
from calculator.summary import summarize
from calculator.symbolic.atoms import Letter
from calculator.symbolic.letters import Alphabet, read_sides, settle_shape
from calculator.symbolic.quantities import Number, Quantity
from calculator.symbolic.templates import (
    USUAL_CHANNELS,
    USUAL_SIZES,
    Template,
    make_template,
    read_template,
)

MOST_LAYERS_TRIED = 20_000  # layers times sizes
SPATIAL = "DHW"

Values = Mapping[str, int]


def smallest_input(network: Network) -> Shape:
    """Return the smallest input that a network works with.

    Args:
        network: with the channels to keep; its sizes are replaced.

    Returns:
        ``(channels, *sizes)``, each size the smallest with which the network works where
        the others are large enough; for a flat input its features unchanged.

    Raises:
        CalculatorError: the network fits no size up to its own, or its layers are known
            for its own input only.
    """
    letters = SPATIAL[len(SPATIAL) + 1 - len(network.input) :] if len(network.input) > 1 else ""
    shape = read_sides("x".join([str(network.input[0]), *letters]), Alphabet())
    usual = NETWORKS.get(network.name)
    if usual is not None and parse(network.name, input_shape=network.input) == network:
        template = read_template(network.name, shape)
    else:
        template = make_template(network, shape)
    return settle_shape(template.network.input, find_smallest(template))


def find_smallest(template: Template) -> dict[str, int]:
    """Return the smallest value of every letter of the input, with which the network works.

    Each is the smallest where the other letters are large; with all of them at once the
    network works too.

    Raises:
        CalculatorError: none is found.
    """
    return Search(template).find()


class Search:
    """One search, with a limit to the layers that are tried.

    Args:
        template: the network.
    """

    def __init__(self, template: Template) -> None:
        self.template = template
        self.tried = 0

    def find(self) -> dict[str, int]:
        """Return the smallest value of every letter."""
        start = self.find_working()
        least: dict[str, int] = {}
        for letter in self.template.letters:
            # most networks treat all axes alike
            guess = next(reversed(least.values()), 1)
            least[letter.name] = self.find_least(letter, start, guess=guess)
        if not self.fits(least):
            shapes = [settle_shape(self.template.network.input, v) for v in (least, start)]
            message = (
                f"{self.template.network.name} works with {render_shape(shapes[1])}, and with each "
                f"side as small as in {render_shape(shapes[0])}, but not with all of them; "
                "give numbers instead of letters"
            )
            raise CalculatorError(message)
        return least

    def find_working(self) -> dict[str, int]:
        """Return values of the letters with which the network works.

        Raises:
            CalculatorError: none of the usual sizes is such.
        """
        inputs, fitted = self.template.sides, self.template.fitted
        channels = USUAL_CHANNELS if isinstance(inputs[0], Quantity) else inputs[0]
        shapes = [fitted] if len(fitted) == len(inputs) else []
        shapes += [(channels, *(size for _ in inputs[1:])) for size in USUAL_SIZES]
        for shape in shapes:
            values = reach_shape(inputs, shape)
            if self.fits(values):
                return values
        summarize(self.template.settle(values))  # to say what does not fit
        message = f"{self.template.network.name} fits none of the usual sizes; give numbers"
        raise CalculatorError(message)

    def find_least(self, letter: Letter, start: Values, *, guess: int) -> int:
        """Return the smallest value of one letter, the others held, after trying a guess."""

        def works(value: int) -> bool:
            return self.fits({**start, letter.name: value})

        def may_work(value: int) -> bool:
            return self.fits({**start, letter.name: value}, lenient=True)

        if works(letter.least):
            return letter.least
        first, last = letter.least + 1, start[letter.name]
        if not self.template.depends_on_sizes and not self.counts_channels(letter):
            first = find_first(may_work, first, last, guess=guess)
        return next(value for value in range(first, last + 1) if works(value))

    def counts_channels(self, letter: Letter) -> bool:
        """Return whether a letter stands for channels, where divisors matter."""
        side = self.template.sides[0]
        return isinstance(side, Quantity) and letter in side.list_letters()

    def fits(self, values: Values, *, lenient: bool = False) -> bool:
        """Return whether the network works; if lenient, also where branches disagree.

        Raises:
            CalculatorError: too much has been tried.
        """
        network = self.template.settle(values)
        self.tried += len(network.nodes)
        if self.tried > MOST_LAYERS_TRIED:
            message = (
                f"the smallest input of {network.name} is not found within {MOST_LAYERS_TRIED} "
                "layers tried; give numbers instead of letters"
            )
            raise CalculatorError(message)
        return fits(network, lenient=lenient)


def fits(network: Network, *, lenient: bool = False) -> bool:
    """Return whether every layer takes what it is given; if lenient, also unequal branches."""
    shapes: dict[int, Shape] = {INPUT: network.input}
    for position, node in enumerate(network.nodes):
        inputs = tuple(shapes[source] for source in node.inputs)
        if lenient and isinstance(node.layer, Add | Concat):
            inputs = shrink(inputs)
        try:
            shapes[position] = node.layer.derive(inputs).shape
        except ShapeError:
            return False
    return True


def shrink(shapes: Sequence[Shape]) -> tuple[Shape, ...]:
    """Return shapes with the smallest size of every spatial axis, where they have as many."""
    if len({len(shape) for shape in shapes}) > 1:
        return tuple(shapes)
    sizes = tuple(map(min, zip(*(shape[1:] for shape in shapes), strict=True)))
    return tuple((shape[0], *sizes) for shape in shapes)


def find_first(holds: Callable[[int], bool], first: int, last: int, *, guess: int) -> int:
    """Return the first value from which a condition holds, which is known to hold at the last."""
    if first < guess < last:
        first, last = (first, guess) if holds(guess) else (guess + 1, last)
    if first < guess == last and not holds(guess - 1):
        return guess
    while first < last:
        middle = (first + last) // 2
        first, last = (first, middle) if holds(middle) else (middle + 1, last)
    return first


def reach_shape(sides: Sequence[Number], shape: Shape) -> dict[str, int]:
    """Return values of the letters with which no side is smaller than a shape's."""
    values: dict[str, int] = {}
    for side, size in zip(sides, shape, strict=True):
        for letter in side.list_letters() if isinstance(side, Quantity) else ():
            added, times = measure(side, letter)
            needed = max(letter.least, -(-(size - added) // times))
            values[letter.name] = max(needed, values.get(letter.name, 1))
    return values


def measure(side: Number, letter: Letter) -> tuple[int, int]:
    """Return b and a of a side ``a*H + b``."""
    if isinstance(side, int):
        return side, 0
    return side.constant, next(c for product, c in side.terms.items() if product == ((letter, 1),))
