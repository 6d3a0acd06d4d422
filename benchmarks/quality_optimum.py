"""What optimisation reaches for a photo and a painting: computed once, kept by content.

The cost is ``models.optimize``'s usual one: content + 10 style, each relative to its target's
own energy, on VGG-16 with reflect padding. Costs are float32; the gradients on the way may come
from bfloat16, which leads as far (docs/quality.md) in less time.
"""

import hashlib
import io
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from quality_grid import Pair, Pixels, as_pixels

from models.files import write_atomically
from models.optimize import PictureObjective, Recipe, optimize
from models.style.perceptual import VGGFeatures, load_vgg

SCHEMA = 1
PADDING: Literal["reflect"] = "reflect"  # no dark frame around the picture, as in training
COSTS = ("total", "content", "style")


@dataclass(frozen=True)
class Optimum:
    """Both ends of the scale for one pair: ``total``, ``content`` and ``style`` of each.

    Attributes:
        photo: L(x), the photo as it is; its content cost is 0.
        best: L*, the best picture on the way of the optimisation from the photo.
    """

    photo: dict[str, float]
    best: dict[str, float]

    def rate(self, total: float) -> float:
        """Return Q of a picture that costs ``total``: 0 as the photo, 1 as the optimum.

        Raises:
            ValueError: the optimisation lowered nothing, so that there is no scale.
        """
        gain = self.photo["total"] - self.best["total"]
        if gain <= 0.0:
            message = f"optimisation from {self.photo['total']} reached {self.best['total']}"
            raise ValueError(message)
        return 1.0 - (total - self.best["total"]) / gain


