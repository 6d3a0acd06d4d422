"""Options that several commands of the calculator share."""

from collections.abc import Callable

import click

Decorator = Callable[[Callable[..., None]], Callable[..., None]]
input_option: Decorator = click.option(
    "--input", "input_text", metavar="CxHxW", help="Input without the batch. [default: NET's own]"
)
batch_option: Decorator = click.option(
    "--batch",
    type=click.IntRange(1, 1_000_000_000),
    default=1,
    show_default=True,
    help="Samples per run.",
)
lang_option: Decorator = click.option(
    "--lang",
    "language",
    type=click.Choice(["en", "ko"]),
    default="en",
    show_default=True,
    help="English or Korean.",
)
