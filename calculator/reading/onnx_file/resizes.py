"""Resizes: nearest upsampling by a whole factor, and all others."""

from collections.abc import Mapping

from calculator.layers.resizing import Upsample
from calculator.reading.onnx_file.builder import Builder
from calculator.reading.onnx_file.placing import Place, add_operator, name_operator
from calculator.reading.onnx_file.values import Operation

SHIFTING = ("tf_crop_and_resize", "tf_half_pixel_for_nn")  # move values even by a factor of 1
SCALES_THIRD = 11  # the opset from which the factors of a resize are its third input
REPEATING = ("round_prefer_floor", "round_prefer_ceil")  # repeat values between half pixels


def place_resize(builder: Builder, operation: Operation) -> None:
    """Add nearest upsampling by one whole factor, or a resize of another kind."""
    source, target = operation.inputs[0], operation.outputs[0]
    home = builder.locate(source)
    before = builder.shape_of(source)
    after = builder.order_shape(builder.values[target].sizes, home.order)
    pairs = list(zip(before[1:], after[1:], strict=False))
    factors = {b // a if a and b % a == 0 else 0 for a, b in pairs}
    keeps_rest = len(before) == len(after) and before[0] == after[0]
    is_whole = len(factors) == 1 and keeps_rest and 0 not in factors
    is_whole = is_whole and not has_fractions(builder, operation)
    if is_whole and factors == {1}:
        builder.pass_on(operation, home)
    elif is_whole and repeats(operation, min(factors)):
        builder.add(operation, Upsample(min(factors)), inputs=[source], order=home.order)
    else:
        # sizes and factors are settings; they are no numbers that the layer stores
        order = home.order
        add_operator(
            builder, operation, active=[source], word=name_operator(operation), order=order
        )


def has_fractions(builder: Builder, operation: Operation) -> bool:
    """Return whether a resize goes by factors with a fraction, or cuts a part out.

    By 2.1, four values become eight, and others than by 2.
    """
    if operation.read_text("coordinate_transformation_mode", "half_pixel") in SHIFTING:
        return True
    if operation.kind == "Upsample" or builder.survey.opset < SCALES_THIRD:
        name = operation.find_input(1)
    else:
        name = operation.find_input(2)
    array = builder.values[name].array if name else operation.settings.get("scales")
    scales = [] if array is None else [float(value) for value in array]
    return any(scale != round(scale) for scale in scales)


def repeats(operation: Operation, factor: int) -> bool:
    """Return whether a resize by a whole factor repeats every value so many times."""
    if operation.read_text("mode", "nearest") != "nearest":
        return False
    if operation.kind == "Upsample":
        return True
    place = operation.read_text("coordinate_transformation_mode", "half_pixel")
    rounding = operation.read_text("nearest_mode", "round_prefer_floor")
    if place in ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel"):
        return rounding in REPEATING
    halves = factor == 2 and rounding == "round_prefer_floor"
    return place == "asymmetric" and (rounding == "floor" or halves)


PLACES: Mapping[str, Place] = dict.fromkeys(("Resize", "Upsample"), place_resize)
