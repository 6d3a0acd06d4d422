"""A change to a line that may make it fit."""

from collections.abc import Mapping
from dataclasses import dataclass

from calculator.teaching.doctor.sentences import REPAIRS, say

# How far-fetched each change is: the smaller, the sooner it is shown. Slips that name themselves
# (flatten, order of the axes) come before settings, those before changes of the architecture.
COSTS = {
    "flatten": 2,
    "pool_flatten": 31,
    "unflatten": 3,
    "late_flatten": 3,
    "channels_last": 5,
    "batch_in_input": 6,
    "channel_missing": 6,
    "axes": 8,
    "projection": 8,
    "pool_padding": 9,
    "crop_branch": 18,
    "pad_branch": 19,
    "shuffle": 10,
    "same_pool": 10,
    "divisible_input": 7,
    "pad_branches": 12,
    "usual_padding": 10,
    "branch_stride": 11,
    "branch_padding": 11,
    "usual_input": 12,
    "named_input": 12,
    "input_channels": 13,
    "branch_filters": 14,
    "reflection": 14,
    "crop": 14,
    "output_padding": 14,
    "stated": 15,
    "groups": 15,
    "group_filters": 16,
    "filters": 17,
    "units": 17,
    "padding": 20,
    "fitting_input": 21,
    "all_padding": 23,
    "stride": 24,
    "pool_stride": 24,
    "more_padding": 25,
    "less_padding": 25,
    "no_padding": 25,
    "ceil": 26,
    "floor": 26,
    "appended_projection": 26,
    "kernel": 27,
    "concat": 28,
    "edge": 28,
    "fewer_pools": 22,
    "extra_pool": 29,
    "more_pools": 29,
}
STEP = 100  # costs are counted in hundredths, so that a distance decides between equals


@dataclass(frozen=True)
class Repair:
    """A change, not tried yet.

    Args:
        name: key of ``REPAIRS`` and ``COSTS``.
        text: the line as it would be.
        values: what its sentences name.
        distance: 0 for the likeliest place of the change; decides between equal kinds.
    """

    name: str
    text: str
    values: tuple[tuple[str, object], ...]
    distance: int = 0

    @property
    def cost(self) -> int:
        """How far-fetched it is."""
        return COSTS[self.name] * STEP + min(self.distance, STEP - 1)

    @property
    def why(self) -> str:
        """Why the network may fail."""
        return say(REPAIRS[self.name][0], **dict(self.values))

    @property
    def fix(self) -> str:
        """What to do."""
        return say(REPAIRS[self.name][1], **dict(self.values))


def propose(name: str, text: str, *, distance: int = 0, values: Mapping[str, object]) -> Repair:
    """Return a repair; the values are those of its sentences."""
    return Repair(name, text, tuple(values.items()), distance)
