"""What is suspicious in networks that fit."""

import pytest

from calculator.teaching.doctor.diagnosis import diagnose


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("8 | fc 4 | relu | dropout | softmax", "softmax behind relu cannot tell scores"),
        ("8 | fc 4 | softmax | softmax", "softmax of a softmax is nearly uniform"),
        ("8 | fc 4 | softmax | fc 4", "softmax before the end"),
        ("8 | fc 4 | dropout | fc 2", "nothing that bends stands between fc1 and it"),
        ("1x9x9 | conv 4@3 | bn | relu | conv 4@3 | bn", "nobias saves 8 parameters"),
        ("1x9x9 | maxpool 2", "the last of 9 positions is read by no window (floor); ceil reads"),
        ("1x9x9 | conv 4@4 s3", "the last 2 of 9 positions are read"),
        ("1x9x9 | conv 4@2 s3", "stride 3 is larger than the kernel 2"),
        ("1x9x9 | conv 4@3 p4", "padding 4 is not less than the kernel 3"),
        ("1x8x8 | maxpool 3 p2", "padding 2 is more than half of the kernel 3, which PyTorch"),
        (
            "1x8x8 | avgpool 5x3 s1 p2x2",
            "half of the kernel 3, which PyTorch refuses; use padding 1",
        ),
        ("1x2x2 | conv 4@5 p2", "kernel 5 on a 2x2 map"),
        ("1x8x8 | conv 4@2 same", "padded 0 before and 1 behind"),
        ("1x32x32 | conv 4@3 | relu | globalavgpool", "see 3 of the input's 32 positions"),
        ("1x32x32 | conv 4@3 | relu | flatten | fc 99", "holds 99% of the 356,539 parameters"),
    ],
)
def test_suspicious_network_is_remarked(line: str, sentence: str) -> None:
    """One line with the reason and the number."""
    assert any(sentence in remark.sentence for remark in diagnose(line).remarks)


@pytest.mark.parametrize(
    "line",
    [
        "1x8x8 | conv 4@3 p1 s2 | relu | flatten | fc 2 | softmax",  # only padding is dropped
        "8x8x8 | [ conv 8@3 s2 p1 || conv 8@1 s2 ] add",  # the other branch reads the rest
        "8x8x8 | dwconv 3 p1 | conv 8@1",  # separable convolutions are meant so
        "3x8x8 | conv 4@3 nobias | bn | relu",
        "1x8x8 | maxpool 3 p1 s1",
        "1x8x8 | maxpool 2 p1 s1",
        "1x9x9 | maxpool 3 s1 d2 p2",  # half of the dilated kernel
        "3x9x9 | pad 1 reflect | conv 4@2 s2",  # only padding is dropped
    ],
)
def test_what_is_meant_so_is_not_remarked(line: str) -> None:
    """No noise."""
    assert diagnose(line).remarks == ()


def test_suggested_padding_reads_the_rest() -> None:
    """The padding that a remark names leaves nothing behind, and no input more than that."""
    (remark,) = diagnose("1x9x9 | conv 4@4 s3").remarks
    assert "padding 0:1 reads them" in remark.sentence
    assert diagnose("1x9x9 | conv 4@4 s3 p0:1").remarks == ()


@pytest.mark.parametrize(
    ("name", "shape", "layer", "sentence"),
    [
        ("vgg16", (1, 224, 224), "conv1_1", "gets 1 channels instead of the 3 of the usual"),
        ("vgg16", (1, 224, 224), "conv1_1", "repeat the grey channel"),
        ("lenet5", (1, 28, 28), "fc1", "gets 256 features instead of the 400"),
        ("lenet5", (1, 28, 28), "fc1", "pad by 2 on every side or resize to 32x32"),
        ("lenet5", (3, 32, 32), "fc1", ""),
        ("lenet5", (3, 28, 28), "conv1", "fit; convert to grey"),
        ("lenet5", (3, 28, 28), "fc1", "fit; pad by 2 on every side or"),
        ("style-fast", (1, 256, 256), "pad1", ""),
        ("vgg16", (3, 256, 256), "fc1", "fit; resize to 224x224"),
    ],
)
def test_other_input_of_a_name_is_remarked(
    name: str, shape: tuple[int, ...], layer: str, sentence: str
) -> None:
    """First, with what the layer was made for and what brings it back."""
    found = [r for r in diagnose(name, input_shape=shape).remarks if r.name == "other_input"]
    if sentence:
        assert any(r.layers == (layer,) and sentence in r.sentence for r in found)
    else:
        assert layer not in [r.layers[0] for r in found]


def test_input_that_changes_no_layer_is_not_remarked() -> None:
    """Global pooling takes any size; the usual input is no other; a line has none."""
    for text, shape in (("resnet18", (3, 192, 192)), ("lenet5", (1, 32, 32))):
        assert all(r.name != "other_input" for r in diagnose(text, input_shape=shape).remarks)
    line = "1x32x32 | conv 6@5 | relu | flatten | fc 10"
    remarks = diagnose(line, input_shape=(3, 28, 28)).remarks
    assert all(r.name != "other_input" for r in remarks)
