"""Numbers that are not cut, and the advice of the framework that an error is of."""

import re

import pytest

from calculator import CalculatorError
from calculator.teaching.doctor.complaints import FORMS, recognise
from calculator.teaching.doctor.diagnosis import diagnose

KERAS = 'Input 0 of layer "{}" is incompatible with the layer: expected '
AXIS = KERAS + "axis -1 of input shape to have value {}, but received input with shape {}"
RANK = KERAS + "min_ndim={}, found ndim={}. Full shape received: {}"
LOADING = (
    "size mismatch for fc.weight: copying a param with shape torch.Size([{}]) from checkpoint, "
    "the shape in current model is torch.Size([{}])."
)
HOLE = re.compile(r"\{(\w+)\*?\}")


def fill(form: str, number: str, *, place: int = -1) -> str:
    """Return an error of a form with 12 in every hole, and another number in one of them."""
    holes = iter(range(form.count("{")))
    text = HOLE.sub(lambda _: number if next(holes) == place else "12", form)
    return text.replace("~", "x").replace("<", "(").replace(">", ")")


HOLES = [(form, place) for _, form in FORMS for place in range(form.count("{"))]


@pytest.mark.parametrize(("form", "place"), HOLES)
def test_numbers_are_read_whole_or_not_at_all(form: str, place: int) -> None:
    """Nine digits are read; of more, or of a fraction, no part is taken for the number."""
    found = recognise(fill(form, "123456789", place=place))
    assert found is not None
    assert (123456789,) in found.numbers.values()
    for number in ("1234567890", "123456789012", "1" * 79, "1" * 200, "12.5"):
        assert recognise(fill(form, number, place=place)) is None


def test_long_number_in_a_shape_is_refused() -> None:
    """With one sentence, in which the text is quoted to its end or dots."""
    text = "mat1 and mat2 shapes cannot be multiplied (1x123456789012 and 400x120)"
    with pytest.raises(CalculatorError, match=r"(?s)^'mat1 and.*\.\.\.' is no network") as caught:
        diagnose(text)
    assert "missing axes" in caught.value.message
    assert "pool_padding" not in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "mat1 and mat2 shapes cannot be multiplied (one and two)",
        AXIS.format("conv2d", 3, "(None, None)"),
        AXIS.format("dense", 3, "None, 256"),
        "Shapes (None, None) and (None, 10) are incompatible",
    ],
)
def test_shape_without_numbers_is_not_recognised(text: str) -> None:
    """Nothing follows from it."""
    assert recognise(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "mat1 and mat2 shapes cannot be multiplied (1x0 and 400x120)",
        "Expected input batch_size (0) to match target batch_size (8)",
        (
            "weight of size [6, 3, 5, 5], expected input[1, 0, 32, 32] to have 3 channels, "
            "but got 0 channels instead"
        ),
        (
            "The size of tensor a (0) must match the size of tensor b (8) at non-singleton "
            "dimension 3"
        ),
    ],
)
def test_empty_tensor_has_its_own_cause(text: str) -> None:
    """No layer is to be made for 0 features."""
    (cause,) = diagnose(text).causes
    assert cause.why == "a tensor without values arrives"
    assert "=0" not in cause.fix


def test_empty_batch_hides_no_other_error() -> None:
    """The features do not fit either way."""
    text = "mat1 and mat2 shapes cannot be multiplied (0x256 and 400x99)"
    assert "a 4x4 map arrives where 5x5" in diagnose(text).causes[0].why


