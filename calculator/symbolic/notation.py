"""Quantities as text: short, exact, and with the factors that a person would look for.

Where a network has the sizes ``H - 4`` and ``floor((H - 7)/4)``, sums are written in powers
of these rather than of ``H`` and ``floor((H + 1)/4)``. A notation may give names to the
quotients, such as ``H4`` for ``floor((H - 7)/4)``, which its definitions list.
"""

from collections.abc import Iterable
from math import gcd

from calculator.symbolic.atoms import Atom
from calculator.symbolic.factors import (
    Side,
    expand_in,
    to_side,
)
from calculator.symbolic.quantities import (
    Number,
    Product,
    Quantity,
    Terms,
    divide_product,
    find_common,
    to_order,
    to_quantity,
    to_terms,
    walk_letters,
)
from calculator.symbolic.quotients import Choice, Quotient

MOST_SIDES = 8  # of one atom that are tried as factors


class Notation:
    """How to write the quantities of one network.

    Args:
        sizes: of its layers, in order; they are looked for as factors.
        named: give names to quotients.
        grouped: write thousands separators.
    """

    def __init__(
        self, sizes: Iterable[Number] = (), *, named: bool = False, grouped: bool = False
    ) -> None:
        self.grouped = grouped
        self.sides: dict[Atom, list[Side]] = {}
        self.names: dict[Atom, tuple[str, int]] = {}  # name, and what it has beyond the quotient
        self.used: set[Atom] = set()
        self.written: dict[tuple[Number, tuple[Number, ...]], str] = {}
        for size in dict.fromkeys(sizes):
            side = to_side(size)
            if side is None:
                continue
            if named and isinstance(side.atom, Quotient) and side.atom not in self.names:
                self.names[side.atom] = self.choose_name(side.atom), side.offset
            if side.offset:
                self.sides.setdefault(side.atom, []).append(side)

    def choose_name(self, quotient: Quotient) -> str:
        """Return a free name: ``H4`` for what is about a quarter of H, then ``H4_2``."""
        letters = sorted({letter.name for letter in walk_letters(to_quantity(quotient))})
        stem = f"{''.join(letters)}{quotient.bottom}"
        taken = {name for name, _ in self.names.values()}
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        return name

    def define(self) -> list[str]:
        """Return ``H4 = floor((H - 7)/4)`` for every name that has been used."""
        return [
            f"{name} = {self.write_quotient(quotient, offset)}"
            for quotient, (name, offset) in self.names.items()
            if isinstance(quotient, Quotient) and quotient in self.used
        ]

    def write(self, number: Number, sizes: Iterable[Number] = ()) -> str:
        """Return a number as text.

        Args:
            number: to write.
            sizes: are tried as factors first, before those of the network.
        """
        asked = number, tuple(sizes)
        if asked not in self.written:
            self.written[asked] = self.write_shortest(number, self.expand(*asked))
        return self.written[asked]

    def write_factor(self, number: Number) -> str:
        """Return a number as text that can stand in a product or a shape: sums in parentheses."""
        text = self.write(number, (number,))
        return f"({text})" if " " in strip_parentheses(text) else text

    def write_shortest(self, *forms: Number) -> str:
        """Return the shortest of several forms of one number, a product before any sum."""
        texts = [(len(to_terms(form)) > 1, self.write_terms(form)) for form in forms]
        return min(texts, key=lambda text: (text[0], len(text[1])))[1]

    def expand(self, number: Number, sizes: Iterable[Number] = ()) -> Number:
        """Return a number in powers of the network's sizes where that has fewer terms.

        Args:
            number: to write.
            sizes: are tried first.
        """
        if isinstance(number, int):
            return number
        first = [side for side in map(to_side, sizes) if side is not None and side.offset]
        for atom in number.list_atoms():
            sides = [side for side in first if side.atom == atom]
            forms = [number, *(expand_in(number, side) for side in self.list_sides(atom, sides))]
            number = min(forms, key=lambda form: len(to_terms(form)))
        return number

    def list_sides(self, atom: Atom, first: list[Side]) -> list[Side]:
        """Return the sizes made of an atom that are tried as factors."""
        return list(dict.fromkeys([*first, *self.sides.get(atom, ())[:MOST_SIDES]]))

    def write_terms(self, number: Number) -> str:
        """Return terms as a sum, with common factors in front where that is shorter."""
        terms = to_terms(number)
        forms = [self.write_sum(terms)]
        if len(terms) > 1:
            common = find_common(terms)
            inner = {divide_product(p, common): c for p, c in terms.items()}
            # 4096*(512*X + 1), units times inputs and a bias; other coefficients say more whole
            divisor = gcd(*terms.values())
            if divisor > 1 and len(inner) == 2 and inner.get(()) == divisor:
                inner = {product: c // divisor for product, c in inner.items()}
                return f"{self.write_product(common, divisor)}*({self.write_sum(inner)})"
            if common:
                forms.append(f"{self.write_product(common, 1)}*({self.write_sum(inner)})")
        return min(forms, key=len)

    def write_sum(self, terms: Terms) -> str:
        """Return ``2*H*W - 3``, highest powers first."""
        text = ""
        for product, coefficient in sorted(terms.items(), key=lambda term: to_order(term[0])):
            sign = " - " if coefficient < 0 else " + "
            lead = sign if text else sign.strip().replace("+", "")
            text += lead + self.write_product(product, abs(coefficient))
        return text or "0"

    def write_product(self, product: Product, coefficient: int) -> str:
        """Return ``3*H*H``."""
        number = f"{coefficient:,}" if self.grouped else str(coefficient)
        factors = [self.write_atom(atom) for atom, power in product for _ in range(power)]
        if not factors:
            return number
        return "*".join(factors if coefficient == 1 else [number, *factors])

    def write_atom(self, atom: Atom) -> str:
        """Return an atom as text that can stand in a product."""
        if isinstance(atom, Side):
            return self.write_side(atom)
        if isinstance(atom, Quotient):
            return self.write_named(atom, 0)
        if isinstance(atom, Choice):
            return f"{atom.which}({', '.join(map(self.write, atom.choices))})"
        return atom.key

    def write_side(self, side: Side) -> str:
        """Return a size as text that can stand in a product."""
        if isinstance(side.atom, Quotient) and side.times == 1:
            return self.write_named(side.atom, side.offset)
        name, beyond = self.names.get(side.atom) or (self.write_atom(side.atom), 0)
        if side.atom in self.names:
            self.used.add(side.atom)
        offset = side.offset - side.times * beyond
        lead = name if side.times == 1 else f"{side.times}*{name}"
        return f"({lead} {'-' if offset < 0 else '+'} {abs(offset)})"

    def write_named(self, quotient: Quotient, offset: int) -> str:
        """Return ``floor(...) + offset`` as one quotient, or by its name."""
        if quotient not in self.names:
            return self.write_quotient(quotient, offset)
        self.used.add(quotient)
        name, beyond = self.names[quotient]
        if offset == beyond:
            return name
        return f"({name} {'+' if offset > beyond else '-'} {abs(offset - beyond)})"

    def write_quotient(self, quotient: Quotient, offset: int) -> str:
        """Return ``floor((X + c)/a)``, or ``ceil(X/a)`` where that is it."""
        top, bottom = quotient.top + offset * quotient.bottom, quotient.bottom
        rest = top.constant if isinstance(top, Quantity) else 0
        rounds_up = rest > 0 and rest % bottom == bottom - 1
        word, top = ("ceil", top - (bottom - 1)) if rounds_up else ("floor", top)
        text = self.write_sum(to_terms(top))
        return f"{word}({f'({text})' if ' ' in strip_parentheses(text) else text}/{bottom})"


def strip_parentheses(text: str) -> str:
    """Return what stands outside of all parentheses."""
    depth, outside = 0, []
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth == 0:
            outside.append(character)
    return "".join(outside)
