"""How good the paintings of networks are, against optimising each picture for minutes.

    python benchmarks/quality.py --vgg VGG --photos FOLDER --paintings FOLDER NETWORK [NETWORK ...]

For a photo x, a painting s and L(y) = content(y, x) + 10 style(y, s), both relative and on
VGG-16, let L* be what 150 steps of L-BFGS reach from x. A network's score is

    Q = 1 - (L(net(x)) - L*) / (L(x) - L*)

0 is doing nothing, 1 is as good as the optimisation. L* takes minutes of a core and is kept by
content in --cache; interrupted, the same command goes on. docs/quality.md says what else is
measured and what Q does not see. NETWORK is an exported .onnx file or a .safetensors
checkpoint. Needs the extra 'train'.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from measuring import describe_machine
from quality_grid import LARGE_PHOTOS, Grid, choose_large, choose_photos, make_grid, read_paintings
from quality_networks import PaintingNetwork, match_siblings, open_networks
from quality_optimum import Ruler, fill_cache, make_ruler
from quality_report import format_report, report_grid
from quality_scores import Score, score_ends, score_grid
from quality_sheet import Sheet, require_format, write_sheet

from exporter.styles.quality import record_quality

PACKAGES = ("onnxruntime", "torch", "numpy", "Pillow")
SMALLEST = 64  # pixels: one block of the spectrum
CACHE = Path.home() / ".cache" / "impasto" / "quality"


def read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line and check what can be checked at once."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("networks", type=Path, nargs="*", metavar="NETWORK")
    add("--vgg", type=Path, required=True, help="of 'impasto weights import'")
    add("--photos", type=Path, required=True, help="folder that networks were trained on")
    add("--hold-out", type=int, default=50, help="the last so many, which no training saw")
    add("--paintings", type=Path, required=True, help="folder")
    add("--styles", type=split, default=[], help="only these paintings: a,b")
    add("--style-size", type=int, default=512, help="short side of paintings")
    add("--count", type=int, default=8, help="photos")
    add("--size", type=int, default=256, help="side of the photos in pixels")
    add("--large", type=int, default=512, help="side in a second, smaller grid; 0: none")
    add("--large-styles", type=split, default=[], help="its paintings; default: the first 3")
    add("--steps", type=int, default=150, help="of L-BFGS to L*")
    add("--cache", type=Path, default=CACHE, help="folder where L* is kept")
    add("--workers", type=int, default=len(os.sched_getaffinity(0)), help="processes for L*")
    add("--bfloat16", action="store_true", help="on the way to L*: for processors that have it")
    add("--only-cache", action="store_true", help="compute missing L*, score nothing")
    add("--sheet", type=Path, help="contact sheet to write, .jpg or .png")
    add("--record", action="store_true", help="write Q into given files of lower precision")
    add("--json", action="store_true")
    args = parser.parse_args(arguments)
    for name in ("hold_out", "count", "steps", "workers"):
        if getattr(args, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    if min(args.size, args.style_size, args.large or SMALLEST) < SMALLEST:
        parser.error(f"sizes must be at least {SMALLEST} px")
    if bool(args.networks) == args.only_cache:
        parser.error("give networks, or --only-cache without them")
    return args


def split(names: str) -> list[str]:
    """Split a list at its commas."""
    return [name for name in names.split(",") if name]


def make_grids(args: argparse.Namespace, networks: Sequence[PaintingNetwork]) -> list[Grid]:
    """Read photos and paintings; of the paintings, those that a network knows.

    Raises:
        DataError: a picture is missing or cannot be read.
        SystemExit: too few photos are large enough, or a network knows none of the paintings.
    """
    paths = choose_photos(args.photos, args.hold_out, args.count)
    paintings = read_paintings(args.paintings, args.style_size, args.styles)
    grids = [make_grid(paths, args.size, paintings)]
    if args.large:
        large = choose_large(paintings, args.large_styles)
        grids.append(make_grid(paths[:LARGE_PHOTOS], args.large, large))
    if not networks:
        return grids
    for network in networks:
        require_known(network, [painting.name for painting in paintings])
    known = {style for network in networks for style in network.styles}
    return [grid for grid in (g.restrict(known) for g in grids) if grid.paintings]


def require_known(network: PaintingNetwork, paintings: Sequence[str]) -> None:
    """Stop for a network that has nothing to be scored on.

    Raises:
        SystemExit: it knows none of the paintings.
    """
    if not set(network.styles) & set(paintings):
        message = (
            f"{network.file}: knows {', '.join(network.styles)}, and none of the paintings "
            f"{', '.join(paintings)}; they go by name"
        )
        raise SystemExit(message)


def score(
    grid: Grid, networks: Sequence[PaintingNetwork], ruler: Ruler, sheet: Sheet | None
) -> list[Score]:
    """Score all networks on a grid; with a sheet, measure what stands beside Q as well."""
    scores = score_ends(grid, ruler)
    seen = ""
    for painted in score_grid(grid, networks, ruler, signals=sheet is not None):
        scores.append(painted[0])
        if sheet is not None:
            sheet.take(painted)
        if painted[0].painting != seen:
            seen = painted[0].painting
            print(f"scoring {seen} at {grid.size} px", file=sys.stderr, flush=True)
    return scores


def describe_networks(
    networks: Sequence[PaintingNetwork], summaries: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return what each file is, and its mean Q on the first grid."""
    means = {summary["network"]: summary["q_mean"] for summary in summaries}
    return [
        {
            "name": network.name,
            "file": str(network.file),
            "precision": network.precision,
            "styles": list(network.styles),
            "q": means[network.name],
        }
        for network in networks
    ]