@pytest.mark.parametrize(
    ("message", "why", "fix"),
    [
        (
            RANK.format("conv2d", 4, 3, "(None, 28, 28)"),
            "the axis of the channels is missing at the end",
            "add it with x[..., None]",
        ),
        (RANK.format("conv2d", 4, 3, "(32, 28, 28)"), "the axis of the channels", "x[..., None]"),
        (RANK.format("conv2d", 4, 3, "(None, 9, 3)"), "the axis of the channels", "x[..., None]"),
        (RANK.format("conv2d", 4, 3, "(28, 28, 3)"), "one sample was given", "x[None]"),
        (RANK.format("conv2d", 4, 2, "(None, 256)"), "flattened before", "Reshape"),
        (RANK.format("lstm", 3, 4, "(None, 8, 8, 3)"), "more axes", "squeeze"),
        (RANK.format("dense", 2, 1, "(784,)"), "one sample", "x[None]"),
        (RANK.format("conv3d", 5, 3, "(None, 8, 8)"), "batch or the channels", "add the batch"),
        (
            AXIS.format("conv2d", 3, "(None, 3, 224, 224)"),
            "the channels stand first",
            "np.transpose(x, (0, 2, 3, 1))",
        ),
        (AXIS.format("conv2d", 3, "(32, 3, 224, 224)"), "the channels stand first", "0, 2, 3, 1"),
        (AXIS.format("conv2d", 3, "(None, 32, 32, 5)"), "makes 5", "3 filters"),
        (AXIS.format("conv2d", 1, "(None, 32, 32, 3)"), "colour", "image.convert('L')"),
        (AXIS.format("dense", 784, "(None, 28, 28)"), "not flattened", "Flatten() layer"),
        (AXIS.format("dense", 784, "(None, 28, 28, 1)"), "not flattened", "Flatten() layer"),
        (AXIS.format("dense_1", 7, "(None, 13)"), "7 was counted", "here 13"),
        ("Matrix size-incompatible: In[0]: [28,28], In[1]: [784,9]", "not flat", "Flatten() layer"),
        ("Shapes (None, 1) and (None, 10) are incompatible", "whole numbers", "to_categorical"),
        ("Shapes (None, 10) and (None, 1) are incompatible", "are rows", "labels has, 10"),
        ("Shapes (None, 5) and (None, 9) are incompatible", "9 units for 5", "Dense(5)"),
        ("Shapes (None,1) and (None,8,8,9) are incompatible", "number of axes", "one row"),
    ],
)
def test_keras_gets_the_advice_of_keras(message: str, why: str, fix: str) -> None:
    """Channels last, layers instead of functions, and nothing of torch."""
    cause = diagnose(message).causes[0]
    assert why in cause.why
    assert fix in cause.fix
    assert not re.search(r"torch|in_features|in_channels|unsqueeze|permute", cause.fix)


@pytest.mark.parametrize(
    ("message", "problem", "fix"),
    [
        (LOADING.format("10, 400", "10, 256"), "holds 10x400", "for the input size"),
        (LOADING.format("1000, 512", "10, 512"), "is 10x512", "make the layer as in the"),
        (LOADING.format("1000", "10"), "holds 1000, ", "strict=False"),
        (LOADING.format("64, 3, 7, 7", "64, 1, 3, 3"), "64x3x7x7", "settings of the checkpoint"),
        (
            (
                "Expected 4-dimensional input for 4-dimensional weight [6, 1, 5, 5], but got "
                "3-dimensional input of size [1, 28, 28] instead"
            ),
            "takes 4 dimensions",
            "x[None, None]",
        ),
        (
            (
                "Expected 4-dimensional input for 4-dimensional weight 6 1 5 5, but got "
                "2-dimensional input of size [1, 256] instead"
            ),
            "takes 4 dimensions",
            "flatten behind the last",
        ),
        ("Invalid rank for input: image Got: 3 Expected: 4 Please fix", "3 are given", "x[None]"),
        ("Invalid rank for input: image Got: 5 Expected: 4 Please fix", "5 are given", "x[0]"),
    ],
)
def test_other_errors_are_explained(message: str, problem: str, fix: str) -> None:
    """Loading weights, older PyTorch, files of ONNX Runtime."""
    diagnosis = diagnose(message)
    assert problem in diagnosis.problem
    assert fix in diagnosis.causes[0].fix


def test_checkpoint_of_another_map_names_both() -> None:
    """The factors tell which size the layer was made for."""
    text = LOADING.format("10, 400", "10, 256")
    assert diagnose(text).facts == ("400 = 16*5*5 in the checkpoint, 256 = 16*4*4 in the program",)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        (57, 56, "57 is not divisible by 2: halving rounds down"),
        (56, 57, "(57 -> 28 -> 56)"),
        (59, 56, "59 is not divisible by 4"),
        (57, 55, "one branch has less padding"),
        (56, 54, "one branch has less padding"),
        (56, 28, "one branch has a stride or pooling"),
    ],
)
def test_rounded_halves_are_the_likeliest_cause_of_a_failed_concat(
    a: int, b: int, why: str
) -> None:
    """Where the smaller size is what halving, rounding and doubling make of the larger."""
    text = (
        "Sizes of tensors must match except in dimension 1. Expected size {} but got size {} for "
        "tensor number 1 in the list."
    )
    assert why in diagnose(text.format(a, b)).causes[0].why
    if {a, b} == {56, 57}:
        assert "make it 56 or 58" in diagnose(text.format(a, b)).causes[0].fix
