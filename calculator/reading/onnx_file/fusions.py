"""Operations put together again that are one layer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from calculator.layers.convolutions import Conv, DepthwiseConv, TransposedConv
from calculator.reading.onnx_file.expressions import Match, Matcher
from calculator.reading.onnx_file.idioms import IDIOMS
from calculator.reading.onnx_file.shuffles import find_blocks, find_shuffle, find_view
from calculator.reading.onnx_file.survey import Survey
from calculator.reading.onnx_file.values import Operation

PRODUCTS = {"MatMul", "Gemm", "MatMulInteger", "QLinearMatMul"}
WEIGHTED = (Conv, DepthwiseConv, TransposedConv)


def fuse(survey: Survey) -> list[Operation]:
    """Return the operations with known groups replaced by one, and unneeded ones gone."""
    fuser = Fuser(survey)
    for operation in survey.operations:
        fuser.take(operation)
    return drop_unneeded(fuser.operations, survey.outputs)


def drop_unneeded(operations: Sequence[Operation], outputs: Sequence[str]) -> list[Operation]:
    """Return the operations that the outputs depend on."""
    needed, kept = set(outputs), []
    for operation in reversed(operations):
        if needed.intersection(operation.outputs):
            kept.append(operation)
            needed.update(operation.inputs)
    return kept[::-1]


class Fuser:
    """Looks behind every operation for a group that it ends.

    Args:
        survey: of the file.
    """

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.values = survey.values
        self.operations: list[Operation] = []
        self.makers: dict[str, Operation] = {}
        self.matcher = Matcher(self.values, self.makers)
        self.uses = Counter(survey.outputs)
        for operation in survey.operations:
            self.uses.update(name for name in operation.inputs if name)

    def take(self, operation: Operation) -> None:
        """Add an operation, or the layer that it ends."""
        fused = (
            self.find_idiom(operation)
            or self.find_bias(operation)
            or self.find_group(operation)
            or operation
        )
        self.operations.append(fused)
        for name in fused.outputs:
            self.makers[name] = fused

    def find_idiom(self, operation: Operation) -> Operation | None:
        """Return the layer of which this is the last operation."""
        for patterns, make in IDIOMS:
            for pattern in patterns:
                if pattern.kind != operation.kind:
                    continue
                match = self.matcher.match_operation(pattern, operation, found=Match())
                if match is None or not self.is_closed(match.operations):
                    continue
                layer = make(self.matcher, match)
                if layer is not None:
                    folder, _, _ = operation.name.rpartition("/")  # the last part says Mul
                    source = (match.names["x"],)
                    return Operation(layer.kind, folder, source, operation.outputs, {}, layer)
        return None

    def is_closed(self, operations: Sequence[Operation]) -> bool:
        """Return whether nothing else reads what the inner operations return."""
        unique = {operation.outputs[0]: operation for operation in operations}
        reads = Counter(name for operation in unique.values() for name in operation.inputs)
        *inner, _ = unique.values()  # the outermost is matched last
        return all(
            self.uses[name] == reads[name] for operation in inner for name in operation.outputs
        )

    def find_bias(self, operation: Operation) -> Operation | None:
        """Return the product or convolution to which this adds one constant per channel."""
        if operation.kind != "Add" or len(operation.inputs) != 2:
            return None
        for source, bias in (operation.inputs, operation.inputs[::-1]):
            maker, value = self.makers.get(source), self.values[bias]
            if maker is None or not value.is_constant or self.uses[source] != 1:
                continue
            if self.is_bias(maker, source, sizes=value.sizes):
                layer = maker.layer
                if isinstance(layer, WEIGHTED):
                    layer = replace(layer, bias=True)
                return replace(maker, outputs=operation.outputs, layer=layer, added_bias=bias)
        return None

    def is_bias(self, maker: Operation, source: str, *, sizes: tuple[int, ...]) -> bool:
        """Return whether a constant of these sizes is the missing bias of a layer."""
        made = self.values[source].sizes
        if maker.added_bias:
            return False
        if isinstance(maker.layer, WEIGHTED) and not maker.layer.bias:
            axes = len(made) - 2
            return sizes in ((made[1], *(1,) * axes), (1, made[1], *(1,) * axes))
        has_bias = maker.kind == "Gemm" and maker.find_input(2)
        if maker.kind not in PRODUCTS or has_bias or len(made) != 2:
            return False
        weight = self.values[maker.inputs[3 if maker.kind == "QLinearMatMul" else 1]]
        return weight.is_constant and sizes in ((made[1],), (1, made[1]))

    def find_group(self, operation: Operation) -> Operation | None:
        """Return the pixel shuffle or the normalisation that a reshaping ends."""
        if operation.kind != "Reshape":
            return None
        for find in (find_view, find_shuffle, find_blocks):
            found = find(operation, self.makers, values=self.values)
            if found is not None:
                group, fused = found
                return fused if self.is_closed([*group, operation]) else None
        return None
