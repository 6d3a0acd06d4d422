"""Networks in YAML files, turned into the one-line grammar.

::

    name: small
    input: 3x32x32            # or [3, 32, 32]
    layers:
      - conv 8@3x3 p1
      - conv2: conv 8@3x3 p1  # with a name
      - add: [[conv 8@3x3 p1, batchnorm], []]
      - both: {concat: [[relu], [tanh]]}
"""

from pathlib import Path

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from calculator.errors import CalculatorError, MisfitError
from calculator.layers.shapes import Shape
from calculator.network import Network
from calculator.reading.grammar import DEEPEST_NESTING, MOST_LAYERS, read_network
from calculator.reading.words import JOINS

LARGEST_BYTES = 100_000
MOST_EVENTS = 10 * MOST_LAYERS
KEYS = ("name", "input", "layers")
RESERVED = set("|[]\n")  # they would end the layer


def read_recipe(path: Path, *, input_shape: Shape | None = None) -> Network:
    """Read a network from a YAML file.

    Args:
        path: the file; at most 100 kB are read, without anchors and aliases.
        input_shape: instead of the file's ``input``.

    Raises:
        CalculatorError: the file cannot be read, or is no such description.
    """
    recipe = load_plain(path)
    if not isinstance(recipe, dict) or "layers" not in recipe or set(recipe) - set(KEYS):
        message = f"{path}: expected a mapping with layers, input and name, and nothing else"
        raise CalculatorError(message)
    shape = recipe.get("input")
    if isinstance(shape, list):
        shape = "x".join(str(side) for side in shape)
    if shape is None and input_shape is None:
        message = f"{path}: input is missing; write input: 3x224x224, or give --input"
        raise CalculatorError(message)
    head = [str(shape)] if shape is not None else []
    line = " | ".join([*head, join_sequence(recipe["layers"], path)])
    try:
        name = str(recipe.get("name", path.stem))
        return read_network(line, name=name, input_shape=input_shape)
    except CalculatorError as error:
        message = f"{path}: as one line, {error.message}"
        if isinstance(error, MisfitError):
            raise MisfitError(message, error.line, input_shape=error.input_shape) from error
        raise CalculatorError(message) from error


def load_plain(path: Path) -> object:
    """Load scalars, lists and mappings; refuse everything that could grow or run."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror}); give the path of a YAML file"
        raise CalculatorError(message) from error
    if len(text) > LARGEST_BYTES:
        message = f"{path}: larger than the {LARGEST_BYTES} bytes that are read; shorten it"
        raise CalculatorError(message)
    try:
        check_events(text, path)
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a timestamp such as 2024-99-99
        first = str(error).replace("\n", " ")
        message = f"{path}: is not valid YAML: {first}"
        raise CalculatorError(message) from error


def check_events(text: bytes, path: Path) -> None:
    """Refuse aliases, deep nesting and long documents before anything is built."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        rules = {
            "aliases are not read; write the layers out": isinstance(event, AliasEvent),
            "tags are not read; write plain values": getattr(event, "tag", None) is not None,
            f"nested deeper than {DEEPEST_NESTING} branches": depth > 3 * DEEPEST_NESTING,
            f"more than {MOST_LAYERS} layers": number > MOST_EVENTS,
        }
        broken = next((rule for rule, is_broken in rules.items() if is_broken), None)
        if broken is not None:
            message = f"{path}: {broken}"
            raise CalculatorError(message)


def join_sequence(layers: object, path: Path) -> str:
    """Return a list of layers as text."""
    if not isinstance(layers, list):
        message = f"{path}: layers must be a list, not {layers!r:.60}; put '- ' before each layer"
        raise CalculatorError(message)
    return " | ".join(join_layer(layer, path) for layer in layers)


def join_layer(layer: object, path: Path) -> str:
    """Return one layer as text: a line, ``{name: line}``, or branches."""
    if isinstance(layer, str):
        return check_line(layer, path)
    if isinstance(layer, dict) and len(layer) == 1:
        ((name, value),) = layer.items()
        if name in JOINS:
            return join_branches(str(name), value, path=path)
        if isinstance(value, str):
            return f"{check_line(str(name), path)}: {check_line(value, path)}"
        if isinstance(value, dict) and len(value) == 1:
            ((join, branches),) = value.items()
            if join in JOINS:
                return join_branches(f"{check_line(str(name), path)}: {join}", branches, path=path)
    message = (
        f"{path}: {layer!r:.60} is no layer; write 'conv 8@3x3', 'name: conv 8@3x3', "
        "or 'add: [[...], [...]]'"
    )
    raise CalculatorError(message)


def join_branches(join: str, branches: object, *, path: Path) -> str:
    """Return branches as text."""
    if not isinstance(branches, list):
        message = f"{path}: {join} must be a list of branches, not {branches!r:.60}"
        raise CalculatorError(message)
    inner = " || ".join(join_sequence(branch, path) for branch in branches)
    return f"[ {inner} ] {join}"


def check_line(text: str, path: Path) -> str:
    """Return the text of one layer.

    Raises:
        CalculatorError: it has bars or brackets.
    """
    if RESERVED & set(text):
        message = f"{path}: {text!r:.60} must be one layer; give every layer its own list entry"
        raise CalculatorError(message)
    return text