def record(report: dict[str, Any], networks: Sequence[PaintingNetwork]) -> None:
    """Write Q and the fp32 file's Q into every given file of lower precision.

    Raises:
        ExportError: a file has no place for it.
    """
    means = {entry["name"]: entry["q"] for entry in report["networks"]}
    for lower, whole in match_siblings(networks):
        q, reference = round(means[lower.name], 4), round(means[whole.name], 4)
        record_quality(lower.file, q, reference)
        print(f"{lower.file}: recorded Q {q} against {reference} in fp32", file=sys.stderr)


def run(args: argparse.Namespace) -> None:
    """Compute what is missing, score, print; then write what was asked for."""
    if args.sheet:
        require_format(args.sheet)
    networks = open_networks(args.networks)
    if args.record:
        match_siblings(networks)  # a mistake is told now, not after the measurement
    ruler = make_ruler(args.vgg, args.steps, args.cache, bfloat16=args.bfloat16)
    grids = make_grids(args, networks)
    fill_cache(ruler, [pair for grid in grids for pair in grid.list_pairs()], args.workers)
    if args.only_cache:
        return
    sheet = Sheet(grids[0], [network.name for network in networks])
    sheets = [sheet, *(None for _ in grids[1:])]  # only of the first grid
    found = [
        report_grid(grid, networks, score(grid, networks, ruler, page))
        for grid, page in zip(grids, sheets, strict=True)
    ]
    report = {
        "machine": describe_machine(PACKAGES),
        "vgg_sha256": ruler.digest,
        "steps": args.steps,
        "style_size": args.style_size,
        "networks": describe_networks(networks, found[0]["all"]),
        "grids": found,
    }
    print(json.dumps(report, indent=1) if args.json else format_report(report), flush=True)
    if args.sheet:
        write_sheet(sheet.render(ruler), args.sheet)
    if args.record:
        record(report, networks)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table, or JSON."""
    args = read_arguments(arguments)
    try:
        run(args)
    except click.ClickException as error:
        raise SystemExit(error.message) from None


if __name__ == "__main__":
    main()
