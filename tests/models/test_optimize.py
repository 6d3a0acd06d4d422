"""Style transfer by optimisation: the costs, their gradients, and what the solvers reach."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from models.errors import DataError, DivergedError
from models.optimize import (
    USUAL_WEIGHTS,
    Normalization,
    Optimization,
    PictureObjective,
    Recipe,
    optimize,
)
from models.painting.canvas import Solver
from models.style.losses import gram_matrix
from models.style.objective import Costs, StyleObjective, Weights
from models.style.perceptual import VGGFeatures, expected_shapes

NORMALIZATIONS: tuple[Normalization, ...] = ("relative", "notes", "gatys")
CONTENT, STYLE = "relu2_1", "relu1_2"


def make_tensors() -> dict[str, Tensor]:
    """Return a random VGG-16, scaled after He et al. (2015), its input reaching 255."""
    generator = torch.Generator().manual_seed(16)
    tensors = {}
    for name, shape in expected_shapes().items():
        std = (2.0 / (shape[1] * 9)) ** 0.5 if len(shape) == 4 else 0.1
        tensors[name] = torch.randn(shape, generator=generator) * std
    return tensors | {
        "conv1_1.weight": tensors["conv1_1.weight"] / 64,
        "mean": torch.full((3,), 120.0),
    }


TENSORS = make_tensors()


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and sums keep one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make_picture(seed: int, *shape: int) -> Tensor:
    """Return a random picture in [0, 1]."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def make_recipe(
    normalization: Normalization = "relative", weights: Weights | None = None
) -> Recipe:
    """Return a recipe of two shallow layers."""
    weights = USUAL_WEIGHTS[normalization] if weights is None else weights
    return Recipe(((CONTENT, 1.0),), ((STYLE, 1.0), (CONTENT, 3.0)), weights, normalization)


def make_objective(
    recipe: Recipe | None = None, content: Tensor | None = None, *, side: int = 12
) -> PictureObjective:
    """Return an objective of one random photo and one random painting."""
    recipe = recipe or make_recipe()
    content = make_picture(1, 1, 3, side, side) if content is None else content
    vgg = VGGFeatures(TENSORS, recipe.list_layers(), padding_mode="reflect").to(content.dtype)
    style = make_picture(2, 1, 3, side, side).to(content.dtype)
    return PictureObjective(vgg, recipe, content=content, styles=[style])


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_gradients_equal_finite_differences(normalization: Normalization) -> None:
    """In float64 the gradient of the whole cost agrees with differences, pixel by pixel."""
    content = make_picture(1, 1, 3, 6, 6).double()
    weights = Weights(1.0, 0.5, 0.1)
    objective = make_objective(make_recipe(normalization, weights), content, side=6)
    picture = make_picture(3, 1, 3, 6, 6).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: objective.measure(x).total, (picture,), atol=1e-6)


def test_notes_have_the_notes_constants() -> None:
    """Content is divided by 4 nH nW nC, style by (2 nH nW nC)^2, on undivided Gram matrices."""
    weights = Weights(10.0, 40.0, 0.0)
    recipe = Recipe(((CONTENT, 1.0),), ((STYLE, 1.0),), weights, "notes")
    photo, style, picture = (make_picture(i, 1, 3, 12, 12) for i in (1, 2, 3))
    vgg = VGGFeatures(TENSORS, recipe.list_layers(), padding_mode="reflect")
    costs = PictureObjective(vgg, recipe, content=photo, styles=[style]).measure(picture)
    a_c, a_g = vgg(photo)[CONTENT], vgg(picture)[CONTENT]
    content = ((a_c - a_g) ** 2).sum() / (4 * a_c[0].numel())
    flat_s, flat_g = (vgg(x)[STYLE][0].flatten(1) for x in (style, picture))
    difference = flat_s @ flat_s.T - flat_g @ flat_g.T
    expected = (difference**2).sum() / (2 * flat_s.numel()) ** 2
    torch.testing.assert_close(costs.content, content)
    torch.testing.assert_close(costs.style, expected)
    torch.testing.assert_close(costs.total, 10 * content + 40 * expected)


def test_gatys_has_the_papers_constants() -> None:
    """Equation 1 halves the sum of squares; equation 4 is what the notes teach."""
    picture = make_picture(3, 1, 3, 12, 12)
    paper = make_objective(make_recipe("gatys")).measure(picture)
    notes = make_objective(make_recipe("notes")).measure(picture)
    elements = 128 * 6 * 6
    torch.testing.assert_close(paper.content, notes.content * 2 * elements)
    torch.testing.assert_close(paper.style, notes.style)


