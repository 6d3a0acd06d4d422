"""Where networks come from: a name, a line of text, a file, a PyTorch module."""

import re
from pathlib import Path

from calculator.errors import CalculatorError
from calculator.layers.shapes import Shape, render_shape
from calculator.network import Network
from calculator.reading.grammar import read_network
from calculator.reading.networks import describe_network
from calculator.reading.words import SHAPE

LINE = re.compile(r"[|\[\]\s]")
RECIPES = {".yaml", ".yml"}
MODELS = {".onnx"}


def parse(text: str, *, input_shape: Shape | None = None) -> Network:
    """Read a network from its name or from one line of the grammar.

    Never opens a file and never imports code, so the text may come from strangers.

    Args:
        text: ``vgg16``, or ``1x32x32 | conv 6@5x5 | relu | flatten | fc 10``.
        input_shape: ``(channels, *sizes)``, instead of the one in the text or the usual one.

    Raises:
        CalculatorError: the text is neither, or its layers do not fit; the message points
            at the place, says what was expected, and names the nearest valid word.
    """
    if input_shape is not None:
        check_shape(input_shape)
    if LINE.search(text) or SHAPE.fullmatch(text):
        return read_network(text, name="network", input_shape=input_shape)
    return read_network(describe_network(text, input_shape), name=text)


def load(path: str | Path, *, input_shape: Shape | None = None) -> Network:
    """Read a network from a YAML or an ONNX file.

    ``calculator/reading/recipes.py`` describes the form of the one,
    ``calculator/reading/onnx_file/reader.py`` what becomes of the other.

    Args:
        path: a ``.yaml``, ``.yml`` or ``.onnx`` file.
        input_shape: ``(channels, *sizes)``, instead of the one in the file; needed for an
            ONNX file that leaves sizes open.

    Raises:
        CalculatorError: the file cannot be read, is no network, or its layers do not fit.
    """
    path = Path(path)
    if input_shape is not None:
        check_shape(input_shape)
    if path.suffix.lower() in MODELS:
        from calculator.reading.onnx_file.reader import read_onnx  # noqa: PLC0415 - for files only

        return read_onnx(path, input_shape=input_shape)
    if path.suffix.lower() not in RECIPES:
        message = f"{path}: files of type {path.suffix!r} are not read; give a .yaml or .onnx file"
        raise CalculatorError(message)
    from calculator.reading.recipes import read_recipe  # noqa: PLC0415 - PyYAML is for files only

    return read_recipe(path, input_shape=input_shape)


def read_any(text: str, *, input_shape: Shape | None = None) -> Network:
    """Read what a user of the command line names: a file, a module, a network's name, or a line.

    Args:
        text: a path that ends in ``.yaml`` or ``.onnx``, ``module:attribute`` of a PyTorch
            module, or what :func:`parse` reads.
        input_shape: ``(channels, *sizes)``, instead of the given or usual one.

    Raises:
        CalculatorError: as :func:`load`, :func:`parse` and
            :func:`calculator.reading.tracing.trace`.
    """
    if "|" not in text and Path(text).suffix.lower() in RECIPES | MODELS:
        return load(text, input_shape=input_shape)
    if ":" in text and not LINE.search(text):
        from calculator.reading.tracing import trace  # noqa: PLC0415 - brings in PyTorch

        return trace(text, input_shape=input_shape)
    return parse(text, input_shape=input_shape)


def parse_shape(text: str) -> Shape:
    """Read ``3x224x224``: channels, then one to three sizes; or one number of features.

    Raises:
        CalculatorError: the text is no such shape.
    """
    if not SHAPE.fullmatch(text):
        message = (
            f"input {text!r:.60} must be channels x height x width such as 3x224x224 (one to three "
            "sizes, or one number of features); separate the numbers, of at most 9 digits, with x, "
            "or write capital letters for any size, as in 3xHxW"
        )
        raise CalculatorError(message)
    shape = tuple(int(side) for side in text.split("x"))
    check_shape(shape)
    return shape


def check_shape(shape: Shape) -> None:
    """Refuse a shape that no layer takes.

    Raises:
        CalculatorError: a size is below 1, or there are more than three sizes.
    """
    if not 1 <= len(shape) <= 4 or min(shape) < 1:
        message = (
            f"input {render_shape(shape)} must have channels and at most three sizes, "
            "all at least 1; give for example 3x224x224"
        )
        raise CalculatorError(message)
