"""Style transfer by optimisation: no network is trained, the pixels of the picture are.

Gatys, Ecker and Bethge 2015, "A Neural Algorithm of Artistic Style" (arXiv 1508.06576v2), and
2016, "Image Style Transfer Using Convolutional Neural Networks" (CVPR). A picture G is sought
that has the activations of a photo C and the correlations of a painting S:

    J(G) = alpha J_content(C, G) + beta J_style(S, G) + gamma TV(G)               equation 7

J_content and J_style are means over layers, weighted by the layers' shares. F and P are the
activations of G and C, [C, H, W]; G and A the Gram matrices of G and S, sum over positions of
F F^T (equation 3), [C, C]. What a layer adds goes by the name of its normalisation:

======== ====================================== ==================================================
name     content                                style
======== ====================================== ==================================================
notes    1/(4 H W C) sum (F - P)^2              1/(2 H W C)^2 sum (G - A)^2
gatys    1/2 sum (F - P)^2, equation 1          1/(4 C^2 (H W)^2) sum (G - A)^2, equation 4
relative sum (F - P)^2 / sum P^2                sum (G - A)^2 / sum A^2
======== ====================================== ==================================================

notes is what courses teach: its style cost is the paper's, its content cost the paper's divided
by 2 H W C, so that a photo's size does not change the balance. relative is what
``impasto train style`` lowers: every layer is measured by its target's own energy.

Deviations from the paper: a Gram matrix is divided by its H W before it is compared, so that
photo and painting may differ in size (the same numbers where they do not); several paintings
blend by the weighted mean of their Gram matrices; the picture is kept in [0, 1]; VGG-16 in
place of VGG-19, without the rescaling of its weights to unit mean activations.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from models.errors import DataError
from models.painting.canvas import LEARNING_RATES, Canvas, Solver
from models.style.losses import content_cost, gram_matrix, style_cost, total_variation
from models.style.objective import CONTENT_LAYER, STYLE_LAYERS, Costs, Weights
from models.style.perceptual import VGGFeatures

Normalization = Literal["relative", "notes", "gatys"]
Shares = tuple[tuple[str, float], ...]
# alpha and beta that leave both photo and painting in the picture; TV is off. The paper's 1 and
# 1000 are right near 256 px, since its content cost grows with the picture and its style does not
USUAL_WEIGHTS: dict[str, Weights] = {
    "relative": Weights(1.0, 10.0, 0.0),
    "notes": Weights(1.0, 5e-4, 0.0),
    "gatys": Weights(1.0, 1e3, 0.0),
}


@dataclass(frozen=True)
class Recipe:
    """What the picture is measured by.

    Attributes:
        content_layers: layer and share; shares count relative to their sum.
        style_layers: the same, of the style cost; the paper gives five layers a fifth each.
        weights: alpha, beta and gamma. A cost of weight 0 is not measured: it reads 0.
        normalization: see the module's table.
    """

    content_layers: Shares = ((CONTENT_LAYER, 1.0),)
    style_layers: Shares = tuple((layer, 1.0) for layer in STYLE_LAYERS)
    weights: Weights = field(default_factory=lambda: USUAL_WEIGHTS["relative"])
    normalization: Normalization = "relative"

    def list_layers(self) -> tuple[str, ...]:
        """Return the layers that are measured, for ``load_vgg``."""
        content = self.content_layers if self.weights.content else ()
        style = self.style_layers if self.weights.style else ()
        return tuple(dict.fromkeys(layer for layer, _ in (*content, *style)))


class PictureObjective:
    """J(G) of the module's first equation, for one painting or a blend of several.

    Args:
        vgg: features at ``recipe.list_layers()``; it decides type and device.
        recipe: layers, weights and normalisation.
        content: float ``[N, 3, H, W]`` (or ``[N, 1, H, W]``, light alone), in [0, 1]: the photos.
        styles: float ``[1, 3, H, W]`` or ``[1, 1, H, W]`` each, any sizes: the paintings.
        shares: how much each painting counts, relative to their sum; equal when empty.

    Raises:
        DataError: shares and paintings are not of one number, or no painting is given.
    """

    def __init__(
        self,
        vgg: VGGFeatures,
        recipe: Recipe,
        *,
        content: Tensor,
        styles: Sequence[Tensor],
        shares: Sequence[float] = (),
    ) -> None:
        self.vgg = vgg
        self.recipe = recipe
        shares = shares or [1.0] * len(styles)
        if len(shares) != len(styles) or (recipe.weights.style and not styles):
            message = f"{len(styles)} paintings with {len(shares)} shares; give one share for each"
            raise DataError(message)
        with torch.no_grad():
            self.activations = self._measure_photos(content)
            self.grams = self._blend([self._measure_painting(style) for style in styles], shares)

    def measure(self, picture: Tensor, photo: int = 0) -> Costs:
        """Return the costs of one picture, differentiable in it.

        Args:
            picture: float ``[1, 3, H, W]`` or ``[1, 1, H, W]``, in [0, 1].
            photo: which of ``content`` it is to show.
        """
        weights, kind = self.recipe.weights, self.recipe.normalization
        features = self._extract(picture)
        zero = picture.new_zeros(())
        content = zero + sum(
            share * CONTENT_COSTS[kind](features[layer], self.activations[layer][photo : photo + 1])
            for layer, share in divide(self.recipe.content_layers if weights.content else ())
        )
        style = zero + sum(
            share * STYLE_COSTS[kind](gram_matrix(features[layer]), self.grams[layer])
            for layer, share in divide(self.recipe.style_layers if weights.style else ())
        )
        variation = total_variation(picture) if weights.variation else zero
        total = weights.content * content + weights.style * style + weights.variation * variation
        return Costs(total, content.detach(), style.detach(), variation.detach())

    def _measure_photos(self, content: Tensor) -> dict[str, Tensor]:
        if not self.recipe.weights.content:
            return {}
        features = self._extract(content)
        return {layer: features[layer] for layer, _ in self.recipe.content_layers}

    def _measure_painting(self, style: Tensor) -> dict[str, Tensor]:
        if not self.recipe.weights.style:
            return {}
        features = self._extract(style)
        return {layer: gram_matrix(features[layer]) for layer, _ in self.recipe.style_layers}

    def _blend(self, grams: list[dict[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
        pairs = [
            (share / math.fsum(shares), gram) for share, gram in zip(shares, grams, strict=True)
        ]
        layers = grams[0] if grams else {}
        return {
            layer: torch.stack([w * gram[layer] for w, gram in pairs]).sum(0) for layer in layers
        }

    def _extract(self, images: Tensor) -> dict[str, Tensor]:
        if not self.vgg.layers:
            return {}
        return self.vgg(images.expand(-1, 3, -1, -1))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Step:
    """Where the pictures stand after ``step`` steps, and what each of them costs there.

    Attributes:
        step: steps taken.
        costs: per picture its ``total``, ``content``, ``style`` and ``variation``.
        pictures: float ``[N, C, H, W]`` in [0, 1], like the start.
    """

    step: int
    costs: tuple[dict[str, float], ...]
    pictures: Tensor


class Optimization:
    """N pictures on their way, each with a solver of its own: none depends on the others.

    Args:
        objective: what is lowered.
        start: float ``[N, C, H, W]`` in [0, 1], C of 3, or 1 for light alone.
        solver: ``lbfgs`` or ``adam``.
        learning_rate: the usual one of ``LEARNING_RATES`` when None.
    """

    def __init__(
        self,
        objective: PictureObjective,
        start: Tensor,
        *,
        solver: Solver = "lbfgs",
        learning_rate: float | None = None,
    ) -> None:
        rate = LEARNING_RATES[solver] if learning_rate is None else learning_rate
        self.step = 0
        self.canvases = [
            Canvas(picture[None], partial(objective.measure, photo=i), solver, rate)
            for i, picture in enumerate(start)
        ]

    @property
    def best(self) -> Step:
        """The best that each picture has been, by its total cost."""
        pictures = torch.cat([canvas.best for canvas in self.canvases])
        return Step(self.step, tuple(canvas.best_costs for canvas in self.canvases), pictures)

    def run(self, steps: int) -> Iterator[Step]:
        """Go on until ``steps`` steps have been taken in all, yielding each.

        Raises:
            DivergedError: see :meth:`Canvas.look`.
        """
        while self.step < steps:
            for canvas in self.canvases:
                canvas.advance()
            self.step += 1
            pictures = torch.cat([canvas.picture for canvas in self.canvases])
            yield Step(self.step, tuple(canvas.costs for canvas in self.canvases), pictures)

    def collect_state(self) -> dict[str, Any]:
        """Return all that the next steps depend on: nested tensors and numbers."""
        canvases = [canvas.collect_state() for canvas in self.canvases]
        return {"step": self.step, "canvases": canvases}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was collected, bit for bit, from the same start and objective."""
        self.step = state["step"]
        for canvas, kept in zip(self.canvases, state["canvases"], strict=True):
            canvas.restore_state(kept)