def test_usual_recipe_is_what_training_lowers() -> None:
    """By default the cost is content + 10 style, as the training's objective measures them."""
    weights = Weights(1.0, 10.0, 0.0)
    photo, style, picture = (make_picture(i, 1, 3, 16, 16) for i in (1, 2, 3))
    vgg = VGGFeatures(TENSORS, Recipe().list_layers(), padding_mode="reflect")
    ours = PictureObjective(vgg, Recipe(), content=photo, styles=[style]).measure(picture)
    training = StyleObjective(vgg, [[style]], weights=weights)
    theirs = training.measure(picture, photo, torch.tensor([0]))
    for name in ("total", "content", "style"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name))


def test_shares_of_layers_count_relative_to_their_sum() -> None:
    """Shares of 1 and 3 are the same as 10 and 30."""
    picture = make_picture(3, 1, 3, 12, 12)
    tenfold = Recipe(((CONTENT, 5.0),), ((STYLE, 10.0), (CONTENT, 30.0)))
    one, ten = make_objective(), make_objective(tenfold)
    torch.testing.assert_close(one.measure(picture).total, ten.measure(picture).total)


class Permuting(torch.nn.Module):
    """A feature network whose positions are shuffled, alike in all channels."""

    def __init__(self, vgg: VGGFeatures) -> None:
        super().__init__()
        self.vgg, self.layers = vgg, vgg.layers

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the features, shuffled."""
        generator = torch.Generator().manual_seed(5)
        return {
            layer: f.flatten(2)[:, :, torch.randperm(f[0, 0].numel(), generator=generator)].view_as(
                f
            )
            for layer, f in self.vgg(images).items()
        }


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_style_does_not_know_where_things_are(normalization: Normalization) -> None:
    """Shuffling the positions of the painting's features changes neither cost nor gradient."""
    recipe = make_recipe(normalization, Weights(0.0, 1.0, 0.0))
    plain = make_objective(recipe)
    shuffled = PictureObjective(
        Permuting(plain.vgg),  # type: ignore[arg-type]
        recipe,
        content=make_picture(1, 1, 3, 12, 12),
        styles=[make_picture(2, 1, 3, 12, 12)],
    )
    shuffled.vgg = plain.vgg
    gradients: list[Tensor] = []
    for objective in (plain, shuffled):
        picture = make_picture(3, 1, 3, 12, 12).requires_grad_()
        gradients += torch.autograd.grad(objective.measure(picture).total, picture)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-6)


def test_content_from_noise_recovers_the_photos_activations() -> None:
    """Without style, noise becomes a picture with the photo's activations."""
    recipe = make_recipe(weights=Weights(1.0, 0.0, 0.0))
    photo = F.interpolate(make_picture(1, 1, 3, 4, 4), size=(12, 12), mode="bicubic").clamp(0, 1)
    objective = make_objective(recipe, photo)
    noise = make_picture(7, 1, 3, 12, 12)
    before = float(objective.measure(noise).content)
    result = optimize(objective, noise, steps=80)
    target, found = (objective.vgg(x)[CONTENT] for x in (photo, result.pictures))
    assert before > 0.1
    assert float(((found - target) ** 2).sum() / (target**2).sum()) < 1e-3
    assert result.costs[0]["style"] == 0.0


def test_style_from_noise_recovers_the_paintings_gram_matrix() -> None:
    """Without content, noise gets the painting's correlations."""
    objective = make_objective(make_recipe(weights=Weights(0.0, 1.0, 0.0)))
    result = optimize(objective, make_picture(7, 1, 3, 12, 12), steps=80)
    gram = gram_matrix(objective.vgg(result.pictures)[STYLE])
    torch.testing.assert_close(
        gram, objective.grams[STYLE], rtol=0.1, atol=0.05 * float(gram.max())
    )
    assert result.costs[0]["total"] < 0.01


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_pictures_do_not_depend_on_their_batch(solver: Solver) -> None:
    """Two pictures painted together are, bit for bit, those painted alone."""
    photos = make_picture(1, 2, 3, 12, 12)
    together = optimize(make_objective(content=photos), photos, steps=6, solver=solver)
    for i in range(2):
        alone = optimize(
            make_objective(content=photos[i : i + 1]), photos[i : i + 1], steps=6, solver=solver
        )
        torch.testing.assert_close(together.pictures[i], alone.pictures[0], rtol=0, atol=1e-6)
        assert together.costs[i]["total"] == pytest.approx(alone.costs[0]["total"], rel=1e-5)


