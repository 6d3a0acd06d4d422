"""The main line of a drawing: what stands in its rows, and what feeds it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from calculator.drawing.boxes import Box
from calculator.drawing.lanes import Item, Loose, Parallel, Repeat


@dataclass(frozen=True)
class Step:
    """An item of the main line.

    Args:
        item: what is drawn.
        follows: whether a line comes from the item before it.
        others: boxes that feed it and from which no line comes; they are named.
    """

    item: Item
    follows: bool
    others: tuple[int, ...]


def list_steps(items: Iterable[Item], boxes: Sequence[Box]) -> list[Step]:
    """Return the main line with what feeds each item."""
    steps = []
    last: int | None = -1
    for item in items:
        needed = dict.fromkeys(find_sources(item, boxes))  # a set that keeps the order
        follows = last in needed
        others = tuple(source for source in needed if source not in (last, -1))
        steps.append(Step(item, follows and last != -1, others))
        last = find_end(item)
    return steps


def unroll(items: Iterable[Item], fits: Callable[[Item], bool]) -> Iterator[Item]:
    """Yield items that fit; what does not is laid out as one line, branch after branch.

    Args:
        items: a sequence.
        fits: whether an item is narrow enough for a row.
    """
    for item in items:
        if isinstance(item, Loose):
            yield from item.boxes
        elif isinstance(item, int) or (not is_loose(item) and fits(item)):
            yield item
        elif isinstance(item, Repeat):
            yield from unroll((inner for unit in item.units for inner in unit), fits)
        else:
            for lane in item.lanes:
                for branch in (lane.items, *lane.twins):
                    yield from unroll(branch, fits)
            if item.join is not None:
                yield item.join


def is_loose(item: Item) -> bool:
    """Tell whether anything inside has connections that are no lanes."""
    if isinstance(item, Repeat):
        return any(is_loose(inner) for inner in item.units[0])
    if isinstance(item, Parallel):
        return any(is_loose(inner) for lane in item.lanes for inner in lane.items)
    return isinstance(item, Loose)


def find_sources(item: Item, boxes: Sequence[Box]) -> tuple[int, ...]:
    """Return the boxes that feed an item; -1 is the edge of the network."""
    while isinstance(item, Repeat):
        item = item.units[0][0]
    if isinstance(item, Parallel):
        return (item.entry,)
    return boxes[item].sources or (-1,) if isinstance(item, int) else ()


def find_end(item: Item) -> int | None:
    """Return the box that an item ends with; None where branches never meet."""
    while isinstance(item, Repeat):
        item = item.units[-1][-1]
    if isinstance(item, Parallel):
        return item.join
    return item if isinstance(item, int) else None


def list_boxes(item: Item) -> Iterator[int]:
    """Yield all boxes of an item, also those that are folded away."""
    if isinstance(item, int):
        yield item
    elif isinstance(item, Loose):
        yield from item.boxes
    elif isinstance(item, Repeat):
        for unit in item.units:
            for inner in unit:
                yield from list_boxes(inner)
    else:
        for lane in item.lanes:
            for branch in (lane.items, *lane.twins):
                for inner in branch:
                    yield from list_boxes(inner)
        if item.join is not None:
            yield item.join


def find_twins(items: Iterable[Item]) -> dict[int, list[int]]:
    """Return, for each box that is drawn for others as well, those others."""
    twins: dict[int, list[int]] = {}
    for first, others in list_folded(items):
        drawn = [box for item in first for box in list_boxes(item)]
        for other in others:
            hidden = (box for item in other for box in list_boxes(item))
            for box, twin in zip(drawn, hidden, strict=True):
                twins.setdefault(box, []).append(twin)
    return twins


def follow_twins(box: int, twins: dict[int, list[int]]) -> Iterator[int]:
    """Yield all boxes that one stands for, also through folds inside folds."""
    for twin in twins.get(box, ()):
        yield twin
        yield from follow_twins(twin, twins)


def list_folded(
    items: Iterable[Item],
) -> Iterator[tuple[tuple[Item, ...], tuple[tuple[Item, ...], ...]]]:
    """Yield every drawn sequence with those that it stands for, the outer ones first."""
    for item in items:
        if isinstance(item, Repeat):
            yield item.units[0], item.units[1:]
            yield from list_folded(item.units[0])
        elif isinstance(item, Parallel):
            for lane in item.lanes:
                yield lane.items, lane.twins
                yield from list_folded(lane.items)
