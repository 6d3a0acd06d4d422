"""The costs against numbers worked out by hand and against the papers' own formulas."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.errors import ModelsError
from models.style.losses import (
    NORMALIZATIONS,
    Normalization,
    content_cost,
    gram_matrix,
    style_cost,
    total_variation,
)

# Two channels of 1 x 2 positions, and what they are compared with.
FEATURES = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
TARGET = torch.tensor([[[[1.0, 0.0]], [[0.0, 2.0]]]])
SEEDS = st.integers(0, 10_000)


def make_features(seed: int, *shape: int) -> Tensor:
    """Return float64 features, so that sums in any order agree closely."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_gram_matrix_is_the_mean_outer_product() -> None:
    """Entry (i, j) is the mean over positions of channel i times channel j."""
    # Over two positions: 1 and 4 make 5, 3 and 8 make 11, 9 and 16 make 25; half of each.
    expected = torch.tensor([[[2.5, 5.5], [5.5, 12.5]]])
    torch.testing.assert_close(gram_matrix(FEATURES), expected)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_gram_matrix_forgets_where_things_are(seed: int) -> None:
    """Any permutation of the positions leaves the Gram matrix as it is."""
    features = make_features(seed, 2, 3, 4, 5)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(seed))
    shuffled = features.flatten(2)[:, :, order].reshape(features.shape)
    torch.testing.assert_close(gram_matrix(shuffled), gram_matrix(features))


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, channels=st.integers(1, 6))
def test_gram_matrix_is_symmetric_and_positive_semidefinite(seed: int, channels: int) -> None:
    """A Gram matrix equals its transpose and has no negative eigenvalue."""
    gram = gram_matrix(make_features(seed, 1, channels, 2, 3))[0]
    torch.testing.assert_close(gram, gram.T)
    assert torch.linalg.eigvalsh(gram).min() >= -1e-12


@pytest.mark.parametrize(
    ("normalization", "expected"),
    # squared differences: 0 + 4 + 9 + 4 = 17; C H W = 4; energy of the target: 1 + 4 = 5
    [("gatys", 17 / 2), ("johnson", 17 / 4), ("relative", 17 / 5)],
)
def test_content_cost_has_the_value_worked_out_by_hand(
    normalization: Normalization, expected: float
) -> None:
    """Each named normalisation divides the sum of squares as the table says."""
    assert content_cost(FEATURES, TARGET, normalization).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("normalization", "expected"),
    # G = [[2.5, 5.5], [5.5, 12.5]] against A = [[0.5, 0], [0, 2]]:
    # 4 + 2 * 30.25 + 110.25 = 174.75; C^2 = 4; energy of A: 0.25 + 4 = 4.25
    [("gatys", 174.75 / 16), ("johnson", 174.75 / 4), ("relative", 174.75 / 4.25)],
)
def test_style_cost_has_the_value_worked_out_by_hand(
    normalization: Normalization, expected: float
) -> None:
    """Each named normalisation divides the Gram matrices' distance as the table says."""
    cost = style_cost(gram_matrix(FEATURES), gram_matrix(TARGET), normalization)
    assert cost.item() == pytest.approx(expected)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_gatys_equals_the_papers_equations(seed: int) -> None:
    """Equations 1 and 4 on undivided Gram matrices give the same numbers."""
    f, p = make_features(seed, 1, 3, 4, 5), make_features(seed + 1, 1, 3, 4, 5)
    n, m = 3, 20
    g, a = (x[0].flatten(1) @ x[0].flatten(1).T for x in (f, p))
    style = ((g - a) ** 2).sum() / (4 * n**2 * m**2)
    torch.testing.assert_close(style_cost(gram_matrix(f), gram_matrix(p), "gatys"), style)
    torch.testing.assert_close(content_cost(f, p, "gatys"), 0.5 * ((f - p) ** 2).sum())


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_johnson_equals_the_papers_formulas(seed: int) -> None:
    """Squared Frobenius norms of Gram matrices divided by C H W give the same numbers."""
    f, p = make_features(seed, 1, 3, 4, 5), make_features(seed + 1, 1, 3, 4, 5)
    g, a = (torch.einsum("chw,dhw->cd", x[0], x[0]) / (3 * 4 * 5) for x in (f, p))
    style = torch.linalg.matrix_norm(g - a) ** 2
    torch.testing.assert_close(style_cost(gram_matrix(f), gram_matrix(p), "johnson"), style)
    torch.testing.assert_close(content_cost(f, p, "johnson"), torch.nn.functional.mse_loss(f, p))


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, factor=st.floats(0.01, 100))
def test_relative_cost_does_not_know_the_layers_scale(seed: int, factor: float) -> None:
    """Features and target scaled alike cost the same, whatever the layer's magnitude."""
    f, p = make_features(seed, 2, 3, 4, 4), make_features(seed + 1, 2, 3, 4, 4)
    scaled = content_cost(factor * f, factor * p, "relative")
    torch.testing.assert_close(scaled, content_cost(f, p, "relative"))
    g, a = gram_matrix(f), gram_matrix(p)
    torch.testing.assert_close(style_cost(factor * g, factor * a), style_cost(g, a))


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_costs_are_means_over_the_batch(normalization: Normalization) -> None:
    """A batch costs the mean of what its pictures cost alone, and a match costs nothing."""
    f, p = make_features(1, 3, 2, 4, 4), make_features(2, 3, 2, 4, 4)
    alone = [content_cost(f[i : i + 1], p[i : i + 1], normalization) for i in range(3)]
    torch.testing.assert_close(content_cost(f, p, normalization), torch.stack(alone).mean())
    g, a = gram_matrix(f), gram_matrix(p)
    alone = [style_cost(g[i : i + 1], a[i : i + 1], normalization) for i in range(3)]
    torch.testing.assert_close(style_cost(g, a, normalization), torch.stack(alone).mean())
    assert content_cost(p, p, normalization) == 0
    assert style_cost(a, a, normalization) == 0


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_gradients_match_finite_differences(normalization: Normalization) -> None:
    """In float64, autograd's gradients of both costs agree with differences."""
    f = make_features(3, 2, 2, 3, 3).requires_grad_()
    p = make_features(4, 2, 2, 3, 3)
    assert torch.autograd.gradcheck(lambda x: content_cost(x, p, normalization), (f,))
    a = gram_matrix(p)
    assert torch.autograd.gradcheck(lambda x: style_cost(gram_matrix(x), a, normalization), (f,))


