"""Integer expressions that are computed and shown from one and the same tree.

A formula is built once, with Python's operators. :meth:`Expression.evaluate` gives the
number, :meth:`Expression.render` the text, with names or with the numbers put in, so a
printed derivation cannot drift from the computation.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from calculator.arithmetic.choices import choose

Values = Mapping[str, int]

# Nodes compare by identity and have no repr of their own: each method that dataclass makes
# is compiled at import, and the command line should answer at once.
SUM, PRODUCT, ATOM = 1, 2, 3  # how tightly an expression binds


class Expression(ABC):
    """A node of the tree; its children are expressions or integers."""

    binding = ATOM

    @abstractmethod
    def evaluate(self, values: Values) -> int:
        """Return the exact integer for ``values``, which must hold every name."""

    @abstractmethod
    def render(self, values: Values | None = None) -> str:
        """Return the expression as text, with ``values`` in the place of names if given."""

    def children(self) -> "tuple[Expression, ...]":
        """Return the nodes directly below this one."""
        return ()

    def walk(self) -> "Iterator[Expression]":
        """Yield this node and every node below it, parents first."""
        yield self
        for child in self.children():
            yield from child.walk()

    def __add__(self, other: "Expression | int") -> "Expression":
        return Operation("+", self, to_expression(other))

    def __sub__(self, other: "Expression | int") -> "Expression":
        return Operation("-", self, to_expression(other))

    def __mul__(self, other: "Expression | int") -> "Expression":
        return Operation("*", self, to_expression(other))

    def __rmul__(self, other: int) -> "Expression":
        return Operation("*", Number(other), self)

    def __truediv__(self, other: "Expression") -> "Expression":
        return Operation("/", self, other)


@dataclass(frozen=True, eq=False, repr=False)
class Number(Expression):
    """A literal integer."""

    value: int

    def evaluate(self, values: Values) -> int:  # noqa: ARG002 - the same for every node
        """Return the literal."""
        return self.value

    def render(self, values: Values | None = None) -> str:  # noqa: ARG002
        """Return the literal's digits."""
        return str(self.value)


@dataclass(frozen=True, eq=False, repr=False)
class Name(Expression):
    """A quantity with a name, such as ``C_in``."""

    text: str

    def evaluate(self, values: Values) -> int:
        """Look the name up."""
        return values[self.text]

    def render(self, values: Values | None = None) -> str:
        """Return the name, or its value; a negative one in parentheses."""
        if values is None:
            return self.text
        value = values[self.text]
        return str(value) if value >= 0 else f"({value})"


@dataclass(frozen=True, eq=False, repr=False)
class Operation(Expression):
    """``left sign right``; ``/`` is for exact quotients only."""

    sign: str
    left: Expression
    right: Expression

    @property
    def binding(self) -> int:  # type: ignore[override]
        """Return ``SUM`` for plus and minus, ``PRODUCT`` for times and divided by."""
        return SUM if self.sign in "+-" else PRODUCT

    def children(self) -> tuple[Expression, ...]:
        """Return both operands."""
        return self.left, self.right

    def evaluate(self, values: Values) -> int:
        """Return the exact result.

        Raises:
            ArithmeticError: a quotient is not an integer.
        """
        left, right = self.left.evaluate(values), self.right.evaluate(values)
        if self.sign == "+":
            return left + right
        if self.sign == "-":
            return left - right
        if self.sign == "*":
            return left * right
        if left % right:
            message = f"{self.render()}: {left} is not a multiple of {right}"
            raise ArithmeticError(message)
        return left // right

    def render(self, values: Values | None = None) -> str:
        """Return the operands with as few parentheses as reading needs."""
        left, right = self.left.render(values), self.right.render(values)
        if self.left.binding < self.binding:
            left = f"({left})"
        # a - (b - c) and a/(b*c) need theirs; a*(b/c) is the same without
        if self.right.binding < self.binding or (
            self.right.binding == self.binding and self.sign in "-/"
        ):
            right = f"({right})"
        gap = " " if self.binding == SUM else ""
        return f"{left}{gap}{self.sign}{gap}{right}"


