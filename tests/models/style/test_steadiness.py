"""Steadiness: how a photo is disturbed, and what is compared."""

import pytest
import torch
from torch import Tensor

from models.style.steadiness import (
    LARGEST_MOVE,
    NOISE,
    Disturbance,
    draw_disturbance,
    steadiness_cost,
)

STILL = torch.zeros(())


def draw_photos() -> Tensor:
    """Return two photos in the middle greys, where noise is not cut off."""
    generator = torch.Generator().manual_seed(1)
    return 0.3 + 0.4 * torch.rand((2, 3, 40, 36), generator=generator)


def test_disturbance_depends_on_seed_and_step_alone() -> None:
    """The same seed and step move and blur alike, others otherwise."""
    photos = draw_photos()
    first, again = (draw_disturbance(photos, 7, 3) for _ in range(2))
    assert (first.down, first.right) == (again.down, again.right)
    assert torch.equal(first.noise, again.noise)
    assert not torch.equal(first.noise, draw_disturbance(photos, 7, 4).noise)
    assert not torch.equal(first.noise, draw_disturbance(photos, 8, 3).noise)


def test_moves_cover_every_place_on_the_latent_grid() -> None:
    """All sixteen moves of 0 to 3 pixels occur, and the noise has its stated deviation."""
    photos = draw_photos()
    drawn = [draw_disturbance(photos, 0, step) for step in range(200)]
    assert len({(d.down, d.right) for d in drawn}) == (LARGEST_MOVE + 1) ** 2
    noise = torch.stack([d.noise for d in drawn])
    assert noise.std().item() == pytest.approx(NOISE, rel=0.01)


def test_colours_stay_colours() -> None:
    """Noise on black and white does not leave [0, 1]."""
    black_and_white = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)])
    disturbed = draw_disturbance(black_and_white, 0, 0).apply(black_and_white)
    assert disturbed.min() >= 0.0
    assert disturbed.max() <= 1.0


def test_painter_that_follows_the_photo_is_steady() -> None:
    """What moves with the photo costs nothing; what stays where it was does."""
    photos = draw_photos()
    move = Disturbance(2, 1, STILL)
    assert steadiness_cost(photos, move.apply(photos), move) == 0.0
    lattice = (torch.arange(36) % 4 == 0).float().expand(2, 3, 40, 36)
    stuck = lattice[:, :, :38, :35]
    assert steadiness_cost(lattice, stuck, move).item() == pytest.approx(0.5, abs=0.02)


def test_noise_alone_costs_its_variance() -> None:
    """A painter that returns the photo passes the noise on: NOISE squared."""
    photos = draw_photos()
    still = Disturbance(0, 0, draw_disturbance(photos, 0, 0).noise)
    cost = steadiness_cost(photos, still.apply(photos), still)
    assert cost.item() == pytest.approx(NOISE**2, rel=0.05)