def test_half_precision_features_are_summed_in_float32() -> None:
    """Features beyond float16's 65,504 in their sums still give finite costs."""
    features = torch.full((1, 1, 64, 64), 200.0, dtype=torch.float16)
    assert gram_matrix(features).item() == pytest.approx(40_000)
    cost = content_cost(features, torch.zeros_like(features), "gatys")
    assert cost.dtype == torch.float32
    assert cost.item() == pytest.approx(0.5 * 64 * 64 * 200.0**2)


def test_relative_cost_of_an_empty_target_is_finite_for_a_match() -> None:
    """A target without energy, met exactly, costs nothing instead of dividing by zero."""
    nothing = torch.zeros(1, 2, 3, 3)
    assert content_cost(nothing, nothing, "relative") == 0


def test_total_variation_of_a_ramp_is_its_slopes() -> None:
    """A plane that rises by 2 per row and 3 per column varies by exactly 5."""
    down, across = torch.meshgrid(torch.arange(5.0), torch.arange(7.0), indexing="ij")
    plane = (2 * down + 3 * across).expand(2, 3, 5, 7)
    assert total_variation(plane).item() == pytest.approx(5.0)


def test_total_variation_of_one_bright_pixel_counts_its_edges() -> None:
    """One pixel has two edges down and two across, each shared by the pairs of neighbours."""
    image = torch.zeros(1, 1, 4, 5)
    image[0, 0, 1, 2] = 1.0
    assert total_variation(image).item() == pytest.approx(2 / (3 * 5) + 2 / (4 * 4))
    assert total_variation(torch.full((1, 3, 4, 4), 0.7)) == 0


def test_total_variation_gradient_points_to_the_neighbours() -> None:
    """The gradient of a lone bright pixel lowers it and raises the pixels around it."""
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 1.0
    image.requires_grad_()
    (gradient,) = torch.autograd.grad(total_variation(image), image)
    assert gradient[0, 0, 2, 2].item() == pytest.approx(4 / 20)
    assert gradient[0, 0, 1, 2].item() == pytest.approx(-1 / 20)
    assert math.isclose(gradient.sum().item(), 0.0, abs_tol=1e-7)


def test_unknown_normalization_lists_the_nearest_first() -> None:
    """A misspelt normalisation is answered with the valid ones, the likeliest first."""
    with pytest.raises(ModelsError, match=r"'jonson' is unknown; choose one of johnson, "):
        content_cost(FEATURES, TARGET, "jonson")  # type: ignore[arg-type]
    with pytest.raises(ModelsError, match=r"'gaty' is unknown; choose one of gatys, "):
        style_cost(gram_matrix(FEATURES), gram_matrix(TARGET), "gaty")  # type: ignore[arg-type]
