"""Networks that are made to fail as the errors of frameworks say."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from calculator import CalculatorError, parse, summarize
from calculator.cli.doctor import doctor
from calculator.teaching.doctor.diagnosis import diagnose

PRODUCT = "mat1 and mat2 shapes cannot be multiplied (1x256 and 400x120)"
CHANNELS = (
    "Given groups=1, weight of size {}, expected input{} to have {} "
    "channels, but got {} channels instead"
)
CUT = (
    "Calculated padded input size per channel: (2 x 2). Kernel size: (3 x "
    "3). Kernel size can't be greater than actual input size"
)


def test_message_alone_finds_the_network_it_speaks_of() -> None:
    """400x120 is the first dense layer of LeNet-5, so its fixes are real lines."""
    diagnosis = diagnose(PRODUCT)
    assert diagnosis.network == "lenet5"
    assert diagnosis.facts == (
        "lenet5 fails in this way if fc1 is made for in=400 and the input is 1x28x28",
        "256 = 16*4*4, 400 = 16*5*5",
    )
    first = diagnosis.causes[0]
    assert first.fix == "use padding 2 on the first layer"
    assert summarize(parse(first.line)).rows[-1].derived.shape == first.output == (10,)


@pytest.mark.parametrize(
    ("message", "network", "where", "fix"),
    [
        (
            PRODUCT,
            "1x28x28 | conv 6@5 | pool 2 | conv 16@5 | pool 2 | flatten | fc 120",
            "fc1",
            "use padding 2 on the first layer",
        ),
        (PRODUCT, "lenet5", "fc1", "use padding 2 on the first layer"),
        (
            "shape '[-1, 400]' is invalid for input of size 1024",
            "lenet5",
            "fc1",
            "use padding 2 on the first layer",
        ),
        (
            "mat1 and mat2 shapes cannot be multiplied (896x28 and 784x128)",
            "1x28x28 | fc 128",
            "fc1",
            "put flatten before fc1",
        ),
        (
            CHANNELS.format([6, 1, 5, 5], [1, 3, 32, 32], 1, 3),
            "lenet5",
            "conv1",
            "give 1x32x32 (convert to grey)",
        ),
        (CUT, "3x8x8 | conv 8@3 | pool 3 | conv 8@3", "conv2", "use padding 1 on conv2"),
        (CUT, "3x32x32 | conv 8@3 | pool 14 | conv 8@3", "conv2", "use padding 1 on conv2"),
        (
            "Negative dimension size caused by subtracting 3 from 2",
            "3x8x8 | conv 8@3 | pool 3 | conv 8@3",
            "conv2",
            "use padding 1 on conv2",
        ),
        (
            (
                "Given input size: (8x1x1). Calculated output size: (8x0x0). Output "
                "size is too small"
            ),
            "3x3x3 | conv 8@3 | pool 2",
            "pool1",
            "give 3x4x4, the smallest size that fits",
        ),
        (
            (
                "The size of tensor a (4) must match the size of tensor b (8) at "
                "non-singleton dimension 3"
            ),
            "8x8x8 | [ conv 8@3 s2 p1 || ] add",
            "add1",
            "put conv 8@1x1 s2 into the empty branch of add1",
        ),
        (
            (
                "Sizes of tensors must match except in dimension 1. Expected size 8 "
                "but got size 6 for tensor number 1 in the list."
            ),
            "8x8x8 | [ || conv 8@3 ] concat",
            "concat1",
            "use padding 1 in conv1",
        ),
        (
            "running_mean should contain 64 elements not 128",
            "3x8x8 | conv 64@3 | bn",
            "norm1",
            "state in=64 at norm1",
        ),
        (
            (
                "Padding size should be less than the corresponding input dimension, "
                "but got: padding (12, 12) at dimension 3 of input [1, 3, 10, 10]"
            ),
            "style-fast",
            "pad1",
            "use padding 9 in pad1",
        ),
        (
            ("pad should be at most half of effective kernel size, but got pad=2, kernel_size=2"),
            "1x8x8 | pool 2 p2",
            "pool1",
            "use padding 1 on pool1",
        ),
        (
            "but input.size(-3)=10 is not divisible by 4",
            "1x8x8 | conv 10@3 | shuffle 2",
            "pixelshuffle1",
            "give conv1 12 filters",
        ),
        (
            "or 4D (batched) input to conv2d, but got input of size: [1, 64]",
            "1x8x8 | flatten | conv 4@3",
            "conv1",
            "take flatten1 away",
        ),
    ],
)
def test_network_is_made_to_fail_as_the_message_says(
    message: str, network: str, where: str, fix: str
) -> None:
    """The numbers agree at one layer, and the fixes are those of the network."""
    diagnosis = diagnose(message, network=network)
    assert diagnosis.where == where
    assert fix in [cause.fix for cause in diagnosis.causes]
    for cause in diagnosis.causes:
        assert summarize(parse(cause.line)).rows[-1].derived.shape == cause.output


@pytest.mark.parametrize(
    ("message", "network"),
    [
        (PRODUCT, "1x28x28 | conv 3@3 | flatten | fc 10"),
        (PRODUCT.replace("256", "257"), "lenet5"),
        (CUT, "3x1x1 | conv 8@3"),
        (CHANNELS.format([0, 0, 0, 0], [1, 0, 0, 0], 0, 0), "lenet5"),
        ("Target 10 is out of bounds.", "lenet5"),
    ],
)
def test_network_that_cannot_fail_so_is_said_to_differ(message: str, network: str) -> None:
    """Then the message is explained by itself."""
    diagnosis = diagnose(message, network=network)
    assert "does not fail in this way" in diagnosis.facts[-1]
    assert diagnosis.causes
    assert not any(cause.line for cause in diagnosis.causes)


def test_recipe_can_be_the_network(tmp_path: Path) -> None:
    """Of a message, and by itself, where its layers do not fit."""
    path = tmp_path / "small.yaml"
    layers = "layers: [conv 6@5, pool 2, conv 16@5, pool 2, flatten, fc 120{}]\n"
    path.write_text("input: 1x28x28\n" + layers.format(""), encoding="utf-8")
    assert diagnose(PRODUCT, network=str(path)).where == "fc1"
    path.write_text("input: [1, 28, 28]\n" + layers.format(" in=400"), encoding="utf-8")
    assert diagnose(str(path)).causes[0].fix == "use padding 2 on the first layer"


def test_traceback_is_read_from_standard_input() -> None:
    """However much stands above the error."""
    text = "epoch 1\n" * 50_000 + f"RuntimeError: {PRODUCT}\n"
    result = CliRunner().invoke(doctor, ["-", "--network", "lenet5"], input=text)
    assert result.exit_code == 0
    assert "use padding 2 on the" in result.output


def test_network_option_needs_a_message() -> None:
    """Two networks are not compared here; what is neither is refused as such."""
    for text in ("lenet5", "1x8x8 | relu"):
        with pytest.raises(CalculatorError, match="is a network and no error; --network goes"):
            diagnose(text, network="alexnet")
    with pytest.raises(CalculatorError, match="'hello' is no network and no error"):
        diagnose("hello", network="lenet5")
