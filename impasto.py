"""The front door: one command whose subcommands are imported only when they are called."""

from importlib import import_module

import click

# name -> module, attribute, help; the help stands here so that listing imports nothing
COMMANDS: dict[str, tuple[str, str, str]] = {
    "stylize": ("runner.cli", "stylize", "Paint photos or folders of photos."),
    "classify": ("runner.cli", "classify", "Name what is in pictures."),
    "look": ("runner.look.cli", "look", "Show what a network learned, as pictures."),
    "styles": ("runner.cli", "styles", "List the styles, or render all of them on one photo."),
    "info": ("runner.cli", "info", "Tell what an ONNX file is, was trained on, and needs."),
    "bench": ("runner.bench.cli", "bench", "Measure how fast networks run on this machine."),
    "serve": ("runner.service.cli", "serve", "Serve models over HTTP, with batches."),
    "shapes": ("calculator.cli.shapes", "shapes", "Tell every shape, count and receptive field."),
    "compare": ("calculator.cli.compare", "compare", "Attribute the difference of two networks."),
    "solve": ("calculator.cli.solve", "solve", "Find settings that lead from size to size."),
    "why": ("calculator.cli.why", "why", "Tell which way of counting makes a number."),
    "doctor": ("calculator.cli.doctor", "doctor", "Tell why a network does not fit."),
    "quiz": ("calculator.cli.quiz", "quiz", "Ask exercises with the usual mistakes."),
    "conv": ("calculator.cli.conv", "conv", "Slide a kernel over a matrix or a picture."),
    "paint": ("models.painting.cli", "paint", "Paint by optimisation (extra 'train')."),
    "train": ("models.cli", "train", "Train a network (extra 'train')."),
    "weights": ("models.cli", "weights", "Import published weights (extra 'train')."),
    "export": ("exporter.cli", "export", "Turn a network into one ONNX file (extra 'train')."),
    "annotate": ("exporter.cli", "annotate", "Wrap any ONNX classifier (extra 'onnx')."),
    "verify": ("exporter.cli", "verify", "Compare a file with its checkpoint (extra 'train')."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of ``COMMANDS``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command, or None when there is no such."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        return getattr(import_module(module), attribute)  # type: ignore[no-any-return]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="impasto", message="impasto %(version)s")
def main() -> None:
    """Paint photos with trained convolutional networks, without PyTorch.

    Start with: impasto stylize FOLDER -o painted
    """


def run() -> None:
    """Run the command line of this process, and end it."""
    import_module("runner.ending").run(main)


if __name__ == "__main__":
    run()
