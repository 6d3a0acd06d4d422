"""The body of ``impasto paint``: an order from options, progress, and what is written when."""

import time
import warnings
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import click
import torch

from models.classifiers.progress import Counter
from models.errors import ModelsError
from models.files import write_atomically
from models.optimize import USUAL_WEIGHTS, Recipe, Step
from models.painting.arguments import check_collisions, check_existing, check_outputs
from models.painting.order import Order, compare_orders
from models.painting.pictures import encode
from models.painting.state import name_state, read_state, write_state
from models.painting.work import Painting
from models.style.objective import Weights

SAVE_S = 30.0  # between states: what a crash may cost


def run_painting(options: dict[str, Any], received: list[int]) -> int:
    """Paint as the command line asks, reporting on standard error.

    Args:
        options: of ``impasto paint``, read.
        received: numbers of the signals so far; the work ends in good order when there is one.

    Returns:
        0, 130 after Ctrl-C, 143 after SIGTERM.

    Raises:
        ModelsError: an input is missing or wrong, or nothing can be written.
    """
    output: Path = options["output"]
    order = read_order(options)
    results = [output, *filter(None, [options["frames"]])]
    check_outputs(output, options["frames"])
    inputs = [order.content, order.vgg, *(path for path, _ in order.styles)]
    check_collisions(inputs, [*results, name_state(output)])
    flags = {name: options[name] for name in ("overwrite", "resume")}
    check_existing(results, name_state(output), **flags)
    with warnings.catch_warnings():
        # Pillow warns of odd metadata and of large pictures, which do not matter here.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        try:
            painting = prepare(order, output, resume=options["resume"])
            for path in results:
                make_folder(path)
            paint_until_end(painting, output, received)
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "memory" not in str(error):
                raise
            message = (
                f"{order.stages[-1].size} px need more memory than there is; pass smaller --sizes"
            )
            raise ModelsError(message) from error
    if received:
        return 128 + received[0]
    if options["frames"]:
        write_atomically(options["frames"], painting.frames.encode(options["frames"]))
    name_state(output).unlink(missing_ok=True)
    click.echo(str(output))
    return 0


def read_order(options: dict[str, Any]) -> Order:
    """Return what the options ask for.

    Raises:
        click.UsageError: neither content nor style is to count.
    """
    usual = USUAL_WEIGHTS[options["normalization"]]
    content, style = options["content_weight"], options["style_weight"]
    weights = Weights(
        usual.content if content is None else content,
        usual.style if style is None else style,
        options["variation_weight"],
    )
    if not (weights.content or weights.style):
        message = "--content-weight 0 and --style-weight 0 leave nothing to paint; give one weight"
        raise click.UsageError(message)
    recipe = Recipe(
        options["content_layers"], options["style_layers"], weights, options["normalization"]
    )
    same = ("content", "styles", "vgg", "stages", "learning_rate", "init", "pooling", "keep_color")
    return Order(
        **{name: options[name] for name in same},
        recipe=recipe,
        solver=options["optimizer"],
        style_scale=options["style_scale"],
        seed=options["seed"],
        frames=options["frames"] is not None,
    )


def make_folder(path: Path) -> None:
    """Make the folder that ``path`` goes to, before minutes are spent on what goes there.

    Raises:
        ModelsError: it cannot be made, or nothing can be written into it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        message = f"{path}: cannot be written ({error.strerror}); choose another folder"
        raise ModelsError(message) from None


def prepare(order: Order, output: Path, *, resume: bool) -> Painting:
    """Return the painting, new or where its state stands."""
    painting = Painting(order, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    path = name_state(output)
    if not resume:
        return painting
    if not path.exists():
        click.echo(f"{path}: not there, nothing to resume; begins", err=True)
        return painting
    state = read_state(path)
    compare_orders(path, state["order"], order.describe())
    painting.restore_state(state)
    size = order.stages[painting.stage].size
    click.echo(
        f"{output}: goes on after step {painting.step} of {order.steps}, at {size} px", err=True
    )
    return painting


def paint_until_end(painting: Painting, output: Path, received: list[int]) -> None:
    """Take the steps that are left; at the end, or at a signal, write the best picture."""
    saved = time.monotonic()
    state = name_state(output)
    with PaintingProgress(painting) as progress:
        for step in painting.run() if not received else ():
            progress.show_step(step)
            if received:
                break
            if time.monotonic() - saved >= SAVE_S:
                write_state(state, painting.collect_state())
                saved = time.monotonic()
    if not received:
        write_atomically(output, encode(painting.best, output))
    elif painting.step:
        write_state(state, painting.collect_state())
        write_atomically(output, encode(painting.best, output))
        where = f"after step {painting.step} of {painting.order.steps}"
        click.echo(
            f"{output}: stopped {where}; the best picture so far. --resume goes on", err=True
        )
    else:
        click.echo(f"{output}: stopped before the first step; not written", err=True)


class PaintingProgress(Counter):
    """Progress in pixels times steps, so that the time left knows that later sizes are slower."""

    def __init__(self, painting: Painting) -> None:
        self.painting = painting
        self.stages = painting.order.stages
        total = sum(stage.steps * stage.size**2 for stage in self.stages)
        super().__init__(total, self.count_done())

    def count_done(self) -> int:
        """Return the steps taken times the squares of their sizes."""
        stage = self.painting.stage
        past = sum(s.steps * s.size**2 for s in self.stages[:stage])
        return past + self.painting.optimization.step * self.stages[stage].size ** 2

    def show_step(self, step: Step) -> None:
        """Show the costs that are measured, and where the step stands."""
        stage, costs = self.stages[self.painting.stage], step.costs[0]
        weights = self.painting.order.recipe.weights
        shown = [
            f"{name} {costs[name]:.4g}" for name in ("content", "style") if getattr(weights, name)
        ]
        text = f"{stage.size} px  step {step.step}/{stage.steps}  {'  '.join(shown)}"
        self.show(self.count_done(), text)