@dataclass(frozen=True)
class Ruler:
    """How costs are measured, and where optima are kept.

    Attributes:
        vgg: ``vgg16-features`` file.
        digest: SHA-256 of that file, hexadecimal.
        steps: of L-BFGS.
        folder: one JSON file and one PNG per pair.
        recipe: layers, weights, normalisation.
        bfloat16: whether convolutions on the way to an optimum are bfloat16; costs never are.
    """

    vgg: Path
    digest: str
    steps: int
    folder: Path
    recipe: Recipe = field(default_factory=Recipe)
    bfloat16: bool = False

    def list_ingredients(self, pair: Pair) -> dict[str, Any]:
        """Return all that an optimum depends on, as JSON values."""
        return {
            "schema": SCHEMA,
            "photo": pair.photo.digest,
            "painting": pair.painting.digest,
            "size": list(pair.photo.pixels.shape[:2]),
            "steps": self.steps,
            "recipe": describe_recipe(self.recipe),
            "vgg": self.digest,
        }

    def locate(self, pair: Pair) -> Path:
        """Return the JSON file of a pair; its name is the SHA-256 of the ingredients."""
        text = json.dumps(self.list_ingredients(pair), sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.json"

    def read(self, pair: Pair) -> Optimum | None:
        """Return what is kept of a pair; None where nothing is, or it is damaged."""
        path = self.locate(pair)
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            ends = ({name: float(entry[end][name]) for name in COSTS} for end in ("photo", "best"))
            return Optimum(*ends) if path.with_suffix(".png").is_file() else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def read_picture(self, pair: Pair) -> Pixels:
        """Return the optimised picture, rounded to 8 bits."""
        with Image.open(self.locate(pair).with_suffix(".png")) as picture:
            return np.asarray(picture.convert("RGB"))

    def write(self, pair: Pair, optimum: Optimum, picture: Pixels) -> None:
        """Keep an optimum: the picture first, so that a number never stands without one.

        Raises:
            CheckpointError: the folder or the disk refuses.
        """
        path, buffer = self.locate(pair), io.BytesIO()
        Image.fromarray(picture).save(buffer, "PNG")
        write_atomically(path.with_suffix(".png"), buffer.getvalue())
        entry = {
            "names": {"photo": pair.photo.name, "painting": pair.painting.name},
            "ingredients": self.list_ingredients(pair),
            "torch": torch.__version__,
            "bfloat16": self.bfloat16,
            **asdict(optimum),
        }
        write_atomically(path, json.dumps(entry, indent=1).encode())

    def open(self) -> VGGFeatures:
        """Return the feature network, loaded once per process.

        Raises:
            WeightsError: the file is missing or not a ``vgg16-features`` file.
        """
        return open_vgg(self.vgg, self.recipe.list_layers())


def describe_recipe(recipe: Recipe) -> dict[str, Any]:
    """Return what a recipe measures, as JSON values; not what it leaves to training."""
    weights = recipe.weights
    return {
        "content_layers": [list(share) for share in recipe.content_layers],
        "style_layers": [list(share) for share in recipe.style_layers],
        "weights": [weights.content, weights.style, weights.variation],
        "normalization": recipe.normalization,
        "padding": PADDING,
    }


@cache
def open_vgg(path: Path, layers: tuple[str, ...]) -> VGGFeatures:
    """Load VGG-16 with reflect padding, as training does."""
    vgg = load_vgg(path, layers, padding_mode=PADDING)
    # the same numbers in a seventh less time on CPUs
    return vgg.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def make_ruler(vgg: Path, steps: int, folder: Path, *, bfloat16: bool = False) -> Ruler:
    """Return the ruler of a ``vgg16-features`` file.

    Raises:
        WeightsError: the file is missing or something else.
    """
    open_vgg(vgg, Recipe().list_layers())  # a wrong file is named before it is hashed
    digest = hashlib.sha256(vgg.read_bytes()).hexdigest()
    return Ruler(vgg, digest, steps, folder, bfloat16=bfloat16)


def reach_optimum(ruler: Ruler, pair: Pair) -> Optimum:
    """Optimise one pair from the photo and keep what came out.

    Raises:
        DivergedError: a cost is not finite.
        CheckpointError: it cannot be written.
    """
    photo = pair.photo.to_tensor()
    objective = PictureObjective(
        ruler.open(), ruler.recipe, content=photo, styles=[pair.painting.to_tensor()]
    )
    with torch.autocast("cpu", torch.bfloat16, enabled=ruler.bfloat16):
        reached = optimize(objective, photo, steps=ruler.steps).pictures
    with torch.no_grad():
        ends = [objective.measure(picture).as_floats() for picture in (photo, reached)]
    optimum = Optimum(*({name: costs[name] for name in COSTS} for costs in ends))
    ruler.write(pair, optimum, as_pixels(reached))
    return optimum


def find_missing(ruler: Ruler, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs of which nothing is kept, each once."""
    unknown = {ruler.locate(pair): pair for pair in pairs if ruler.read(pair) is None}
    return list(unknown.values())


def prepare_worker() -> None:
    """Make a process fit for its work: one thread, and an end when its parent has ended."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Leave when the parent is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def fill_cache(ruler: Ruler, pairs: Sequence[Pair], workers: int) -> None:
    """Compute what is missing in processes of one thread each; say how far it is on stderr.

    Raises:
        DivergedError: a cost is not finite.
        CheckpointError: the folder or the disk refuses.
        SystemExit: it was interrupted, or a process died.
    """
    missing = find_missing(ruler, pairs)
    print(f"{len(pairs) - len(missing)} of {len(pairs)} optima are kept", file=sys.stderr)
    if not missing:
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy PyTorch's threads' locks
    with ProcessPoolExecutor(min(workers, len(missing)), context, prepare_worker) as pool:
        begun = time.perf_counter()
        futures = {pool.submit(reach_optimum, ruler, pair): pair for pair in missing}
        try:
            follow(futures, lambda: time.perf_counter() - begun)
        except KeyboardInterrupt:
            message = f"interrupted; what is finished is kept in {ruler.folder}: run it again"
            raise SystemExit(message) from None
        except BrokenProcessPool:
            message = "a process died, most likely for want of memory; use --workers 1"
            raise SystemExit(message) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()


def follow(futures: dict[Future[Optimum], Pair], clock: Callable[[], float]) -> None:
    """Print a line for every pair that is finished; work is proportional to pixels."""
    left = sum(pair.photo.pixels.size for pair in futures.values())
    done = 0
    for number, future in enumerate(as_completed(futures), 1):
        pair, optimum = futures[future], future.result()
        done += pair.photo.pixels.size
        left -= pair.photo.pixels.size
        minutes = clock() * left / done / 60.0
        print(
            f"{number}/{len(futures)} {pair.label}: L(x) {optimum.photo['total']:.3f}, "
            f"L* {optimum.best['total']:.3f}; {minutes:.0f} min left",
            file=sys.stderr,
            flush=True,
        )
