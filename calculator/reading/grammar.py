"""The one-line grammar: ``3x227x227 | conv 96@11x11 s4 | relu | pool 3x3 s2 | flatten | fc 10``.

::

    network  = shape "|" sequence
    sequence = item { "|" item }
    item     = [name ":"] word [value] { option }
             | "[" [sequence] { "||" [sequence] } "]" [name ":"] ("add" | "concat")
    shape    = channels { "x" size }                 one to three sizes; one number if flat
    value    = filters "@" kernel | kernel | number
    option   = letter value | letter "=" value | flag

An empty branch passes its input on. Words, values and options stand in
``calculator/reading/words.py``. Nothing here opens a file or imports code, and the length,
depth and number of layers are limited, so that text from strangers can be read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from calculator.errors import CalculatorError, MisfitError, suggest
from calculator.layers.base import Layer
from calculator.layers.shapes import Shape
from calculator.network import INPUT, Names, Network, Node
from calculator.reading.words import ALIASES, EVERY_WORD, JOINS, SHAPE, WORDS, Settings, Word
from calculator.summary import LayerError, Report, summarize

LONGEST_TEXT = 50_000
MOST_LAYERS = 2_000
DEEPEST_NESTING = 16
MOST_VALUES = 10**30  # that a layer returns
TOKEN = re.compile(r"\|\||[|\[\]]|[^\s|\[\]]+")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-/]{0,63}:")


@dataclass(frozen=True)
class Token:
    """A piece of the text and where it starts."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Position behind the last character."""
        return self.start + len(self.text)


def point_at(text: str, start: int, *, end: int, message: str) -> CalculatorError:
    """Return an error that shows the place under carets.

    Args:
        text: the whole line.
        start: first wrong character.
        end: behind the last one.
        message: what was expected there.
    """
    width = max(1, min(end - start, 60))
    left = max(0, min(start - 8, start + width - 70))
    shown = "".join(c if c.isprintable() else " " for c in text[left : left + 74])
    carets = " " * (start - left) + "^" * width
    return CalculatorError(f"column {start + 1}: {message}\n  {shown}\n  {carets}")


def read_network(text: str, *, name: str, input_shape: Shape | None = None) -> Network:
    """Read a network from one line.

    Args:
        text: the line.
        name: what to call the network.
        input_shape: replaces the shape that the line starts with, or stands in for it.

    Raises:
        CalculatorError: the line is not of this grammar, or the layers do not fit; the
            message points at the place.
    """
    if len(text) > LONGEST_TEXT:
        message = f"the description has {len(text)} characters; at most {LONGEST_TEXT} are read"
        raise CalculatorError(message)
    reader = Reader(text)
    network = reader.read(name, input_shape)
    try:
        check_values(summarize(network))
    except LayerError as error:
        token = reader.places[error.position]
        shown = point_at(text, token.start, end=token.end, message=error.message)
        raise MisfitError(shown.message, text, input_shape=input_shape) from error
    return network


def check_values(report: Report) -> None:
    """Refuse sizes that multiply without end.

    Raises:
        LayerError: a layer returns more than ``MOST_VALUES``.
    """
    for position, row in enumerate(report.rows):
        if row.activations.result > MOST_VALUES:
            message = f"returns more than {MOST_VALUES:,} values; use smaller factors or inputs"
            raise LayerError(message, position, node=row.node)


