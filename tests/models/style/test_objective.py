"""The objective: the costs it adds up, and where it works in bfloat16."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.style import objective
from models.style.losses import content_cost, gram_matrix, style_cost, total_variation
from models.style.objective import (
    CONTENT_LAYER,
    STYLE_LAYERS,
    Costs,
    StyleObjective,
    Weights,
    gains_from_bf16,
)
from models.style.perceptual import VGGFeatures, load_vgg


@pytest.fixture(scope="module")
def vgg(vgg_file: Path) -> VGGFeatures:
    """Return the random VGG-16 up to the deepest layer that is compared."""
    return load_vgg(vgg_file, (CONTENT_LAYER, *STYLE_LAYERS))


@pytest.fixture(scope="module")
def pictures() -> list[Tensor]:
    """Return two paintings of different sizes, then a batch of photos and one of painted ones."""
    generator = torch.Generator().manual_seed(5)
    shapes = [(1, 3, 32, 40), (1, 3, 48, 32), (2, 3, 32, 32), (2, 3, 32, 32)]
    return [torch.rand(shape, generator=generator) for shape in shapes]


def measure(vgg: VGGFeatures, pictures: list[Tensor], *, bf16: bool = False) -> Costs:
    """Measure the painted batch, second style first, with weights of 2, 3 and 5."""
    weights = Weights(content=2.0, style=3.0, variation=5.0)
    measured = StyleObjective(vgg, [[p] for p in pictures[:2]], weights=weights, bf16=bf16)
    return measured.measure(pictures[3], pictures[2], torch.tensor([1, 0]))


def test_objective_is_the_weighted_sum_of_its_costs(
    vgg: VGGFeatures, pictures: list[Tensor]
) -> None:
    """Content at relu3_3, the mean style of four layers against each picture's own painting."""
    costs = measure(vgg, pictures).as_floats()
    first, second, photos, painted = (vgg(x) for x in pictures)
    styles = []
    for layer in STYLE_LAYERS:
        targets = torch.cat([gram_matrix(second[layer]), gram_matrix(first[layer])])
        styles.append(style_cost(gram_matrix(painted[layer]), targets).item())
    expected = {
        "content": content_cost(painted["relu3_3"], photos["relu3_3"]).item(),
        "style": sum(styles) / 4,
        "variation": total_variation(pictures[3]).item(),
    }
    weighted = 2 * expected["content"] + 3 * expected["style"] + 5 * expected["variation"]
    assert costs == pytest.approx(expected | {"total": weighted}, rel=1e-4)


def test_target_is_the_mean_over_the_sizes_of_a_painting(
    vgg: VGGFeatures, pictures: list[Tensor]
) -> None:
    """A painting at two sizes aims at the mean of their Gram matrices, layer by layer."""
    small, large = pictures[:2]
    both = StyleObjective(vgg, [[small, large]], weights=Weights())
    first, second = vgg(small), vgg(large)
    for layer in STYLE_LAYERS:
        mean = (gram_matrix(first[layer]) + gram_matrix(second[layer])) / 2
        torch.testing.assert_close(both.targets[layer], mean)


def test_bf16_stays_near_float32(vgg: VGGFeatures, pictures: list[Tensor]) -> None:
    """Under bfloat16 autocast the costs are float32 and within a few percent."""
    exact, rough = measure(vgg, pictures), measure(vgg, pictures, bf16=True)
    assert rough.total.dtype == torch.float32
    assert rough.as_floats() == pytest.approx(exact.as_floats(), rel=0.05)
    assert rough.as_floats() != exact.as_floats()


def test_gradient_reaches_the_painted_picture_only(
    vgg: VGGFeatures, pictures: list[Tensor]
) -> None:
    """The total can be differentiated in the painted batch; the other costs are plain numbers."""
    painted = pictures[3].clone().requires_grad_()
    costs = measure(vgg, [*pictures[:3], painted])
    (gradient,) = torch.autograd.grad(costs.total, painted)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0
    assert not costs.content.requires_grad


@pytest.mark.parametrize(
    ("flags", "gains"),
    [
        ("flags : fpu avx512f avx512_bf16", True),
        ("flags : amx_bf16 amx_tile", True),
        ("flags : fpu avx2 avx512f", False),
        (None, False),
    ],
)
def test_auto_precision_asks_the_processor(
    flags: str | None, *, gains: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bfloat16 is chosen where the processor multiplies it and nowhere else."""
    if flags is not None:
        (tmp_path / "cpuinfo").write_text(flags)
    monkeypatch.setattr(objective, "CPU_FLAGS", tmp_path / "cpuinfo")
    assert gains_from_bf16(torch.device("cpu")) is gains


@pytest.mark.parametrize("supported", [True, False])
def test_auto_precision_asks_the_gpu(*, supported: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """On CUDA the driver says whether bfloat16 is more than an emulation."""
    asked = []

    def answer(*, including_emulation: bool) -> bool:
        asked.append(including_emulation)
        return supported

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", answer)
    assert gains_from_bf16(torch.device("cuda")) is supported
    assert asked == [False]
