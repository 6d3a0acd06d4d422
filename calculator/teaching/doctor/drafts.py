"""A line of the grammar whose layers need not fit, and the changes that its text can take."""

import re
from dataclasses import dataclass

from calculator.errors import CalculatorError
from calculator.layers.shapes import Shape, render_shape
from calculator.network import Network
from calculator.reading.grammar import LONGEST_TEXT, NAME, Reader, Token
from calculator.reading.words import SHAPE

OPTION = re.compile(r"([a-z]+)=?[0-9].*")
EDGE_FLAGS = ("same", "valid")
JOINTS = ("[", "||", "]")


@dataclass(frozen=True)
class Draft:
    """A line and the network it describes.

    Args:
        text: the line, with single spaces.
        network: its layers; whether they fit is not known.
        places: where each layer stands in the text, without its name.
        tokens: all pieces of the text.
    """

    text: str
    network: Network
    places: tuple[Token, ...]
    tokens: tuple[Token, ...]

    def get_item(self, position: int) -> str:
        """Return a layer as it is written, without its name: ``conv 6@5x5 s2``."""
        return self.places[position].text

    def find_start(self, position: int) -> int:
        """Return where a layer starts in the text, its name included."""
        start = self.places[position].start
        before = ""
        for token in self.tokens:
            if token.start == start:
                break
            before = token.text
        named = NAME.fullmatch(before) is not None
        return self.text.rindex(before, 0, start) if named else start

    def replace(self, items: dict[int, str]) -> str:
        """Return the line with other text for some layers."""
        text = self.text
        for position in sorted(items, key=lambda i: self.places[i].start, reverse=True):
            place = self.places[position]
            text = text[: place.start] + items[position] + text[place.end :]
        return text

    def insert_before(self, position: int, item: str) -> str:
        """Return the line with one layer more."""
        start = self.find_start(position)
        return f"{self.text[:start]}{item} | {self.text[start:]}"

    def remove(self, position: int) -> str:
        """Return the line without a layer and one of the bars around it."""
        before = self.text[: self.find_start(position)].rstrip()
        after = self.text[self.places[position].end :].lstrip()
        if after.startswith("|") and not after.startswith("||"):
            after = after[1:].lstrip()
        elif before.endswith("|") and not before.endswith("||"):
            before = before[:-1].rstrip()
        return f"{before} {after}".rstrip()

    def put_input(self, shape: Shape) -> str:
        """Return the line with another input."""
        return put_input(self.text, shape)

    def list_branches(self, position: int) -> list[tuple[int, int]]:
        """Return where each branch of a join starts and ends in the text.

        Args:
            position: of an ``add`` or ``concat``.
        """
        before = [token for token in self.tokens if token.start < self.places[position].start]
        branches: list[tuple[int, int]] = []
        depth, end = 0, 0
        for token in reversed(before):
            closing, opening = token.text == "]", token.text == "["
            if (token.text in JOINTS) and depth == (0 if closing else 1):
                if not closing:
                    branches.append((token.end, end))
                end = token.start
            depth += closing - opening
            if opening and depth == 0:
                break
        return branches[::-1]


def read_draft(text: str, *, input_shape: Shape | None = None) -> Draft:
    """Read a line; its layers need not fit.

    Args:
        text: the line.
        input_shape: instead of the one that it starts with.

    Raises:
        CalculatorError: the line is not of the grammar.
    """
    if len(text) > LONGEST_TEXT:
        message = f"the description has {len(text)} characters; at most {LONGEST_TEXT} are read"
        raise CalculatorError(message)
    line = " ".join(text.split())
    if input_shape is not None:
        line = put_input(line, input_shape)
    reader = Reader(line)
    network = reader.read("network", None)
    return Draft(line, network, tuple(reader.places), tuple(reader.tokens))


def put_input(line: str, shape: Shape) -> str:
    """Return a line with this input, in the place of its own or in front."""
    head, _, rest = line.partition("|")
    layers = rest.strip() if SHAPE.fullmatch(head.strip()) else line
    return f"{render_shape(shape)} | {layers}"


def drop_option(item: str, *names: str) -> str:
    """Return a layer's text without an option or a flag, however it is spelt."""
    word, *others = item.split()
    kept = [
        other
        for other in others
        if other not in names
        and ((match := OPTION.fullmatch(other)) is None or match[1] not in names)
    ]
    return " ".join([word, *kept])


def put_option(item: str, name: str, *, value: str) -> str:
    """Return a layer's text with an option set: ``s2``, or ``in=400`` for a longer name."""
    sign = "=" if len(name) > 1 else ""
    return f"{drop_option(item, name)} {name}{sign}{value}"


def put_padding(item: str, value: str) -> str:
    """Return a layer's text with a padding; ``0`` is none."""
    bare = drop_option(item, "p", *EDGE_FLAGS)
    return bare if value == "0" else f"{bare} p{value}"


def put_value(item: str, value: str) -> str:
    """Return a layer's text with another value behind its word: ``16@5x5``, ``2x2``, ``120``."""
    word, _, *others = item.split()
    return " ".join([word, value, *others])
