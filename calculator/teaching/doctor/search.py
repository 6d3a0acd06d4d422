"""Which repairs work: every one that is returned was read, run and found to fit."""

from collections.abc import Iterator
from dataclasses import dataclass

from calculator.layers.shapes import Shape
from calculator.teaching.doctor.branch_repairs import repair_branches
from calculator.teaching.doctor.cases import Case, Trial, Trials
from calculator.teaching.doctor.channel_repairs import repair_channels
from calculator.teaching.doctor.drafts import Draft
from calculator.teaching.doctor.input_repairs import repair_input
from calculator.teaching.doctor.repairs import Repair
from calculator.teaching.doctor.window_repairs import repair_windows

MOST_FIXES = 5
MOST_JOINT = 3  # of several repairs each
MOST_STEPS = 3  # faults in one line
MOST_PARTIAL = 2  # first steps that are followed up where no single one suffices
EFFORT = 6_000  # layers that one search runs
# of these only the likeliest is shown: the others are the same thought again
FAMILIES = dict.fromkeys(("usual_padding", "more_padding", "less_padding"), "padding")


@dataclass(frozen=True)
class Fix:
    """Repairs that together make a line fit.

    Args:
        repairs: in the order in which they were made; nearly always one.
        draft: the line that fits.
        trial: its shapes.
    """

    repairs: tuple[Repair, ...]
    draft: Draft
    trial: Trial

    @property
    def cost(self) -> int:
        """How far-fetched the repairs are, all together."""
        return sum(repair.cost for repair in self.repairs)


def find_fixes(
    draft: Draft, trial: Trial, *, usual: Shape | None = None, effort: int = EFFORT
) -> list[Fix]:
    """Find changes that make a line fit, the likeliest first.

    Args:
        draft: a line that does not fit.
        trial: where it fails.
        usual: the input that the network is usually given; None where no name is known.
        effort: layers that may be run in the search.

    Returns:
        At most ``MOST_FIXES``, each of another kind; nothing where no small change helps.
    """
    trials = Trials(effort)
    fixes = extend(Case(draft, trial, usual), (), trials=trials)
    return choose(fixes)


def extend(case: Case, before: tuple[Repair, ...], *, trials: Trials) -> list[Fix]:
    """Return the fixes that begin with some repairs; further ones only where none suffices."""
    whole: list[Fix] = []
    partial: list[tuple[Repair, Case]] = []
    for repair in list_repairs(case, trials):
        run = trials.run(repair.text)
        if run is None:
            if trials.layers <= 0:
                break
            continue
        if run[1].failed is None:
            whole.append(Fix((*before, repair), *run))
        elif is_nearer(rest := Case(*run, case.usual), case, repair=repair):
            partial.append((repair, rest))
    if whole or len(before) + 1 == MOST_STEPS:
        return whole
    partial.sort(key=lambda pair: pair[0].cost)
    for repair, rest in partial[:MOST_PARTIAL]:
        whole += extend(rest, (*before, repair), trials=trials)
    return whole


def is_nearer(rest: Case, case: Case, *, repair: Repair) -> bool:
    """Return whether a failing line is nearer to a fit, or ready for the next change."""
    if repair.name == "pad_branches":
        return rest.position >= case.position
    return rest.remaining < case.remaining


def list_repairs(case: Case, trials: Trials) -> Iterator[Repair]:
    """Yield every change that may help."""
    yield from repair_channels(case)
    yield from repair_branches(case)
    yield from repair_input(case, trials)
    yield from repair_windows(case)


def choose(fixes: list[Fix]) -> list[Fix]:
    """Return the likeliest fix of each kind, and no two with the same line."""
    chosen: list[Fix] = []
    kinds: set[tuple[str, ...]] = set()
    for fix in sorted(fixes, key=lambda fix: fix.cost):
        kind = tuple(FAMILIES.get(repair.name, repair.name) for repair in fix.repairs)
        same = any(fix.draft.text == other.draft.text for other in chosen)
        most = MOST_FIXES if len(kind) == 1 else MOST_JOINT
        if kind not in kinds and not same and len(chosen) < most:
            kinds.add(kind)
            chosen.append(fix)
    return chosen