def test_lbfgs_never_climbs_and_stays_in_range() -> None:
    """Every step costs at most what the one before did, of a picture in [0, 1]."""
    objective = make_objective(make_recipe(weights=Weights(1.0, 100.0, 0.0)))
    steps = list(Optimization(objective, make_picture(7, 1, 3, 12, 12)).run(30))
    totals = [step.costs[0]["total"] for step in steps]
    assert totals == sorted(totals, reverse=True)
    assert totals[-1] < 0.5 * totals[0]
    for step in steps:
        assert 0.0 <= float(step.pictures.min()) <= float(step.pictures.max()) <= 1.0
        assert objective.measure(step.pictures).total == pytest.approx(step.costs[0]["total"])


def test_lbfgs_measures_a_step_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step begins where the last one ended, which is not measured again."""
    calls: list[Tensor] = []
    measure = PictureObjective.measure

    def count_and_measure(objective: PictureObjective, picture: Tensor, photo: int = 0) -> Costs:
        calls.append(picture)
        return measure(objective, picture, photo)

    monkeypatch.setattr(PictureObjective, "measure", count_and_measure)
    optimize(make_objective(), make_picture(7, 1, 3, 12, 12), steps=30)
    assert 30 <= len(calls) <= 45


def test_line_search_tries_shorter_steps() -> None:
    """Where the first trial is too long, shorter ones follow: without them this ends at 6e-5."""
    recipe = Recipe((("relu1_2", 1.0),), (), Weights(1.0, 0.0, 0.0))
    result = optimize(make_objective(recipe), make_picture(7, 1, 3, 12, 12), steps=40)
    assert result.costs[0]["total"] < 1e-5


def test_light_alone_is_measured_as_grey() -> None:
    """A picture of one channel costs what it costs with three equal ones, and keeps one."""
    light = make_picture(3, 1, 1, 12, 12)
    objective = make_objective(content=make_picture(1, 1, 1, 12, 12))
    grey = objective.measure(light.expand(-1, 3, -1, -1)).total
    torch.testing.assert_close(objective.measure(light).total, grey)
    assert optimize(objective, light, steps=2).pictures.shape == (1, 1, 12, 12)


def test_paintings_blend_by_their_gram_matrices() -> None:
    """The target of a blend is the weighted mean; a painting's size does not matter."""
    recipe, photo = make_recipe(), make_picture(1, 1, 3, 12, 12)
    styles = [make_picture(2, 1, 3, 12, 12), make_picture(3, 1, 3, 20, 16)]
    vgg = VGGFeatures(TENSORS, recipe.list_layers(), padding_mode="reflect")
    blend = PictureObjective(vgg, recipe, content=photo, styles=styles, shares=[3.0, 1.0])
    grams = [gram_matrix(vgg(style)[STYLE]) for style in styles]
    torch.testing.assert_close(blend.grams[STYLE], 0.75 * grams[0] + 0.25 * grams[1])


@pytest.mark.parametrize("shares", [[1.0, 1.0], [0.5, 0.3, 0.2]])
def test_shares_and_paintings_must_be_as_many(shares: list[float]) -> None:
    """One share too many is refused with both numbers."""
    recipe, photo = make_recipe(), make_picture(1, 1, 3, 12, 12)
    vgg = VGGFeatures(TENSORS, recipe.list_layers())
    with pytest.raises(DataError, match=f"1 paintings with {len(shares)} shares"):
        PictureObjective(vgg, recipe, content=photo, styles=[photo], shares=shares)


def test_cost_without_weight_is_not_measured() -> None:
    """A weight of 0 leaves its layers out of the network, and the cost reads 0."""
    recipe = Recipe(weights=Weights(0.0, 1.0, 0.0), style_layers=(("relu1_1", 1.0),))
    assert recipe.list_layers() == ("relu1_1",)
    objective = make_objective(recipe)
    assert objective.measure(make_picture(3, 1, 3, 12, 12)).content == 0.0


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_restored_state_goes_on_bit_for_bit(solver: Solver) -> None:
    """Fourteen steps are, bit for bit, nine steps and then five from the collected state."""
    objective, start = make_objective(), make_picture(7, 1, 3, 12, 12)
    whole = Optimization(objective, start, solver=solver)
    states = [whole.collect_state() for step in whole.run(14) if step.step == 9]
    halved = Optimization(objective, start, solver=solver)
    first = Optimization(objective, start, solver=solver)
    list(first.run(9))
    halved.restore_state(first.collect_state())
    list(halved.run(14))
    assert len(states) == 1
    assert torch.equal(halved.best.pictures, whole.best.pictures)
    assert halved.best.costs == whole.best.costs


def test_cost_that_is_not_finite_is_told() -> None:
    """A target of NaN stops the first step in words."""
    objective = make_objective()
    objective.grams[STYLE].fill_(torch.nan)
    with pytest.raises(DivergedError, match=r"the cost is nan .*; use a lower learning rate or"):
        optimize(objective, make_picture(7, 1, 3, 12, 12), steps=1)