class Reader:
    """One pass over the tokens of a line.

    Args:
        text: the line.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [Token(match[0], match.start()) for match in TOKEN.finditer(text)]
        self.position = 0
        self.nodes: list[Node] = []
        self.places: list[Token] = []  # where each node stands in the text
        given = {t.text[:-1] for t in self.tokens if NAME.fullmatch(t.text)}
        self.names = Names(given)
        self.given: set[str] = set()

    @property
    def token(self) -> Token:
        """The next token; an empty one at the end."""
        if self.position < len(self.tokens):
            return self.tokens[self.position]
        return Token("", len(self.text.rstrip()))

    def take(self) -> Token:
        """Return the next token and step over it."""
        token = self.token
        self.position += 1
        return token

    def fail(self, token: Token, message: str) -> CalculatorError:
        """Return an error that points at a token."""
        return point_at(self.text, token.start, end=token.end, message=message)

    def read(self, name: str, input_shape: Shape | None) -> Network:
        """Read shape and layers."""
        shape = self.read_shape(input_shape)
        self.read_sequence(INPUT, 0)
        if self.token.text:
            message = f"expected '|' or the end, not {self.token.text!r}"
            raise self.fail(self.token, message)
        return Network(name, shape, tuple(self.nodes))

    def read_shape(self, input_shape: Shape | None) -> Shape:
        """Read the input's shape and the bar behind it."""
        token = self.token
        if not SHAPE.fullmatch(token.text):
            if input_shape is not None:
                return input_shape
            message = (
                f"expected the input's shape as channels x height x width, such as 3x224x224, "
                f"not {token.text!r}"
            )
            raise self.fail(token, message)
        shape = tuple(int(side) for side in self.take().text.split("x"))
        if 0 in shape:
            raise self.fail(token, f"the input {token.text} has a size of 0; sizes start at 1")
        bar = self.take()
        if bar.text != "|":
            raise self.fail(bar, "expected '|' and the first layer behind the input's shape")
        return input_shape or shape

    def read_sequence(self, source: int, depth: int) -> int:
        """Read layers until a bracket, a double bar or the end; return the last one's position."""
        while True:
            read = self.read_branches if self.token.text == "[" else self.read_layer
            source = read(source, depth)
            if self.token.text != "|":
                return source
            self.take()

    def read_branches(self, source: int, depth: int) -> int:
        """Read ``[ ... || ... ] add``."""
        opening = self.take()
        if depth == DEEPEST_NESTING:
            message = f"branches inside branches go {DEEPEST_NESTING} deep at most"
            raise self.fail(opening, message)
        ends = [self.read_branch(source, depth + 1)]
        while self.token.text == "||":
            self.take()
            ends.append(self.read_branch(source, depth + 1))
        closing = self.take()
        if closing.text != "]":
            message = "expected '|', '||' or ']' in the branches that start here"
            raise self.fail(closing if closing.text else opening, message)
        if len(ends) == 1:
            raise self.fail(opening, "expected at least two branches with '||' between them")
        given, word = self.read_name(), self.take()
        if word.text not in JOINS:
            message = f"expected 'add' or 'concat' behind ']'{suggest(word.text, JOINS)}"
            raise self.fail(word, message)
        return self.append(JOINS[word.text], given, span=(word, word), inputs=tuple(ends))

    def read_branch(self, source: int, depth: int) -> int:
        """Read one branch; an empty one is its input."""
        if self.token.text in ("||", "]"):
            return source
        return self.read_sequence(source, depth)

    def read_name(self) -> str | None:
        """Read ``name:`` if it is there."""
        if not NAME.fullmatch(self.token.text):
            return None
        token = self.take()
        name = token.text[:-1]
        if name in self.given:
            raise self.fail(token, f"the name {name!r} is taken by an earlier layer; use another")
        self.given.add(name)
        return name

    def read_layer(self, source: int, depth: int) -> int:  # noqa: ARG002 - as read_branches
        """Read one layer with its options."""
        given, token = self.read_name(), self.take()
        kind = ALIASES.get(token.text, token.text)
        if kind not in WORDS:
            raise self.fail(token, describe_unknown(token.text))
        word, settings = WORDS[kind], {}
        if word.positional is not None:
            settings = self.read_positional(word, word.positional)
        while self.token.text and self.token.text not in ("|", "||", "[", "]"):
            self.read_option(kind, settings)
        last = self.tokens[self.position - 1]
        return self.append(
            lambda: word.build(**settings), given, span=(token, last), inputs=(source,)
        )

    def read_positional(self, word: Word, read: Callable[[str], Settings | None]) -> Settings:
        """Read the value behind the word."""
        settings = read(self.token.text)
        if settings is not None:
            self.take()
        elif word.required or self.token.text[:1].isdigit():
            shown = repr(self.token.text) if self.token.text else "the end"
            raise self.fail(self.token, f"expected a value as in '{word.example}', not {shown}")
        return settings or {}

    def read_option(self, kind: str, settings: Settings) -> None:
        """Read one option into the settings."""
        token, word = self.take(), WORDS[kind]
        added = word.flags.get(token.text)
        if added is None:
            match = re.fullmatch(r"([a-z]+)=?([0-9].*)", token.text)
            if match is None or match[1] not in word.options:
                known = [*word.flags, *word.options]
                message = (
                    f"{token.text!r} is no option of {kind}; expected "
                    f"{word.describe_options()}{suggest(token.text, known)}"
                )
                raise self.fail(token, message)
            added = word.options[match[1]](match[2])
        if added is None:
            message = f"{token.text!r} has no valid value; expected as in '{word.example}'"
            raise self.fail(token, message)
        (key,) = added
        if key in settings:
            raise self.fail(token, f"{key} is given twice for this {kind}; give it once")
        settings.update(added)

    def append(
        self,
        build: Callable[[], Layer],
        given: str | None,
        *,
        span: tuple[Token, Token],
        inputs: tuple[int, ...],
    ) -> int:
        """Add a node and return its position."""
        first, last = span
        place = replace(first, text=self.text[first.start : last.end])
        if len(self.nodes) == MOST_LAYERS:
            raise self.fail(place, f"a network has at most {MOST_LAYERS} layers")
        layer = build()
        name = given or self.names.choose(layer.kind)
        self.nodes.append(Node(name, layer, inputs))
        self.places.append(place)
        return len(self.nodes) - 1


def describe_unknown(text: str) -> str:
    """Return what to say about a word that is none."""
    if text in JOINS:
        return f"{text!r} joins branches and stands behind ']'; close them: [ ... || ... ] {text}"
    if not text or text in ("|", "||", "]"):
        return "expected a layer, such as 'conv 96@11x11 s4'"
    return f"unknown layer {text!r}; expected one of {', '.join(WORDS)}{suggest(text, EVERY_WORD)}"
