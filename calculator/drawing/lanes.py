"""How boxes stand to each other: one after another, side by side, again and again.

A network whose branches meet again is a sequence of boxes and groups of parallel lanes, and
lanes are sequences again. What is no such network is drawn as one line, in which boxes name
those that feed them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from calculator.drawing.boxes import Box

DEEPEST = 24  # lanes inside lanes; deeper ones are drawn as one line
LONGEST_UNIT = 16  # items that are looked at as one repeated unit
LEAST_SINGLES = 5  # as many equal boxes in a row are folded; of anything larger two


@dataclass(frozen=True)
class Lane:
    """A branch that is not empty.

    Args:
        items: in order.
        twins: the items of other branches that look the same, and are not drawn.
    """

    items: "tuple[Item, ...]"
    twins: "tuple[tuple[Item, ...], ...]" = ()


@dataclass(frozen=True)
class Parallel:
    """Branches from one box to another.

    Args:
        entry: position of the box that the lanes start from; -1 for the edge of the network.
        lanes: in the order in which they run.
        skips: number of edges from the entry straight to the join.
        join: position of the box in which they meet; None where the network ends before.
    """

    entry: int
    lanes: tuple[Lane, ...]
    skips: int
    join: int | None


@dataclass(frozen=True)
class Repeat:
    """Units that look the same and follow each other; the first one is drawn."""

    units: "tuple[tuple[Item, ...], ...]"


@dataclass(frozen=True)
class Loose:
    """Boxes whose connections are no lanes."""

    boxes: tuple[int, ...]


Item = int | Parallel | Repeat | Loose


@dataclass
class Weaver:
    """Finds the lanes of a network.

    Args:
        boxes: in an order in which they can run.
    """

    boxes: Sequence[Box]
    readers: dict[int, list[int]] = field(init=False)  # -1 and len(boxes): edges of the network
    numbers: dict[object, int] = field(default_factory=dict)  # of each look, to compare fast
    looks: list[int] = field(default_factory=list)  # of each box

    def __post_init__(self) -> None:
        self.readers = {position: [] for position in range(-1, len(self.boxes))}
        for position, box in enumerate(self.boxes):
            for source in box.sources or (-1,):
                self.readers[source].append(position)
        for readers in self.readers.values():
            if not readers:
                readers.append(len(self.boxes))
        self.looks = [self.number(box.key) for box in self.boxes]

    def number(self, look: object) -> int:
        """Return the number of a look, a new one where it was not seen before."""
        return self.numbers.setdefault(look, len(self.numbers))

    def weave(self) -> tuple[Item, ...]:
        """Return the whole network as one sequence."""
        return self.split(-1, range(len(self.boxes)), end=len(self.boxes), depth=0)

    def split(self, entry: int, inner: Sequence[int], *, end: int, depth: int) -> tuple[Item, ...]:
        """Return what lies between two boxes as a sequence, cut where all paths meet.

        Args:
            entry: the box before; -1 before the input.
            inner: positions between them, in order.
            end: the box behind; the number of boxes behind the output.
            depth: of lanes inside lanes.
        """
        cuts = self.find_cuts(entry, inner)
        is_lane = cuts and cuts[-1] == inner[-1] and self.readers[cuts[-1]] == [end]
        if depth and (not is_lane or depth > DEEPEST):
            return (Loose(tuple(inner)),)
        items: list[Item] = []
        rest = iter(inner)
        for cut in cuts:
            between = take_until(rest, cut)
            if between or self.readers[entry].count(cut) > 1:
                items.append(self.spread(entry, between, join=cut, depth=depth))
            else:
                items.append(cut)
            entry = cut
        if ends := list(rest):
            items.append(self.spread(entry, ends, join=None, depth=depth))
        return self.fold_repeats(items)

    def find_cuts(self, entry: int, inner: Sequence[int]) -> list[int]:
        """Return the boxes that no edge jumps over: every path goes through them."""
        inside = set(inner)
        furthest = max((r for r in self.readers[entry] if r in inside), default=-1)
        cuts = []
        for position in inner:
            if furthest <= position:
                cuts.append(position)
            furthest = max(furthest, *self.readers[position])
        return cuts

    def spread(
        self, entry: int, between: Sequence[int], *, join: int | None, depth: int
    ) -> Parallel:
        """Return the lanes between two boxes."""
        end = len(self.boxes) if join is None else join
        found = [self.split(entry, part, end=end, depth=depth + 1) for part in self.part(between)]
        skips = 0 if join is None else self.readers[entry].count(join)
        return Parallel(entry, self.gather(found), skips, join)

    def part(self, between: Sequence[int]) -> list[list[int]]:
        """Return groups of boxes that no edge connects, each in order."""
        inside = set(between)
        group = {position: [position] for position in between}
        for position in between:
            for reader in inside.intersection(self.readers[position]):
                small, large = sorted((group[position], group[reader]), key=len)
                if small is not large:
                    large.extend(small)
                    group.update(dict.fromkeys(small, large))
        parts = {id(found): found for found in group.values()}
        return sorted(map(sorted, parts.values()))

    def gather(self, sequences: Iterable[tuple[Item, ...]]) -> tuple[Lane, ...]:
        """Return lanes, those that look the same as one."""
        alike: dict[tuple[int, ...], list[tuple[Item, ...]]] = {}
        for items in sequences:
            alike.setdefault(tuple(map(self.look, items)), []).append(items)
        return tuple(Lane(first, tuple(others)) for first, *others in alike.values())

    def look(self, item: Item) -> int:
        """Return a number that two items share only if their drawings differ in names only."""
        if isinstance(item, int):
            return self.looks[item]
        look: object = item  # of Loose: nothing looks like it
        if isinstance(item, Repeat):
            look = (len(item.units), *map(self.look, item.units[0]))
        elif isinstance(item, Parallel):
            lanes = [(len(lane.twins), *map(self.look, lane.items)) for lane in item.lanes]
            join = None if item.join is None else self.look(item.join)
            look = ("parallel", tuple(lanes), item.skips, join)
        return self.number(look)

    def fold_repeats(self, items: Sequence[Item]) -> tuple[Item, ...]:
        """Return a sequence with equal neighbours folded, where most is saved."""
        looks = [self.look(item) for item in items]
        folded: list[Item] = []
        start = 0
        while start < len(items):
            length, times = find_repeat(items, looks, start)
            stop = start + length * times
            units = [tuple(items[i : i + length]) for i in range(start, stop, length)]
            folded.append(Repeat(tuple(units)) if times > 1 else items[start])
            start = stop
        return tuple(folded)


def take_until(positions: Iterator[int], stop: int) -> list[int]:
    """Return what comes before ``stop``, and step over it."""
    taken = []
    for position in positions:
        if position == stop:
            break
        taken.append(position)
    return taken


def find_repeat(items: Sequence[Item], looks: Sequence[int], start: int) -> tuple[int, int]:
    """Return length and number of the equal units from ``start`` that save most; (1, 1): none."""
    best = (1, 1)
    for length in range(1, min(LONGEST_UNIT, (len(looks) - start) // 2) + 1):
        unit, times = looks[start : start + length], 1
        while looks[start + length * times : start + length * (times + 1)] == unit:
            times += 1
        if times == 1:
            continue
        few = all(isinstance(item, int) for item in items[start : start + length])
        if few and len(set(unit)) == 1 and (times < LEAST_SINGLES or length > 1):
            continue
        if length * (times - 1) > best[0] * (best[1] - 1):
            best = (length, times)
    return best