def optimize(
    objective: PictureObjective, start: Tensor, *, steps: int, solver: Solver = "lbfgs"
) -> Step:
    """Take ``steps`` steps from ``start`` and return the best that each picture has been.

    Args:
        objective: what is lowered.
        start: float ``[N, C, H, W]`` in [0, 1]: the photos, or noise.
        steps: one or more; a step of L-BFGS measures the picture once, rarely twice.
        solver: ``lbfgs`` or ``adam``.
    """
    optimization = Optimization(objective, start, solver=solver)
    for _ in optimization.run(steps):
        pass
    return optimization.best


def divide(layers: Shares) -> list[tuple[str, float]]:
    """Return the layers with shares that sum to 1."""
    whole = math.fsum(share for _, share in layers)
    return [(layer, share / whole) for layer, share in layers]


CONTENT_COSTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "relative": lambda f, p: content_cost(f, p, "relative"),
    "notes": lambda f, p: content_cost(f, p, "johnson") / 4.0,
    "gatys": lambda f, p: content_cost(f, p, "gatys"),
}
STYLE_COSTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "relative": lambda g, a: style_cost(g, a, "relative"),
    # (2 H W C)^2 on sums over positions is 4 C^2 on means over them, which is the paper's
    "notes": lambda g, a: style_cost(g, a, "gatys"),
    "gatys": lambda g, a: style_cost(g, a, "gatys"),
}
