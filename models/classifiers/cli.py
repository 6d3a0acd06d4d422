"""The commands ``impasto train lenet5`` and its siblings; PyTorch waits until one is run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

FILE = click.Path(path_type=Path)
# What help must know of the networks without importing them: title and variants, default first.
# models.classifiers.networks says the same, and a test compares them.
COMMANDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "lenet5": ("LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998)", ("notes", "1998")),
    "simpleconvnet": ("SimpleConvNet (Saito 2016)", ("book",)),
    "alexnet": (
        "AlexNet (Krizhevsky, Sutskever and Hinton 2012)",
        ("single", "grouped", "torchvision"),
    ),
    "vgg11": ("VGG-11, configuration A (Simonyan and Zisserman 2015)", ("plain", "bn")),
    "vgg13": ("VGG-13, configuration B (Simonyan and Zisserman 2015)", ("plain", "bn")),
    "vgg16": ("VGG-16, configuration D (Simonyan and Zisserman 2015)", ("plain", "bn")),
    "vgg19": ("VGG-19, configuration E (Simonyan and Zisserman 2015)", ("plain", "bn")),
}
PUBLISHED = ("alexnet", "vgg11", "vgg13", "vgg16", "vgg19")  # what torchvision has weights of
WITH_HIDDEN = PUBLISHED
EPILOGUE = """\b
SOURCE is one of
  a folder with one folder of pictures per class,
  a folder of such folders called train, val and perhaps test,
  a folder with MNIST's IDX files (train-*, t10k-*; .gz or not),
  the word mnist, which downloads them.

The run's folder holds checkpoint.safetensors and best.safetensors while it goes on, and
classifier.safetensors, the epoch with the best validation accuracy, when it has ended; beside
them log.csv, curves.png, confusion.csv and confusion.png."""

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def make_options(name: str) -> list[Decorator]:
    """Return the options of one network's command, in the order of its help."""
    return [*make_main_options(name), *make_training_options(), *make_run_options()]


def make_main_options(name: str) -> list[Decorator]:
    """Return what is trained, on what, and where it goes."""
    variants = COMMANDS[name][1]
    hidden = click.option(
        "--hidden",
        type=click.IntRange(1, 65536),
        metavar="UNITS",
        help="Units of each hidden dense layer. [default: 4096, the paper's]",
    )
    return [
        click.option(
            "--data", required=True, metavar="SOURCE", help="Labelled pictures; see below."
        ),
        click.option(
            "-o",
            "--output",
            type=FILE,
            required=True,
            metavar="FOLDER",
            help="Folder of the run: checkpoints, log, curves, confusion matrix.",
        ),
        click.option(
            "--variant", type=click.Choice(variants), default=variants[0], show_default=True
        ),
        *([hidden] if name in WITH_HIDDEN else []),
        click.option(
            "--preset",
            type=click.Choice(["modern", "paper"]),
            default="modern",
            show_default=True,
            help="Optimiser, schedule, augmentation: today's, or the paper's.",
        ),
        click.option(
            "--from",
            "base",
            type=FILE,
            metavar="WEIGHTS",
            help="Begin from a classifier, or (VGG-16) from vgg16-features.",
        ),
        click.option(
            "--freeze",
            type=click.Choice(["features"]),
            help="Train the dense layers only; needs --from.",
        ),
    ]


def make_training_options() -> list[Decorator]:
    """Return what the presets leave to choose."""
    return [
        click.option("--epochs", type=click.IntRange(1, 100_000), help="[default: the preset's]"),
        click.option(
            "--batch",
            type=click.IntRange(1, 65536),
            help="Pictures per step. [default: the preset's]",
        ),
        click.option(
            "--accumulate",
            type=click.IntRange(1, 65536),
            default=1,
            show_default=True,
            help="Compute each batch in so many parts, for less memory.",
        ),
        click.option(
            "--learning-rate",
            type=click.FloatRange(0, 1000, min_open=True),
            help="First or peak rate. [default: the preset's]",
        ),
        click.option("--no-augmentation", is_flag=True, help="Show every picture as it is."),
        click.option(
            "--validation",
            type=click.FloatRange(0, 0.9),
            default=0.1,
            show_default=True,
            help="Share of the training pictures to validate on, unless there is a val folder.",
        ),
        click.option(
            "--patience",
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help="End after so many epochs without a better validation; 0: never.",
        ),
    ]


def make_run_options() -> list[Decorator]:
    """Return how the run is carried out."""
    return [
        click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True),
        click.option(
            "--precision",
            type=click.Choice(["auto", "fp32", "bf16"]),
            default="auto",
            show_default=True,
            help="auto takes bf16 where network and hardware gain from it.",
        ),
        click.option(
            "--every",
            type=click.IntRange(1),
            default=1000,
            show_default=True,
            help="Steps between checkpoints, besides those at each epoch's end.",
        ),
        click.option(
            "--resume",
            is_flag=True,
            help="Continue the run in --output; repeat its other options.",
        ),
    ]


def make_command(name: str, require: Callable[..., None]) -> click.Command:
    """Return ``impasto train <name>``.

    Args:
        name: of the network.
        require: stops where a package that is named is not installed.
    """

    def run(**options: Any) -> None:  # noqa: ANN401 - as click passes them
        if options["freeze"] and not options["base"]:
            message = "--freeze features would keep random ones; give --from WEIGHTS too"
            raise click.UsageError(message)
        require("torch", "safetensors", "matplotlib")
        from models.classifiers.command import run_training  # noqa: PLC0415 - needs PyTorch

        run_training(name, options)

    for decorate in reversed(make_options(name)):
        run = decorate(run)
    return click.command(
        name,
        help=f"Train {COMMANDS[name][0]} on labelled pictures.",
        epilog=EPILOGUE,
    )(run)


def add_commands(group: click.Group, require: Callable[..., None]) -> None:
    """Add a command per network to ``impasto train``."""
    for name in COMMANDS:
        group.add_command(make_command(name, require))
