"""The body of ``impasto look``: options in, exit status out."""

import json
import os
import re
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from runner.classify.decoding import decode_job
from runner.classify.jobs import Job, make_job
from runner.encoding import encode
from runner.errors import ImpastoError, OutputError, PictureError
from runner.files import publish, write_atomically, write_standard
from runner.images import from_image
from runner.inputs import STANDARD, is_folder, list_pictures
from runner.look.document import describe_excitements, describe_exposure, describe_filters
from runner.look.filters import draw_filters
from runner.look.layers import Layer
from runner.look.maps import Exposure, choose_scales, draw_maps, draw_overview
from runner.look.network import PROBABILITIES, LayeredNetwork
from runner.look.patches import draw_patches
from runner.look.search import Seen, check_finite, rank_pictures
from runner.look.selection import check_units, choose_layers, choose_units
from runner.report import BarReport, Report, make_printable

UNITS = 18  # three rows of six: a sheet that fits a slide
DONE = "looked at"
NAME_LENGTH = 100


@dataclass
class Work:
    """One call of the command as it goes on.

    Attributes:
        network: open.
        layers: those with sheets of their own.
        units: shown ones, by layer's name.
        files: where each layer's sheets go: a part of a file's name, by layer's name.
        sheets: drawn ones, by name of the file.
        data: of the sheets.
        failed: whether a picture could not be read.
    """

    network: LayeredNetwork
    layers: tuple[Layer, ...]
    units: dict[str, tuple[int, ...]]
    files: dict[str, str]
    sheets: dict[str, Image.Image] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    failed: bool = False


def run_look(model: Path, options: dict[str, Any]) -> int:
    """Look at a network as the command line asks; files are written when all is drawn.

    Returns:
        0 when all went well, 1 when a picture could not be read.
    """
    warnings.filterwarnings("ignore", module="PIL")  # of odd metadata in users' files
    output: Path = options["output"]
    check_options(options)
    jobs = list_jobs(options["pictures"], output, recursive=options["recursive"])
    network = LayeredNetwork(model, options["provider"])
    work = plan_work(network, options)
    filters = network.read_filters()
    if filters is None and not jobs and options["picture"] is None:
        message = f"{model} has no filters to show; pass --picture FILE or --pictures FOLDER"
        raise click.UsageError(message)
    check_output(output, name_sheets(work, options, filters=filters is not None), options)
    if filters is not None:
        work.sheets["filters.png"] = draw_filters(network.name, filters)
        work.data["filters"] = describe_filters(filters)
    if jobs:
        add_patches(work, jobs, None if options["unit"] else options["units"] or UNITS)
    if options["picture"] is not None:
        add_maps(work, options["picture"], shared=options["scale"] == "shared")
    written = write_sheets(output, work.sheets)
    tell(work, model, written, as_json=options["json"])
    return int(work.failed)


def check_options(options: dict[str, Any]) -> None:
    """Stop where options contradict each other.

    Raises:
        click.UsageError: they do, or the output is no folder.
    """
    output = options["output"]
    if str(output) == STANDARD:
        message = "sheets are several files: give a folder, not standard output"
        raise click.UsageError(message)
    if os.path.lexists(output) and not is_folder(output):
        message = f"{output} is a file, and a folder is needed"
        raise click.UsageError(message)
    if options["units"] and options["unit"]:
        message = "--units N chooses units and --unit 3,17 names them: give only one of them"
        raise click.UsageError(message)
    if options["recursive"] and options["pictures"] is None:
        message = "--recursive goes with --pictures FOLDER"
        raise click.UsageError(message)


def list_jobs(folder: Path | None, output: Path, *, recursive: bool) -> list[Job]:
    """List the pictures of a folder; those of the output folder in it are left out.

    Raises:
        click.UsageError: there is no such folder, or the sheets would lie among the pictures.
        ImpastoError: it holds no pictures.
    """
    if folder is None:
        return []
    if not is_folder(folder):
        message = f"--pictures {folder}: no such folder"
        raise click.UsageError(message)
    sheets = os.path.realpath(output)
    if os.path.realpath(folder) == sheets:
        message = f"the sheets would lie among the pictures of {folder}; choose another output"
        raise click.UsageError(message)
    found = list_pictures(
        folder, recursive=recursive, skip=lambda inner: os.path.realpath(inner) == sheets
    )
    return [make_job(source) for source in found]


def plan_work(network: LayeredNetwork, options: dict[str, Any]) -> Work:
    """Choose layers, units and names of files.

    Raises:
        click.UsageError: there is no such layer or unit.
    """
    layers = choose_layers(network.layers, options["layers"])
    check_units(layers, options["unit"])
    units = {}
    for layer in network.layers:
        wanted = tuple(unit for unit in options["unit"] if unit < layer.units)
        units[layer.name] = wanted or choose_units(layer, options["units"] or UNITS)
    return Work(network, layers, units, name_files(layers))


def name_files(layers: Sequence[Layer]) -> dict[str, str]:
    """Return per layer's name a part of a file's name that every file system takes.

    Names may come from anywhere: no signs but letters, digits, dots, lines and dashes, none too
    long, and no two alike, also where upper and lower case are one.
    """
    taken: set[str] = set()
    files: dict[str, str] = {}
    for layer in layers:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", layer.name)[:NAME_LENGTH].strip("._") or "layer"
        part, number = plain, 2
        while part.casefold() in taken:
            part, number = f"{plain}-{number}", number + 1
        taken.add(part.casefold())
        files[layer.name] = part
    return files


