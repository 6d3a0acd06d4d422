"""What the errors of frameworks mean."""

import pytest

from calculator.teaching.doctor.complaints import LONGEST_MESSAGE, recognise
from calculator.teaching.doctor.diagnosis import diagnose
from calculator.teaching.doctor.readings import find_maps

PRODUCT = "mat1 and mat2 shapes cannot be multiplied (1x256 and 400x120)"
CHANNELS = (
    "Given groups=1, weight of size {}, expected input{} to have {} "
    "channels, but got {} channels instead"
)
KERAS = 'Input 0 of layer "{}" is incompatible with the layer: '
CUT = (
    "Calculated padded input size per channel: (2 x 2). Kernel size: (3 x "
    "3). Kernel size can't be greater than actual input size"
)


@pytest.mark.parametrize(
    ("message", "problem", "fix"),
    [
        (PRODUCT.replace("120", "99"), "256 features arrive", "give the input that the layers"),
        ("size mismatch, m1: [1 x 256], m2: [400 x 99]", "made for 400", "give the input that"),
        (
            "mat1 and mat2 shapes cannot be multiplied (896x28 and 784x99)",
            "28 features arrive",
            "flatten all but the batch",
        ),
        (
            "mat1 and mat2 shapes cannot be multiplied (1x16384 and 256x99)",
            "made for 256",
            "keep the first dimension",
        ),
        (
            "mat1 and mat2 shapes cannot be multiplied (7x28 and 784x99)",
            "28 features arrive",
            "in_features=28",
        ),
        ("mat1 and mat2 shapes cannot be multiplied (400x1 and 400x99)", "1 features", "x.T"),
        ("Matrix size-incompatible: In[0]: [8,7], In[1]: [13,9]", "7 feat", "here 7"),
        (
            CHANNELS.format([6, 1, 5, 5], [1, 3, 32, 32], 1, 3),
            "3 channels arrive at a convolution made for 1",
            "image.convert('L')",
        ),
        (
            CHANNELS.format([6, 3, 3, 3], [1, 224, 224, 3], 3, 224),
            "224 channels arrive",
            "x.permute(0, 3, 1, 2)",
        ),
        (CHANNELS.format([6, 1, 3, 3], [1, 64, 28, 28], 1, 64), "64 ch", "x.unsqueeze(1)"),
        (CHANNELS.format([6, 32, 3, 3], [1, 64, 28, 28], 32, 64), "64 ch", "in_channels=64"),
        (CUT, "a kernel of 3x3 does not fit into a map of 2x2", "give a larger input"),
        (
            "Negative dimension size caused by subtracting 3 from 2 for '{{node conv2d}}'",
            "a kernel of 3 does not fit into a map of 2",
            "give a larger input",
        ),
        (
            "Given input size: (3x1x1). Calculated output size: (3x0x0). Output size is too small",
            "a pooling would make 3x0x0 of 3x1x1",
            "give a larger input",
        ),
        (
            (
                "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got "
                "input of size: [1, 256]"
            ),
            "the layer takes 4 dimensions",
            "flatten behind the last convolution",
        ),
        ("expected 4D input (got 2D input)", "4 dimensions", "add them in front"),
        (
            KERAS.format("conv2d")
            + "expected min_ndim=4, found ndim=3. Full shape received: (None, 28, 28)",
            "3 dimensions arrive at a layer of 4",
            "x[..., None]",
        ),
        (
            (
                "The size of tensor a (56) must match the size of tensor b (28) at "
                "non-singleton dimension 3"
            ),
            "sizes 56 and 28 in dimension 3 (width)",
            "give the other the same",
        ),
        (
            (
                "The size of tensor a (64) must match the size of tensor b (128) at "
                "non-singleton dimension 1"
            ),
            "dimension 1 (channels)",
            "put a 1x1 convolution",
        ),
        (
            (
                "Sizes of tensors must match except in dimension 1. Expected size 56 "
                "but got size 54 for tensor number 1 in the list."
            ),
            "branches of sizes 56 and 54",
            "pad its convolutions",
        ),
        ("running_mean should contain 64 elements not 128", "made for 128", "num_features=64"),
        (
            (
                "Expected more than 1 value per channel when training, got input size "
                "torch.Size([1, 64, 1, 1])"
            ),
            "one value per channel",
            "drop_last=True",
        ),
        (
            (
                "Argument #4: Padding size should be less than the corresponding input "
                "dimension, but got: padding (24, 24) at dimension 3 of input [1, 3, "
                "20, 20]"
            ),
            "a reflection of 24 values",
            "give one of more than 24",
        ),
        (
            (
                "pad should be at most half of effective kernel size, but got pad=2, "
                "kernel_size=2 and dilation=1"
            ),
            "padding 2 of a pooling window of 2",
            "padding at most 1",
        ),
        ("shape '[-1, 400]' is invalid for input of size 1024", "rows of 400", "x.flatten(1)"),
        (
            "Expected input batch_size (64) to match target batch_size (100).",
            "64 rows leave the network and 100 labels",
            "keep the batch",
        ),
        ("Target 10 is out of bounds.", "label 10", "subtract 1"),
        ("in_channels must be divisible by groups", "no multiple of groups", "groups=1"),
        (
            (
                "pixel_shuffle expects its input's 'channel' dimension to be divisible "
                "by the square of upscale_factor, but input.size(-3)=10 is not "
                "divisible by 4"
            ),
            "10 channels",
            "12 filters",
        ),
        (
            KERAS.format("dense")
            + (
                "expected axis -1 of input shape to have value 400, but received input "
                "with shape (None, 256)"
            ),
            "256 features arrive at a dense layer made for 400",
            "give the input that",
        ),
        (
            KERAS.format("conv2d")
            + (
                "expected axis -1 of input shape to have value 1, but received input "
                "with shape [None, 32, 32, 3]"
            ),
            "3 channels arrive at a convolution made for 1",
            "image.convert('L')",
        ),
        (
            (
                "Got invalid dimensions for input: image for the following indices\n "
                "index: 2 Got: 30 Expected: 32\n Please fix"
            ),
            "the file takes 32 in dimension 2 of its input, 30 is given",
            "resize to 32",
        ),
    ],
)
def test_message_is_explained(message: str, problem: str, fix: str) -> None:
    """The numbers are named and the likeliest cause stands first, also behind a traceback."""
    diagnosis = diagnose(
        f"Traceback (most recent call last):\n  File x, line 7\nError: {message}\n"
    )
    assert problem in diagnosis.problem
    assert fix in diagnosis.causes[0].fix


def test_last_message_counts() -> None:
    """Errors that follow from others stand below them; what is far above is not read."""
    found = recognise(f"Target 10 is out of bounds.\nTarget 3 is out of bounds.\n{PRODUCT}")
    assert found is not None
    assert found.name == "product"
    found = recognise(f"{PRODUCT}\nTarget 10 is out of bounds.\nTarget 3 is out of bounds.")
    assert found is not None
    assert found.get("label") == 3
    assert recognise(PRODUCT + " " * LONGEST_MESSAGE) is None


@pytest.mark.parametrize(
    ("arriving", "wanted", "maps"),
    [(256, 400, (16, 4, 5)), (1600, 9216, (64, 5, 12)), (7, 13, None), (5, 5, None), (0, 4, None)],
)
def test_features_are_read_as_maps(
    arriving: int, wanted: int, maps: tuple[int, int, int] | None
) -> None:
    """The most channels that both numbers have as square maps."""
    assert find_maps(arriving, wanted) == maps
