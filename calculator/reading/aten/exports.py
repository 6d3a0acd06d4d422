"""Exported graphs of PyTorch put into plain Python; nothing here imports PyTorch."""

from typing import Any, TypeAlias

from calculator.layers.shapes import Shape
from calculator.reading.aten.graph import ATTENTION, NORM
from calculator.reading.aten.steps import Ref, Role, Step, Trace, Weight

# PyTorch's own types, which are not imported here
Module: TypeAlias = Any
ExportedProgram: TypeAlias = Any
FxNode: TypeAlias = Any
ROLES: dict[str, Role] = {"PARAMETER": "parameter", "BUFFER": "buffer"}


class Reader:
    """Put an exported graph into plain Python."""

    def __init__(self, module: Module, exported: ExportedProgram) -> None:
        self.exported = exported
        self.keys = {
            name: id(tensor)
            for named in (module.named_parameters, module.named_buffers)
            for name, tensor in named(remove_duplicate=False)
        }
        # a parametrized layer has modules inside, and is one layer nevertheless
        self.leaves = {
            path
            for path, inner in module.named_modules()
            if {name for name, _ in inner.named_children()} <= {"parametrizations"}
        }

    def read(self) -> Trace:
        """Return the weights, the steps and the outputs."""
        graph, weights = self.exported.graph, self.read_weights()
        (entry,) = (n for n in graph.nodes if n.op == "placeholder" and n.name not in weights)
        (output,) = (node for node in graph.nodes if node.op == "output")
        steps = [self.read_step(node) for node in graph.nodes if node.op == "call_function"]
        return Trace(
            entry.name,
            to_shape(entry.meta["val"]),
            weights,
            tuple(step for step in steps if step.shapes),
            tuple(node.name for node in output.all_input_nodes),
        )

    def read_weights(self) -> dict[str, Weight]:
        """Return the tensors that the graph is given besides its input."""
        weights = {}
        specs = {spec.arg.name: spec for spec in self.exported.graph_signature.input_specs}
        for node in self.exported.graph.nodes:
            kind = specs[node.name].kind.name if node.name in specs else ""
            if node.op == "get_attr" or (node.op == "placeholder" and kind != "USER_INPUT"):
                target = specs[node.name].target if kind else None
                key = self.keys.get(target or "", id(node))
                shape = to_shape(node.meta.get("val"))
                weights[node.name] = Weight(key, shape, ROLES.get(kind, "constant"))
        return weights

    def read_step(self, node: FxNode) -> Step:
        """Return one operation."""
        value: Any = node.meta.get("val")
        path, call = self.find_call(node)
        many = isinstance(value, list | tuple)
        name = getattr(node.target, "_opname", getattr(node.target, "__name__", str(node.target)))
        return Step(
            node.name,
            name.removesuffix("_"),  # in-place functions; later steps refer to their results
            read_arguments(node),
            tuple(to_shape(item) for item in value) if many else list_shape(value),
            many=many,
            pointwise=any(str(tag) == "Tag.pointwise" for tag in getattr(node.target, "tags", ())),
            path=path,
            leaf=path in self.leaves,
            call=call,
        )

    def find_call(self, node: FxNode) -> tuple[str, tuple[str, str]]:
        """Return the path of the module that runs, and the composite function, if it is in one."""
        stack = node.meta.get("nn_module_stack") or {"": ("", "")}
        key, (path, kind) = list(stack.items())[-1]
        call, function = node.meta.get("torch_fn") or ("", "")
        if str(kind).startswith("torch.nn.") and str(kind).endswith("MultiheadAttention"):
            return path, (key, ATTENTION)
        if function.endswith(NORM):
            return path, (f"{key} {call}", NORM)
        return path, ("", "")


def read_arguments(node: FxNode) -> dict[str, Any]:
    """Return the arguments by name, defaults included."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        names = ("self", "index") if len(node.args) == 2 else map(str, range(len(node.args)))
        return dict(zip(names, map(to_plain, node.args), strict=True))
    values = {a.name: a.default_value for a in schema.arguments if a.has_default_value()}
    values.update(zip((a.name for a in schema.arguments), node.args, strict=False))
    return {name: to_plain(value) for name, value in {**values, **node.kwargs}.items()}


def to_plain(value: Any) -> Any:  # noqa: ANN401 - arguments are of any type
    """Return an argument with the graph's nodes as references."""
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return Ref(value.name) if hasattr(value, "all_input_nodes") else value


def list_shape(value: Any) -> tuple[Shape, ...]:  # noqa: ANN401 - a tensor or anything else
    """Return the shape of a tensor; nothing for what is none."""
    return (to_shape(value),) if hasattr(value, "shape") else ()


def to_shape(value: Any) -> Shape:  # noqa: ANN401 - a tensor or anything else
    """Return the shape of a tensor, ``()`` for what is none."""
    return tuple(int(side) for side in getattr(value, "shape", ()))
