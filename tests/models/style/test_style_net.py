"""The style network against counts, the papers, and a network written a second time."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from models.style.architecture import (
    CONFIGS,
    Stage,
    StyleNetConfig,
    config_as_dict,
    config_from_dict,
)
from models.style.style_net import ConditionalInstanceNorm, LeanBlock, StyleNet

TINY = StyleNetConfig(stem=(Stage(4, kernel=8, stride=4),), blocks=1, ends=(4,))


def make_net(config: StyleNetConfig, styles: int = 1, seed: int = 0) -> StyleNet:
    """Return a network whose scales and shifts differ between styles."""
    torch.manual_seed(seed)
    net = StyleNet(config, styles).eval()
    with torch.no_grad():
        for table in net.to_tables():
            table.add_(0.3 * torch.randn(table.shape))
    return net


def count_params(net: nn.Module) -> int:
    """Return the number of trainable numbers."""
    return sum(parameter.numel() for parameter in net.parameters())


def count_macs_per_pixel(net: StyleNet, side: int = 64) -> float:
    """Count the convolutions' multiply-adds on a square that needs no padding.

    Hooks see the shapes that the convolutions really produced. The reflected margin is
    left out: it is a frame of constant width, whose share vanishes as pictures grow.
    """
    macs = []

    def count(module: nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        taps = module.weight[0].numel()  # input channels x kernel x kernel
        macs.append(taps * output[0].numel())

    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        net.trunk(torch.zeros(1, 3, side, side), torch.ones(1, 1))
    return sum(macs) / side**2


def write_johnson() -> nn.Sequential:
    """Return Johnson's network written with torch's own layers, nearest upsampling in it."""

    def convolve(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
        return nn.Conv2d(
            inputs, outputs, kernel, stride, padding=kernel // 2, padding_mode="reflect"
        )

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.path = nn.Sequential(
                convolve(128, 128, 3),
                nn.InstanceNorm2d(128, affine=True),
                nn.ReLU(),
                convolve(128, 128, 3),
                nn.InstanceNorm2d(128, affine=True),
            )

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = x + self.path(x)
            return out

    layers: list[nn.Module] = []
    for inputs, outputs, kernel, stride in [(3, 32, 9, 1), (32, 64, 3, 2), (64, 128, 3, 2)]:
        layers += [convolve(inputs, outputs, kernel, stride)]
        layers += [nn.InstanceNorm2d(outputs, affine=True), nn.ReLU()]
    layers += [Block() for _ in range(5)]
    for inputs, outputs in [(128, 64), (64, 32)]:
        layers += [nn.Upsample(scale_factor=2), convolve(inputs, outputs, 3)]
        layers += [nn.InstanceNorm2d(outputs, affine=True), nn.ReLU()]
    return nn.Sequential(*layers, convolve(32, 3, 9), nn.Sigmoid())


def test_paper_has_the_published_parameter_count() -> None:
    """The paper's network has exactly 1,679,235 parameters for one style."""
    assert count_params(StyleNet(CONFIGS["paper"])) == 1_679_235


@pytest.mark.parametrize("name", CONFIGS)
def test_style_costs_two_numbers_per_normalised_channel(name: str) -> None:
    """One more style adds a scale and a shift per normalised channel and nothing else."""
    one, two = StyleNet(CONFIGS[name], 1), StyleNet(CONFIGS[name], 2)
    channels = sum(
        m.scale.shape[1] for m in one.modules() if isinstance(m, ConditionalInstanceNorm)
    )
    assert count_params(two) - count_params(one) == 2 * channels
    assert (one.styles, two.styles) == (1, 2)


def test_paper_spends_the_published_multiply_adds() -> None:
    """The paper's network spends 153,792 multiply-adds per pixel."""
    assert count_macs_per_pixel(StyleNet(CONFIGS["paper"]), side=32) == 153_792


def test_fast_spends_few_multiply_adds() -> None:
    """The fast network spends 5,424 multiply-adds per pixel, a 28th of the paper's."""
    assert count_macs_per_pixel(StyleNet(CONFIGS["fast"])) == 5_424


def test_slim_is_as_large_as_the_file_it_follows() -> None:
    """19,404 multiply-adds per pixel; with 26 styles that file's 166,104 parameters, and biases.

    The file has none: the normalisation behind each convolution takes them away again.
    """
    net = StyleNet(CONFIGS["slim"], 26)
    biases = [p for name, p in net.named_parameters() if name.endswith("conv.bias")]
    assert count_macs_per_pixel(StyleNet(CONFIGS["slim"])) == 19_404
    assert count_params(net) - sum(bias.numel() for bias in biases) == 166_104


def test_lean_block_normalises_the_sum() -> None:
    """The block is relu(norm(x + conv2(relu(conv1(x))))), written a second time."""
    torch.manual_seed(3)
    block, x, weights = LeanBlock(4, 2, "zeros"), torch.randn(2, 4, 9, 7), torch.eye(2)
    with torch.no_grad():
        block.norm.scale.normal_()
        inner = F.relu(F.conv2d(x, block.conv1.conv.weight, block.conv1.conv.bias, padding=1))
        total = x + F.conv2d(inner, block.conv2.conv.weight, block.conv2.conv.bias, padding=1)
        spread = total.var((2, 3), correction=0, keepdim=True)
        normal = (total - total.mean((2, 3), keepdim=True)) / (spread + 1e-5).sqrt()
        expected = F.relu(normal * block.norm.scale[:, :, None, None])
        torch.testing.assert_close(block(x, weights), expected)


