"""The body of ``impasto train`` for classifiers: settings from options, progress, results."""

import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import torch

from models.classifiers.evaluation import Evaluation
from models.classifiers.finetuning import Base, read_base
from models.classifiers.log import plot_confusion, plot_curves, write_confusion, write_log
from models.classifiers.material import CACHED_FEATURES, Material, prepare_material
from models.classifiers.networks import config_as_dict, find_network
from models.classifiers.progress import PictureProgress, TrainingProgress
from models.classifiers.runs import Run, find_checkpoint
from models.classifiers.settings import ClassifierSettings
from models.classifiers.sources import DataSet, read_source
from models.classifiers.training import ClassifierTraining
from models.style.objective import gains_from_bf16

LARGE_NETWORKS = ("alexnet", "vgg")  # those that gain from bf16


def run_training(name: str, options: dict[str, Any]) -> None:
    """Train as the command line asks, reporting on standard error.

    Raises:
        ModelsError: an input is missing or wrong, or nothing can be written.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with warnings.catch_warnings():
        # Pillow warns of odd metadata and of large pictures, which do not matter here.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        checkpoint = find_checkpoint(options["output"], resume=options["resume"])
        base = read_base(options["base"]) if options["base"] else None
        data = read_source(
            options["data"], share=options["validation"], seed=options["seed"], report=tell
        )
        settings = read_settings(name, options, data, device)
        material = prepare_material(settings, data, device=device, base=base)
        cache_if_possible(material, settings)
        run = Run(ClassifierTraining(settings, material), options["output"], checkpoint)
        tell_start(run, base=base, resume=options["resume"])
        path = train(run, every=options["every"])
    click.echo(str(path))


def train(run: Run, *, every: int) -> Path:
    """Train to the end; return the finished classifier's path."""
    training = run.training
    with TrainingProgress(training) as progress:
        for step in training.run():
            progress.show_step(step)
            if step.epoch is not None:
                run.save_epoch()
                write_history(run)
            elif step.step % every == 0:
                run.save()
    path, found = run.finish()
    write_results(run, found)
    return path


def write_history(run: Run) -> None:
    """Write the log and its curves."""
    history = run.training.history
    write_log(run.folder / "log.csv", history)
    settings = run.training.settings
    plot_curves(run.folder / "curves.png", history, f"{settings.network}, {settings.preset} preset")


def write_results(run: Run, found: dict[str, Evaluation]) -> None:
    """Tell how well the classifier does, and write the confusion matrix of the strictest part."""
    for part, evaluation in found.items():
        counted = f"{evaluation.correct} of {evaluation.total}"
        tell(f"{part}: {evaluation.accuracy:.2%} ({counted}), loss {evaluation.loss:.4f}")
    part = list(found)[-1]
    labels = run.training.material.labels
    write_confusion(run.folder / "confusion.csv", labels, found[part])
    title = f"{part}: {found[part].accuracy:.2%} of {found[part].total}"
    plot_confusion(run.folder / "confusion.png", labels, found[part], title)


def read_settings(
    name: str, options: dict[str, Any], data: DataSet, device: torch.device
) -> ClassifierSettings:
    """Return the preset's settings with the options in their place."""
    description = find_network(name)
    shape = {"hidden": options["hidden"]} if options.get("hidden") else {}
    config = description.configure(options["variant"], classes=len(data.labels), **shape)
    values = asdict(description.presets[options["preset"]])
    for key in ("epochs", "batch", "learning_rate"):
        if options[key] is not None:
            values[key] = options[key]
    if options["no_augmentation"]:
        values["augmentation"] = "none"
    return ClassifierSettings(
        network=name,
        config=config_as_dict(config),
        preset=options["preset"],
        accumulate=options["accumulate"],
        patience=options["patience"],
        freeze=options["freeze"] == "features",
        precision=choose_precision(options["precision"], name, device),
        seed=options["seed"],
        **values,
    )


def choose_precision(precision: str, name: str, device: torch.device) -> str:
    """Resolve ``auto``: ``bf16`` where network and hardware gain from it, else ``fp32``."""
    if precision != "auto":
        return precision
    gains = name.startswith(LARGE_NETWORKS) and gains_from_bf16(device)
    return "bf16" if gains else "fp32"


def cache_if_possible(material: Material, settings: ClassifierSettings) -> None:
    """Compute frozen features once where every epoch would find the same."""
    if not settings.freeze or settings.augmentation != "none":
        return
    pictures, values = material.count_features()
    if values <= CACHED_FEATURES:
        tell(f"computing the frozen features of {pictures:,} pictures once")
        with PictureProgress(pictures) as progress:
            material.cache_features(settings.precision, progress.advance)


def tell(sentence: str) -> None:
    """Print a sentence on standard error."""
    click.echo(sentence, err=True)


def tell_start(run: Run, *, base: Base | None, resume: bool) -> None:
    """Say what is about to be trained on what."""
    training = run.training
    material = training.material
    parts = ", ".join(f"{v['pictures']:,} {k}" for k, v in material.data.items())
    tell(f"{len(material.labels)} classes; pictures: {parts}")
    if base is not None:
        fresh = material.origin["fresh"]
        tell(f"beginning from {base.path} ({base.name}); fresh: {', '.join(fresh) or 'nothing'}")
    if resume and training.step:
        tell(f"resuming after step {training.step} of {training.steps}")
    elif resume:
        tell(f"{run.folder}: no checkpoint to resume from; beginning at step 1")
