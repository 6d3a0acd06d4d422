"""Receptive fields along one axis, exact for every unit, also behind upsampling.

Without upsampling all units see windows of one extent, and three integers say everything:
the extent, the jump between neighbouring units, and the first position that unit 0 sees
(negative in the padding). Behind an upsampling or a transposed convolution neighbouring
units differ, but every P-th unit is alike: a field then holds the first and last position
that each of P neighbouring units sees. The reported extent is that of the unit that sees
the most. Nothing is clipped to the input.

Reference: Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional Neural
Networks", section 2. Deviation: start is the first position of unit 0, an integer, rather
than its centre; minus start is their effective padding.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd, lcm
from typing import TYPE_CHECKING

from calculator.arithmetic.expressions import Derivation
from calculator.arithmetic.formulas import FIELD, JUMP, START
from calculator.errors import ShapeError

if TYPE_CHECKING:
    from fractions import Fraction

LARGEST_EFFORT = 500_000  # units times taps that are looked at for one network

Bound = int | None  # None: a unit that sees nothing, as between the taps of a sparse tconv


@dataclass(frozen=True)
class Field:
    """What the units along one axis see of the network's input.

    Args:
        first: first input position seen by units 0 .. P-1.
        last: last input position seen by them.
        advance: positions from what unit o sees to what unit o + P sees; at least 1.
        steps: how extent, jump and start were derived from those of the layer before,
            where one formula holds for all units.
    """

    first: tuple[Bound, ...] = (0,)
    last: tuple[Bound, ...] = (0,)
    advance: int = 1
    steps: tuple[Derivation, ...] = ()

    @property
    def period(self) -> int:
        """P, the number of neighbouring units that may differ."""
        return len(self.first)

    @property
    def extent(self) -> int:
        """Input positions from the first to the last that a unit sees; of the best unit."""
        pairs = zip(self.first, self.last, strict=True)
        return max((b - a + 1 for a, b in pairs if a is not None and b is not None), default=0)

    @property
    def jump(self) -> "int | Fraction":
        """Input positions from one unit to the next, on average; an integer where it is one."""
        if self.advance % self.period == 0:
            return self.advance // self.period
        from fractions import Fraction  # noqa: PLC0415 - only behind upsampling

        return Fraction(self.advance, self.period)

    @property
    def start(self) -> int:
        """First input position that unit 0 sees, or the first unit that sees any."""
        return next((a for a in self.first if a is not None), 0)

    def first_of(self, unit: int) -> Bound:
        """Return the first input position that any unit, also a negative one, sees."""
        return self.shift(self.first, unit)

    def last_of(self, unit: int) -> Bound:
        """Return the last input position that any unit, also a negative one, sees."""
        return self.shift(self.last, unit)

    def shift(self, bounds: tuple[Bound, ...], unit: int) -> Bound:
        """Look a unit up among the first P."""
        bound = bounds[unit % self.period]
        return None if bound is None else bound + unit // self.period * self.advance

    def see(self, firsts: Iterable[int], lasts: Iterable[int]) -> tuple[Bound, Bound]:
        """Return what a unit sees that reads these units; the extremes must be among them."""
        lows = [a for a in map(self.first_of, firsts) if a is not None]
        highs = [b for b in map(self.last_of, lasts) if b is not None]
        return (min(lows), max(highs)) if lows and highs else (None, None)


@dataclass(frozen=True)
class Slide:
    """A window of ``kernel`` taps, ``dilation`` apart, every ``stride`` positions."""

    kernel: int = 1
    stride: int = 1
    before: int = 0
    dilation: int = 1

    def measure_effort(self, field: Field) -> int:
        """Return how many units times taps :meth:`apply` looks at."""
        return field.period * min(self.kernel, field.period)

    def apply(self, field: Field) -> Field:
        """Return what the units behind the window see."""
        if field.period == 1 and field.first[0] is not None:
            return self.derive(field)
        period = field.period // gcd(field.period, self.stride)
        # one period further, a tap sees strictly more: the extremes lie among the first P
        taps = min(self.kernel, field.period)
        seen = []
        for unit in range(period):
            origin = unit * self.stride - self.before
            firsts = (origin + self.dilation * tap for tap in range(taps))
            lasts = (origin + self.dilation * tap for tap in range(self.kernel - taps, self.kernel))
            seen.append(field.see(firsts, lasts))
        first, last = zip(*seen, strict=True)
        return Field(first, last, period * self.stride * field.advance // field.period)

    def derive(self, field: Field) -> Field:
        """Apply the three formulas that hold where all units are alike."""
        jump = field.advance
        extent = FIELD.derive(field=field.extent, d=self.dilation, k=self.kernel, jump=jump)
        onward = JUMP.derive(jump=jump, s=self.stride)
        start = START.derive(start=field.start, p=self.before, jump=jump)
        first = start.result
        steps = (extent, onward, start)
        return Field((first,), (first + extent.result - 1,), onward.result, steps)


@dataclass(frozen=True)
class Spread:
    """A transposed window: input i reaches outputs ``i*stride - before + dilation*tap``."""

    kernel: int
    stride: int
    before: int
    dilation: int

    def measure_effort(self, field: Field) -> int:
        """Return how many units times taps :meth:`apply` looks at."""
        period = field.period * self.stride
        return period * min(self.kernel, period)

    def apply(self, field: Field) -> Field:
        """Return what the units behind the transposed window see."""
        period = field.period * self.stride
        taps = min(self.kernel, period)
        seen = []
        for unit in range(period):
            # the last taps read the earliest inputs
            firsts = self.list_sources(unit, range(self.kernel - taps, self.kernel))
            lasts = self.list_sources(unit, range(taps))
            seen.append(field.see(firsts, lasts))
        first, last = zip(*seen, strict=True)
        return Field(first, last, field.advance)

    def list_sources(self, unit: int, taps: range) -> list[int]:
        """Return the inputs that reach an output through these taps."""
        offsets = [unit + self.before - self.dilation * tap for tap in taps]
        return [offset // self.stride for offset in offsets if offset % self.stride == 0]


@dataclass(frozen=True)
class Repeat:
    """Nearest upsampling or pixel shuffle: output o reads input ``o // factor``."""

    factor: int

    def measure_effort(self, field: Field) -> int:
        """Return how many units :meth:`apply` looks at."""
        return field.period * self.factor

    def apply(self, field: Field) -> Field:
        """Return what the repeated units see."""
        sources = [unit // self.factor for unit in range(field.period * self.factor)]
        first = tuple(field.first_of(source) for source in sources)
        last = tuple(field.last_of(source) for source in sources)
        return Field(first, last, field.advance)


@dataclass(frozen=True)
class Divide:
    """Adaptive pooling: output o reads ``floor(o*size/bins)`` to ``ceil((o+1)*size/bins) - 1``."""

    size: int
    bins: int

    def measure_effort(self, field: Field) -> int:
        """Return how many units times taps :meth:`apply` looks at."""
        taps = min(-(-self.size // self.bins) + 1, field.period)
        return self.bins // gcd(self.size, self.bins) * field.period * taps

    def apply(self, field: Field) -> Field:
        """Return what the bins see."""
        common = gcd(self.size, self.bins)
        inputs, outputs = self.size // common, self.bins // common
        rounds = field.period // gcd(field.period, inputs)
        period = outputs * rounds
        seen = []
        for unit in range(period):
            low = unit * self.size // self.bins
            high = -(-(unit + 1) * self.size // self.bins)
            taps = min(high - low, field.period)
            seen.append(field.see(range(low, low + taps), range(high - taps, high)))
        first, last = zip(*seen, strict=True)
        return Field(first, last, rounds * inputs * field.advance // field.period)


Rule = Slide | Spread | Repeat | Divide


def merge_fields(fields: Sequence[Field]) -> Field:
    """Return what units see that read one unit of each field, all of the same jump."""
    period = lcm(*(field.period for field in fields))
    first, last = [], []
    for unit in range(period):
        lows = [a for a in (field.first_of(unit) for field in fields) if a is not None]
        highs = [b for b in (field.last_of(unit) for field in fields) if b is not None]
        first.append(min(lows, default=None))
        last.append(max(highs, default=None))
    return Field(tuple(first), tuple(last), int(fields[0].jump * period))


class Tracker:
    """Follow receptive fields through one network, and refuse to look at too many units."""

    def __init__(self) -> None:
        self.effort = 0

    def spend(self, effort: int) -> None:
        """Add to what has been looked at.

        Raises:
            ShapeError: more than ``LARGEST_EFFORT`` in this network.
        """
        self.effort += effort
        if self.effort > LARGEST_EFFORT:
            message = (
                f"upsampling makes {self.effort} different units and taps to look at for the "
                f"receptive field, more than {LARGEST_EFFORT}; use smaller factors"
            )
            raise ShapeError(message)

    def follow(
        self, inputs: Sequence[tuple[Field, ...] | None], rules: tuple[Rule, ...] | None
    ) -> tuple[Field, ...] | None:
        """Return the fields of a layer's units, one per axis.

        Args:
            inputs: the fields of every input; None where they have ended, empty where
                nothing of the network's input is seen, as in a table of weights.
            rules: how the layer grows each axis; empty where it does not, None at an end.

        Returns:
            None where there is no window any more: after flatten, behind a window that is
            the whole input, and where inputs of different jumps meet. Empty where nothing
            of the network's input is seen.
        """
        seeing = [fields for fields in inputs if fields != ()]
        if not seeing:
            return ()
        if rules is None or any(fields is None for fields in seeing):
            return None
        axes = [self.merge(per_axis) for per_axis in zip(*filter(None, seeing), strict=True)]
        merged = [field for field in axes if field is not None]
        if len(merged) < len(axes) or not axes:
            return None
        if not rules:
            return tuple(merged)
        for rule, field in zip(rules, merged, strict=True):
            self.spend(rule.measure_effort(field))
        return tuple(rule.apply(field) for rule, field in zip(rules, merged, strict=True))

    def merge(self, fields: Sequence[Field]) -> Field | None:
        """Return the union of several fields; None where their jumps differ."""
        if len(fields) == 1:
            return fields[0]
        if len({field.jump for field in fields}) != 1:
            return None
        self.spend(lcm(*(field.period for field in fields)) * len(fields))
        return merge_fields(fields)