def name_sheets(work: Work, options: dict[str, Any], *, filters: bool) -> list[str]:
    """Return the names of the sheets that will be written."""
    names = ["filters.png"] if filters else []
    if options["picture"] is not None:
        names += ["maps.png", *(f"maps-{work.files[layer.name]}.png" for layer in work.layers)]
    if options["pictures"] is not None:
        names += [f"patches-{work.files[layer.name]}.png" for layer in work.layers]
    return names


def check_output(output: Path, names: Sequence[str], options: dict[str, Any]) -> None:
    """Stop before the work where a sheet would replace a file.

    Raises:
        OutputError: it exists and may not be replaced, or is the picture itself.
    """
    picture = options["picture"]
    for path in (output / name for name in names):
        if picture is not None and os.path.realpath(path) == os.path.realpath(picture):
            message = f"{path}: the sheet would overwrite its own picture; choose another output"
            raise OutputError(message)
        if os.path.lexists(path) and not options["overwrite"]:
            message = f"{path} exists; pass --overwrite to replace it"
            raise OutputError(message)


def add_maps(work: Work, picture: Path, *, shared: bool) -> None:
    """Draw the feature maps of a picture.

    Raises:
        PictureError: it cannot be read, or the network returns what is no number.
    """
    exposure = expose(work.network, picture, shared=shared)
    network = work.network
    work.sheets["maps.png"] = draw_overview(network.name, network.layers, work.units, exposure)
    for layer in work.layers:
        sheet = draw_maps(network.name, layer, work.units[layer.name], exposure)
        work.sheets[f"maps-{work.files[layer.name]}.png"] = sheet
    work.data["maps"] = describe_exposure(network.layers, work.units, exposure)


def expose(network: LayeredNetwork, picture: Path, *, shared: bool) -> Exposure:
    """Show a network one picture and keep what every layer returns.

    Raises:
        PictureError: the picture cannot be read, or the network returns what is no number.
    """
    try:
        pixels = decode_job(make_job(str(picture)), network.rule)
        names = [layer.name for layer in network.layers]
        asked = [*names, PROBABILITIES] if network.labels else names
        found = network.run(asked, pixels[None])
        for name, array in zip(asked, found, strict=True):
            check_finite(name, array)
    except PictureError as error:
        message = f"{picture}: {error.message}"
        raise PictureError(message) from None
    values = {name: array[0] for name, array in zip(names, found, strict=False)}
    verdict = ""
    if network.labels:
        best = int(np.argmax(found[-1][0]))
        verdict = f"taken for {network.labels[best]} ({found[-1][0][best]:.1%})"
    title = "standard input" if str(picture) == STANDARD else picture.name
    scales = choose_scales(values, shared=shared)
    return Exposure(title, pixels, values, verdict, scales, shared=shared)


def add_patches(work: Work, jobs: Sequence[Job], count: int | None) -> None:
    """Draw the patches that excite units most; feature maps will show the same units.

    Args:
        work: gets the sheets.
        jobs: the pictures.
        count: units to choose per layer by how strongly they answer; None where they are named.

    Raises:
        ImpastoError: none of the pictures can be read.
    """
    kind = BarReport[Seen] if sys.stderr.isatty() else Report[Seen]
    with kind(len(jobs), DONE) as report:
        rankings = rank_pictures(work.network, jobs, work.layers, report)
    report.summarize(stopped=False)
    work.failed = bool(report.counts["failed"])
    if not report.counts["ok"]:
        message = f"none of the {len(jobs)} pictures could be looked at"
        raise ImpastoError(message)
    sources, rule = [job.source for job in jobs], work.network.rule
    rows = []
    for layer in work.layers:
        ranking = rankings[layer.name]
        if count is not None:
            work.units[layer.name] = ranking.choose_units(count)
        found = [ranking.describe(u, sources, rule.size) for u in work.units[layer.name]]
        sheet = draw_patches(work.network.name, layer, found, rule, report.counts["ok"])
        work.sheets[f"patches-{work.files[layer.name]}.png"] = sheet
        rows.append(describe_excitements(layer, found))
    work.data["patches"] = {**report.counts, "layers": rows}


def write_sheets(output: Path, sheets: dict[str, Image.Image]) -> list[Path]:
    """Write all sheets, each whole or not at all, and return their files.

    Raises:
        OutputError: the folder or the disk refuses.
    """
    written = []
    for name, sheet in sheets.items():
        data, _ = encode(from_image(sheet), "PNG")
        write_atomically(output / name, data)
        publish(output / name)
        written.append(output / name)
    return written


def tell(work: Work, model: Path, written: Sequence[Path], *, as_json: bool) -> None:
    """Print the files, or one JSON object with the data of the sheets."""
    if not as_json:
        for path in written:
            click.echo(make_printable(str(path)))
        return
    about = {"model": str(model), "network": work.network.name, "sheets": list(map(str, written))}
    write_standard(json.dumps(about | work.data).encode("ascii") + b"\n")
