"""The report of `quality.py`: one structure, as JSON and as text of at most 100 columns."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from quality_grid import Grid, Shown
from quality_networks import PaintingNetwork
from quality_scores import (
    OPTIMUM,
    PHOTO,
    Score,
    find_common,
    group,
    summarize,
    summarize_signals,
)

NAME = 24  # columns
ACROSS = 6  # networks side by side
Table = dict[str, Any]


def report_grid(
    grid: Grid, networks: Sequence[PaintingNetwork], scores: Sequence[Score]
) -> dict[str, Any]:
    """Return everything about one grid.

    Args:
        grid: what was measured on.
        networks: which were.
        scores: of the networks and of both ends.
    """
    names = [painting.name for painting in grid.paintings]
    common = find_common(networks, names)
    shared = [score for score in scores if score.painting in common]
    return {
        "size": grid.size,
        "photos": [photo.name for photo in grid.photos],
        "paintings": names,
        "all": [summarize(found) for found in order(group(scores), networks)],
        "common_paintings": common,
        "common": [summarize(found) for found in order(group(shared), networks)],
        "by_painting": {
            name: {s["network"]: s["q_mean"] for s in summarize_painting(scores, name)}
            for name in names
        },
        "beside": report_signals(grid.paintings, networks, scores),
        "scores": [asdict(score) for score in scores],
    }


def order(
    groups: Mapping[str, list[Score]], networks: Sequence[PaintingNetwork]
) -> list[list[Score]]:
    """Return both ends first, then the networks as they were given."""
    names = [PHOTO, OPTIMUM, *(network.name for network in networks)]
    return [groups[name] for name in names if name in groups]


def summarize_painting(scores: Sequence[Score], painting: str) -> list[Table]:
    """Return a summary per network that knows a painting."""
    found = [s for s in scores if s.painting == painting and s.network not in (PHOTO, OPTIMUM)]
    return [summarize(one) for one in group(found).values()]


def report_signals(
    paintings: Sequence[Shown], networks: Sequence[PaintingNetwork], scores: Sequence[Score]
) -> list[Table]:
    """Return what stands beside Q, per network; nothing where it was not measured."""
    measured = group([score for score in scores if score.signals])
    return [summarize_signals(found, paintings) for found in order(measured, networks)]


def format_report(report: Mapping[str, Any]) -> str:
    """Lay the report out as text."""
    lines = [report["machine"]]
    lines += [
        f"L(y) = content + 10 style; L* after {report['steps']} steps of L-BFGS from the photo"
    ]
    for grid in report["grids"]:
        lines += ["", *format_grid(grid)]
    return "\n".join(lines)


def format_grid(grid: Mapping[str, Any]) -> list[str]:
    """Lay one grid out."""
    photos, names = len(grid["photos"]), grid["paintings"]
    lines = [f"{grid['size']} px: {photos} photos x {len(names)} paintings"]
    lines += format_summaries(grid["all"])
    if grid["common_paintings"] not in ([], names):
        lines += ["", *wrap("only the paintings that all know: ", grid["common_paintings"])]
        lines += format_summaries(grid["common"])
    elif not grid["common_paintings"]:
        lines += ["", "no painting is known to all networks: do not compare their means"]
    lines += ["", *format_paintings(grid["by_painting"], [s["network"] for s in grid["all"][2:]])]
    return lines + (["", *format_signals(grid["beside"])] if grid["beside"] else [])


def format_summaries(summaries: Sequence[Table]) -> list[str]:
    """Lay out mean and worst Q and the costs, a line per network."""
    head = f"{'':<{NAME}}{'pairs':>6}{'Q mean':>9}{'worst':>8}{'content':>9}{'style':>8}{'L/L*':>8}"
    return [head + "  worst pair", *(format_summary(summary) for summary in summaries)]


def format_summary(summary: Table) -> str:
    """Lay out one network's line; both ends have no worst pair."""
    ends = summary["network"] in (PHOTO, OPTIMUM)
    worst = "" if ends else shorten("/".join(summary["worst"].values()), 26)
    return (
        f"{shorten(summary['network'], NAME - 1):<{NAME}}{summary['pairs']:>6}"
        f"{summary['q_mean']:>9.3f}{summary['q_worst']:>8.3f}{summary['content']:>9.3f}"
        f"{summary['style']:>8.4f}{summary['ratio']:>8.2f}  {worst}"
    ).rstrip()


def format_paintings(
    by_painting: Mapping[str, Mapping[str, float]], networks: Sequence[str]
) -> list[str]:
    """Lay out mean Q, a line per painting and a column per network."""
    lines: list[str] = []
    for start in range(0, len(networks), ACROSS):
        part = networks[start : start + ACROSS]
        lines.append(f"{'Q by painting':<{NAME}}" + "".join(f"{shorten(n, 11):>12}" for n in part))
        for painting, found in by_painting.items():
            cells = [f"{found[name]:.3f}" if name in found else "-" for name in part]
            lines.append(
                f"{shorten(painting, NAME - 1):<{NAME}}" + "".join(f"{c:>12}" for c in cells)
            )
    return lines


def format_signals(beside: Sequence[Table]) -> list[str]:
    """Lay out what stands beside Q, a line per network."""
    head = f"{'':<{NAME}}{'lattice 2 px':>13}{'4 px':>9}{'blotches':>10}{'paintings':>11}"
    return [head + f"{'shift':>8}{'noise':>8}", *(format_signal(row) for row in beside)]


def format_signal(row: Table) -> str:
    """Lay out one network's line of what stands beside Q."""
    return (
        f"{shorten(row['network'], NAME - 1):<{NAME}}{row['lattice_2_db']:>+10.1f} dB"
        f"{row['lattice_4_db']:>+6.1f} dB{row['blotches']:>10.2%}"
        f"{row['blotches_of_paintings']:>11.2%}{row['by_shift']:>8.2f}{row['by_noise']:>8.2f}"
    )


def wrap(head: str, names: Sequence[str]) -> list[str]:
    """Break a list of names into lines of at most 100 columns."""
    lines = [head]
    for name in names:
        piece = name if name == names[-1] else f"{name}, "
        if len(lines[-1]) + len(piece) > 100:
            lines.append("  ")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def shorten(name: str, width: int) -> str:
    """Cut the middle of a name that is too long."""
    half = (width - 1) // 2
    return name if len(name) <= width else f"{name[: width - 1 - half]}…{name[-half:]}"
