"""Patterns of operations: what a formula looks like once an exporter has taken it apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isclose

from calculator.reading.onnx_file.values import Operation, Value

COMMUTATIVE = {"Add", "Mul", "Max", "Min"}
MOST_CHAIN = 12


@dataclass(frozen=True)
class Of:
    """An operation on operands.

    Args:
        kind: name of the operator, or several with bars between them.
        operands: an ``Of``, the name of a tensor that may come up again, or the number that
            a constant is; None for any constant number.
    """

    kind: str
    operands: "tuple[Pattern, ...]"


@dataclass(frozen=True)
class Chain:
    """One or more operations of certain kinds, each on the one before.

    Args:
        kinds: names of operators.
        end: what the first of them reads.
    """

    kinds: frozenset[str]
    end: "Pattern"


@dataclass(frozen=True)
class Named:
    """A part that comes up again under a name.

    Args:
        name: of the tensor.
        pattern: how it is made.
    """

    name: str
    pattern: "Pattern"


Pattern = Of | Chain | Named | str | float | None


def of(kind: str, *operands: "Pattern") -> Of:
    """Return a pattern of an operation on operands."""
    return Of(kind, operands)


@dataclass
class Match:
    """What a pattern has been found to stand for.

    Args:
        names: tensors by their names in the pattern.
        operations: all that are part of it.
    """

    names: dict[str, str] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)

    def copy(self) -> "Match":
        """Return a match that can be extended apart from this one."""
        return Match(dict(self.names), list(self.operations))


class Matcher:
    """Compares patterns with what makes a tensor.

    Args:
        values: every tensor.
        makers: the operation behind every tensor.
    """

    def __init__(self, values: Mapping[str, Value], makers: Mapping[str, Operation]) -> None:
        self.values = values
        self.makers = makers

    def match(self, pattern: Pattern, name: str, *, found: Match) -> Match | None:
        """Return ``found`` with what makes the tensor added; None if it is made otherwise."""
        if pattern is None or isinstance(pattern, (int, float)):
            return found if self.is_number(name, pattern) else None
        if isinstance(pattern, str):
            return self.bind(pattern, name, found=found)
        if isinstance(pattern, Named):
            return self.match_named(pattern, name, found=found)
        maker = self.makers.get(name)
        if maker is None:
            return None
        match = self.match_chain if isinstance(pattern, Chain) else self.match_operation
        return match(pattern, maker, found=found)  # type: ignore[arg-type]

    def match_named(self, pattern: Named, name: str, *, found: Match) -> Match | None:
        """Match a part the first time, compare it with the first every other time."""
        if pattern.name in found.names:
            return self.bind(pattern.name, name, found=found)
        inner = self.match(pattern.pattern, name, found=found)
        return None if inner is None else self.bind(pattern.name, name, found=inner)

    def match_operation(self, pattern: Of, maker: Operation, *, found: Match) -> Match | None:
        """Try the operands in the order in which they stand, then the other way round."""
        if maker.kind not in pattern.kind.split("|") or len(maker.inputs) < len(pattern.operands):
            return None
        orders = [pattern.operands]
        if maker.kind in COMMUTATIVE and len(pattern.operands) == 2:
            orders.append(pattern.operands[::-1])
        for operands in orders:
            extended: Match | None = found.copy()
            for operand, source in zip(operands, maker.inputs, strict=False):
                extended = None if extended is None else self.match(operand, source, found=extended)
            if extended is not None:
                extended.operations.append(maker)
                return extended
        return None

    def match_chain(self, pattern: Chain, maker: Operation, *, found: Match) -> Match | None:
        """Walk down the chain as far as its kinds go."""
        extended = found.copy()
        for _ in range(MOST_CHAIN):
            if maker.kind not in pattern.kinds:
                break
            extended.operations.append(maker)
            below = self.makers.get(maker.inputs[0])
            if below is None:
                return None
            maker = below
        if len(extended.operations) == len(found.operations):
            return None
        return self.match(pattern.end, maker.outputs[0], found=extended)

    def bind(self, name: str, tensor: str, *, found: Match) -> Match | None:
        """Give a tensor a name, or compare it with the one that has it; it is no constant."""
        if name in found.names:
            return found if found.names[name] == tensor else None
        if tensor not in self.values or self.values[tensor].is_constant:
            return None
        found = found.copy()
        found.names[name] = tensor
        return found

    def is_number(self, name: str, number: float | None) -> bool:
        """Return whether a tensor is a constant of one element, and that number."""
        value = self.values.get(name)
        if value is None or value.array is None or value.array.size != 1:
            return False
        if number is None:
            return True
        return isclose(float(value.array.reshape(-1)[0]), number, rel_tol=2e-3)
