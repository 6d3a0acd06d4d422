"""Every classifier against the calculator's table of it, which was written independently."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from calculator import parse, summarize
from models.classifiers.classifier import Classifier
from models.classifiers.cli import COMMANDS
from models.classifiers.networks import (
    NETWORKS,
    choose_input,
    choose_scaling,
    config_as_dict,
    find_network,
)
from models.errors import ModelsError

# network, variant, classes, the calculator's name, published number of parameters
TABLE = [
    ("lenet5", "notes", 10, "lenet5", 61_706),
    ("lenet5", "1998", 10, "lenet5-1998", 60_000),
    ("simpleconvnet", "book", 10, "simpleconvnet", 433_890),
    ("alexnet", "single", 1000, "alexnet", 62_378_344),
    ("alexnet", "grouped", 1000, "alexnet-grouped", 60_965_224),
    ("alexnet", "torchvision", 1000, "alexnet-torchvision", 61_100_840),
    ("vgg11", "plain", 1000, "vgg11", 132_863_336),
    ("vgg13", "plain", 1000, "vgg13", 133_047_848),
    ("vgg16", "plain", 1000, "vgg16", 138_357_544),
    ("vgg19", "plain", 1000, "vgg19", 143_667_240),
    ("vgg11", "bn", 1000, "vgg11-bn", 132_868_840),
    ("vgg13", "bn", 1000, "vgg13-bn", 133_053_736),
    ("vgg16", "bn", 1000, "vgg16-bn", 138_365_992),
    ("vgg19", "bn", 1000, "vgg19-bn", 143_678_248),
]
Layers = list[tuple[tuple[int, ...], int]]


def build_on_meta(name: str, variant: str, classes: int) -> Classifier:
    """Return a network that takes no memory."""
    description = find_network(name)
    with torch.device("meta"):
        return description.build(description.configure(variant, classes=classes))


def trace_layers(net: Classifier, size: tuple[int, int, int]) -> Layers:
    """Return output shape and trainable parameters of every layer, in order."""
    layers: Layers = []

    def record(module: nn.Module, _: object, output: Tensor) -> None:
        params = sum(p.numel() for p in module.parameters(recurse=False))
        layers.append((tuple(output.shape[1:]), params))

    for module in net.modules():
        if not any(module.children()):
            module.register_forward_hook(record)
    net.eval()(torch.empty(1, *size, device="meta"))
    return layers


@pytest.mark.parametrize(("name", "variant", "classes", "twin", "params"), TABLE)
def test_network_equals_the_calculators_table(
    name: str, variant: str, classes: int, twin: str, params: int
) -> None:
    """Layer by layer, shapes and parameters are the calculator's; the sum is the published one."""
    net = build_on_meta(name, variant, classes)
    rule = choose_input(net.config)
    found = trace_layers(net, (rule.channels, *rule.size))
    rows = summarize(parse(twin)).rows
    expected = [
        (tuple(row.derived.shape), row.params) for row in rows if row.node.layer.kind != "softmax"
    ]
    assert found == expected
    assert sum(p.numel() for p in net.parameters()) == params


@pytest.mark.parametrize(("name", "variant"), [row[:2] for row in TABLE])
def test_configuration_survives_json(name: str, variant: str) -> None:
    """What a checkpoint writes of a configuration builds the same configuration."""
    description = find_network(name)
    config = description.configure(variant, classes=10)
    assert description.restore_config(config_as_dict(config)) == config


def test_commands_name_every_network_and_variant() -> None:
    """The command line, which may not import networks, lists exactly what they are."""
    described = {name: (d.title, tuple(d.variants)) for name, d in NETWORKS.items()}
    assert dict(COMMANDS) == described


@pytest.mark.parametrize(
    ("name", "pixel", "expected"),
    [
        ("lenet5", [[0.0], [255.0]], [[-0.1], [1.175]]),
        ("simpleconvnet", [[0.0], [255.0]], [[0.0], [1.0]]),
        ("alexnet", [[10.0, 20.0, 30.0]], [[0.0, 0.0, 0.0]]),
        ("vgg16", [[11.0, 20.0, 30.0]], [[1.0, 0.0, 0.0]]),
    ],
)
def test_pixels_enter_as_published(
    name: str, pixel: list[list[float]], expected: list[list[float]]
) -> None:
    """LeNet-5 sees -0.1 to 1.175, SimpleConvNet 0 to 1, photographs are centred on the mean."""
    scaling = choose_scaling(find_network(name).configure(None), (10.0, 20.0, 30.0))
    scaled = torch.tensor(pixel) * torch.tensor(scaling.scale) + torch.tensor(scaling.shift)
    torch.testing.assert_close(scaled, torch.tensor(expected))


def test_torchvision_pixels_are_normalised_as_its_weights_expect() -> None:
    """A pixel at torchvision's mean becomes 0, one deviation above it 1."""
    scaling = choose_scaling(find_network("alexnet").configure("torchvision"), (0.0,) * 3)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    scale, shift = torch.tensor(scaling.scale), torch.tensor(scaling.shift)
    torch.testing.assert_close(255 * mean * scale + shift, torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(255 * (mean + std) * scale + shift, torch.ones(3))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: find_network("lenet"), "no classifier is called 'lenet'; there are lenet5, "),
        (lambda: find_network("vgg16").configure("batch"), "has no variant 'batch'; there are"),
        (
            lambda: find_network("lenet5").configure("1998", classes=3),
            "ten drawn digits, but the data has 3 classes; take the variant notes",
        ),
        (
            lambda: find_network("lenet5").restore_config({"depth": 3}),
            "is not a configuration of this version",
        ),
        (lambda: find_network("alexnet").restore_config({"variant": "x"}), "no variant 'x'"),
        (lambda: find_network("lenet5").restore_config({"variant": "x"}), "no variant 'x'"),
        (lambda: find_network("vgg16").restore_config({"depth": 12}), "no VGG of 12 layers"),
    ],
)
def test_wrong_network_is_refused(call: Callable[[], object], match: str) -> None:
    """An unknown network, variant or configuration is named with what there is."""
    with pytest.raises(ModelsError, match=match):
        call()