@dataclass(frozen=True, eq=False, repr=False)
class Rounded(Expression):
    """``floor(top/bottom)`` or ``ceil(top/bottom)`` for integers."""

    direction: str
    top: Expression
    bottom: Expression

    def children(self) -> tuple[Expression, ...]:
        """Return numerator and denominator."""
        return self.top, self.bottom

    def evaluate(self, values: Values) -> int:
        """Return the quotient, rounded towards minus or plus infinity."""
        top, bottom = self.top.evaluate(values), self.bottom.evaluate(values)
        return top // bottom if self.direction == "floor" else -(-top // bottom)

    def remainder(self, values: Values) -> int:
        """Return what rounding dropped (floor) or added (ceil), in units of 1/bottom."""
        top, bottom = self.top.evaluate(values), self.bottom.evaluate(values)
        return top % bottom if self.direction == "floor" else -top % bottom

    def render(self, values: Values | None = None) -> str:
        """Return ``floor(top/bottom)``."""
        quotient = Operation("/", self.top, self.bottom).render(values)
        return f"{self.direction}({quotient})"


@dataclass(frozen=True, eq=False, repr=False)
class Extreme(Expression):
    """``min(...)`` or ``max(...)``."""

    which: str
    choices: tuple[Expression, ...]

    def children(self) -> tuple[Expression, ...]:
        """Return what is chosen from."""
        return self.choices

    def evaluate(self, values: Values) -> int:
        """Return the least or the greatest choice."""
        return choose(self.which, [choice.evaluate(values) for choice in self.choices])

    def render(self, values: Values | None = None) -> str:
        """Return ``min(a, b)``."""
        return f"{self.which}({', '.join(choice.render(values) for choice in self.choices)})"


@dataclass(frozen=True, eq=False, repr=False)
class Folded(Expression):
    """An inner step that is shown as its value once numbers are put in: ``2*p`` as ``4``."""

    inner: Expression

    @property
    def binding(self) -> int:  # type: ignore[override]
        """Bind as the inner expression does, so that the formula keeps its parentheses."""
        return self.inner.binding

    def children(self) -> tuple[Expression, ...]:
        """Return what is folded."""
        return (self.inner,)

    def evaluate(self, values: Values) -> int:
        """Return the inner value."""
        return self.inner.evaluate(values)

    def render(self, values: Values | None = None) -> str:
        """Return the inner text, or its value."""
        if values is None:
            return self.inner.render()
        value = self.inner.evaluate(values)
        return str(value) if value >= 0 else f"({value})"


def to_expression(value: Expression | int) -> Expression:
    """Return an integer as a node, a node as it is."""
    return value if isinstance(value, Expression) else Number(value)


def floor(top: Expression, bottom: Expression) -> Rounded:
    """Return ``floor(top/bottom)``."""
    return Rounded("floor", top, bottom)


def ceil(top: Expression, bottom: Expression) -> Rounded:
    """Return ``ceil(top/bottom)``."""
    return Rounded("ceil", top, bottom)


def least(*choices: Expression) -> Extreme:
    """Return ``min(...)``."""
    return Extreme("min", choices)


def greatest(*choices: Expression) -> Extreme:
    """Return ``max(...)``."""
    return Extreme("max", choices)


def multiply(*factors: Expression) -> Expression:
    """Return the product of at least one factor."""
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product


@dataclass(frozen=True)
class Formula:
    """A quantity and how it is computed.

    Args:
        quantity: what the result is, such as ``H_out``.
        body: the expression.
    """

    quantity: str
    body: Expression

    def derive(self, **values: int) -> "Derivation":
        """Compute the formula for ``values`` and keep how."""
        return Derivation(self, tuple(values.items()), self.body.evaluate(values))


@dataclass(frozen=True)
class Derivation:
    """A number with the formula and the values it came from.

    Args:
        formula: the formula.
        values: name and value of everything the formula names.
        result: the exact integer.
    """

    formula: Formula
    values: tuple[tuple[str, int], ...]
    result: int

    def render(self) -> str:
        """Return ``quantity = formula = substitution = result``, without repetition."""
        body = self.formula.body
        substituted = body.render(dict(self.values))
        parts = [self.formula.quantity, body.render(), substituted, f"{self.result:,}"]
        return " = ".join(dict.fromkeys(parts))

    def list_rounding(self) -> tuple[tuple[str, int, int], ...]:
        """Return direction, remainder and denominator of every rounding that was not exact."""
        values = dict(self.values)
        return tuple(
            (node.direction, node.remainder(values), node.bottom.evaluate(values))
            for node in self.formula.body.walk()
            if isinstance(node, Rounded) and node.remainder(values)
        )


def count(derivation: Derivation | None) -> int:
    """Return a derivation's result, 0 where there is none."""
    return 0 if derivation is None else derivation.result
