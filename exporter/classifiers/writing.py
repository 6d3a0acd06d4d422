"""A chain of ONNX nodes as it grows: the current tensor, its precision, geometry and weights."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from exporter.classifiers.geometry import Geometry
from exporter.classifiers.storage import Weight
from exporter.errors import ExportError


@dataclass(frozen=True)
class Tap:
    """A layer's output that a file may show.

    Attributes:
        name: of the layer, such as ``conv1_1``.
        kind: ``conv``, ``maxpool``, ``avgpool``, ``subsample`` or ``fc``.
        tensor: in the graph: behind the layer's normalisation and activation.
        geometry: of that tensor.
    """

    name: str
    kind: str
    tensor: str
    geometry: Geometry


class Writing:
    """Nodes one after another, each reading what the one before it returned.

    Args:
        tensor: where the chain begins, float32 ``[N, C, H, W]``.
        geometry: of that tensor.
        half: whether products are computed with float16 weights.
    """

    def __init__(self, tensor: str, geometry: Geometry, *, half: bool = False) -> None:
        self.tensor = tensor
        self.geometry = geometry
        self.element: int = TensorProto.FLOAT  # of the current tensor
        self.preferred = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        self.nodes: list[NodeProto] = []
        self.weights: dict[str, Weight] = {}
        self.taps: list[Tap] = []

    def append(self, operator: str, name: str, *others: str, **attributes: Any) -> str:  # noqa: ANN401
        """Add a node that reads the current tensor; what it returns is current from now on.

        Args:
            operator: of ONNX.
            name: of the node; its tensor is ``<name>/out``.
            others: further inputs.
            attributes: of the operator.

        Raises:
            ExportError: a node has that name already.
        """
        output = f"{name}/out"
        if any(node.name == name for node in self.nodes):
            message = f"two layers are called {name!r}; give each a name of its own"
            raise ExportError(message)
        inputs = [self.tensor, *others]
        self.nodes.append(helper.make_node(operator, inputs, [output], name, **attributes))
        self.tensor = output
        return output

    def store(self, name: str, values: NDArray[Any], element: int | None = None) -> str:
        """Add a constant and return its name.

        Args:
            name: of the tensor.
            values: any shape; not copied.
            element: of ``TensorProto.DataType``; by default what the current tensor has.

        Raises:
            ExportError: there is a constant of that name.
        """
        if name in self.weights:
            message = f"two weights are called {name!r}; give each layer a name of its own"
            raise ExportError(message)
        self.weights[name] = Weight(name, values, self.element if element is None else element)
        return name

    def store_integers(self, name: str, *values: int) -> str:
        """Add a list of integers and return its name."""
        return self.store(name, np.array(values, np.int64), TensorProto.INT64)

    def use_preferred(self, name: str) -> None:
        """Continue in the precision of the products, behind a Cast where it is another."""
        self.cast(name, self.preferred)

    def use_float(self, name: str) -> None:
        """Continue in float32, behind a Cast where the current tensor is float16."""
        self.cast(name, TensorProto.FLOAT)

    def cast(self, name: str, element: int) -> None:
        """Continue in another type; nothing where it is that already."""
        if element != self.element:
            suffix = TensorProto.DataType.Name(element).lower()
            self.append("Cast", f"{name}/{suffix}", to=element)
            self.element = element

    def begin_tap(self, name: str, kind: str) -> None:
        """Note the current tensor as what a layer returns."""
        self.taps.append(Tap(name, kind, self.tensor, self.geometry))

    def extend_tap(self) -> None:
        """Let the last layer's normalisation or activation count as part of it."""
        if self.taps:
            last = self.taps[-1]
            self.taps[-1] = Tap(last.name, last.kind, self.tensor, self.geometry)