@pytest.mark.parametrize("name", CONFIGS)
def test_network_upsamples_without_shuffle_or_transpose(name: str) -> None:
    """Nothing in the networks can make a checkerboard: no pixel shuffle, no transposed step."""
    kinds = {type(module) for module in StyleNet(CONFIGS[name]).modules()}
    assert not kinds & {nn.PixelShuffle, nn.PixelUnshuffle, nn.ConvTranspose2d}


def test_paper_equals_johnson_written_a_second_time() -> None:
    """With the same numbers in it, torch's InstanceNorm2d and padding give the same picture."""
    net, plain = make_net(CONFIGS["paper"]), write_johnson()
    with torch.no_grad():
        for ours, theirs in zip(net.parameters(), plain.parameters(), strict=True):
            theirs.copy_(ours.reshape(theirs.shape))
        photos = torch.rand(2, 3, 36, 44)
        painted, expected = net(photos, torch.ones(2, 1)), plain(photos)
    torch.testing.assert_close(painted, expected, rtol=0, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(32, 70), width=st.integers(32, 70), name=st.sampled_from(["fast", "tiny"])
)
def test_output_has_the_size_of_the_input(height: int, width: int, name: str) -> None:
    """Any sides from 32 pixels up come back unchanged, and colours lie in [0, 1]."""
    net = make_net(CONFIGS.get(name, TINY))
    with torch.no_grad():
        painted = net(torch.rand(1, 3, height, width), torch.ones(1, 1))
    assert painted.shape == (1, 3, height, width)
    assert painted.isfinite().all()
    assert painted.min() >= 0.0
    assert painted.max() <= 1.0


@settings(max_examples=4, deadline=None)
@given(height=st.integers(32, 45), width=st.integers(32, 45))
def test_paper_pads_to_the_stride_by_reflection(height: int, width: int) -> None:
    """Odd sides are reflected up to multiples of four on the right and below, then cropped."""
    net, photo = make_net(CONFIGS["paper"]), torch.rand(1, 3, height, width)
    padded = F.pad(photo, (0, -width % 4, 0, -height % 4), mode="reflect")
    with torch.no_grad():
        expected = net(padded, torch.ones(1, 1))[:, :, :height, :width]
        assert torch.equal(net(photo, torch.ones(1, 1)), expected)


def test_margin_is_reflected_and_cropped() -> None:
    """The fast network paints the photo inside its mirror image and cuts the frame off."""
    net, photo = make_net(CONFIGS["fast"]), torch.rand(1, 3, 40, 44)
    margin = CONFIGS["fast"].margin
    framed = F.pad(photo, (margin,) * 4, mode="reflect")
    with torch.no_grad():
        expected = net.trunk(framed, torch.ones(1, 1))[:, :, margin:-margin, margin:-margin]
        assert torch.equal(net(photo, torch.ones(1, 1)), expected)


@pytest.mark.parametrize("padding", ["zeros", "reflect"])
def test_picture_does_not_depend_on_its_batch(padding: str) -> None:
    """A picture's painting is the same alone and among others of other styles."""
    config = config_from_dict(config_as_dict(TINY) | {"padding": padding})
    net, photos, eye = make_net(config, styles=3), torch.rand(3, 3, 33, 38), torch.eye(3)
    with torch.no_grad():
        together = net(photos, eye)
        alone = torch.cat([net(photos[i : i + 1], eye[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)


def test_one_hot_normalisation_equals_instance_norm() -> None:
    """A one-hot style is a plain instance normalisation with that style's row."""
    norm, x = ConditionalInstanceNorm(5, styles=3), torch.randn(2, 5, 7, 9)
    plain = nn.InstanceNorm2d(5, affine=True)
    with torch.no_grad():
        norm.scale.normal_()
        norm.shift.normal_()
        plain.weight.copy_(norm.scale[1])
        plain.bias.copy_(norm.shift[1])
        torch.testing.assert_close(norm(x, torch.eye(3)[[1, 1]]), plain(x))


@settings(max_examples=20, deadline=None)
@given(share=st.floats(0, 1), seed=st.integers(0, 1000))
def test_blend_of_styles_is_linear_in_the_normalisation(share: float, seed: int) -> None:
    """A blend's normalised features are the same blend of the styles' features."""
    torch.manual_seed(seed)
    norm, x = ConditionalInstanceNorm(4, styles=2), torch.randn(1, 4, 6, 6)
    with torch.no_grad():
        norm.scale.normal_()
        norm.shift.normal_()
        first, second = (norm(x, torch.eye(2)[s : s + 1]) for s in (0, 1))
        blend = norm(x, torch.tensor([[1 - share, share]]))
        torch.testing.assert_close(blend, (1 - share) * first + share * second)


def test_blend_equals_a_network_of_blended_tables() -> None:
    """Blending styles equals one style whose scales and shifts are the blend."""
    net, single = make_net(TINY, styles=3), make_net(TINY)
    mix, photo = torch.tensor([[0.2, 0.5, 0.3]]), torch.rand(1, 3, 40, 36)
    with torch.no_grad():
        state = net.state_dict()
        tables = {n for n, p in single.state_dict().items() if p.shape != state[n].shape}
        single.load_state_dict({n: mix @ t if n in tables else t for n, t in state.items()})
        torch.testing.assert_close(net(photo, mix), single(photo, torch.ones(1, 1)))
