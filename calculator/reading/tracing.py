"""PyTorch modules of the user, exported by ``torch.export`` and read as networks.

This alone imports the user's code and PyTorch, and only when it is called. A class or
function is first called with its weights on PyTorch's meta device, where they take no
memory, and again with real ones only if its code does not bear that. Nothing is computed.
"""

import logging
import warnings
from contextlib import contextmanager, redirect_stderr
from importlib import import_module
from io import StringIO
from types import ModuleType
from typing import TYPE_CHECKING, Any

from calculator.errors import CalculatorError
from calculator.layers.shapes import Shape, render_shape
from calculator.network import Network
from calculator.reading.aten.assembly import assemble
from calculator.reading.aten.exports import Module, Reader
from calculator.reading.aten.steps import Trace
from calculator.reading.sources import check_shape
from calculator.reading.targets import (
    MISSING_TORCH,
    Target,
    describe_raise,
    find_object,
    import_from_here,
    locate,
    read_target,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

DATA_DEPENDENT = "GuardOnDataDependentSymNode"  # its text speaks of PyTorch's inner workings
BRANCHES = (
    "has a branch or a shape that depends on the values of its input, so that one table "
    "cannot tell its layers; leave that part out of what you name"
)


def trace(target: str, *, input_shape: Shape | None = None) -> Network:
    """Read a PyTorch module of the user.

    Imports and runs the user's code, so the target must not come from strangers. The
    module is read in evaluation mode, for one sample of float32 numbers, or of what its
    parameters are. Parameters count as such whether they require gradients or not.

    Args:
        target: ``package.module:attribute``; the current folder is searched too. The
            attribute is an ``nn.Module``, or a class or function that returns one when
            called without arguments.
        input_shape: ``(channels, *sizes)`` or ``(features,)``.

    Returns:
        The network, named after the attribute; layers are named after the modules.

    Raises:
        CalculatorError: there is no such thing, PyTorch is not installed, or the module
            does not take such an input; the message quotes what its code raised.
    """
    place = read_target(target)
    if input_shape is None:
        message = f"{place}: a module does not say what it takes; give --input 3x224x224"
        raise CalculatorError(message)
    check_shape(input_shape)
    with import_from_here():
        found = find_object(place)
        torch = import_torch()
        with be_quiet(torch):
            exported = export_found(found, place, torch=torch, shape=input_shape)
    try:
        return assemble(exported, place.attribute)
    except CalculatorError as error:
        message = f"{place}: {error.message}"
        raise CalculatorError(message) from error


def import_torch() -> ModuleType:
    """Import PyTorch.

    Raises:
        CalculatorError: it is not installed.
    """
    try:
        # by name, so that PyTorch stays forbidden to every other line of this room
        import_module("torch.export")
        return import_module("torch")
    except ModuleNotFoundError as error:
        raise CalculatorError(MISSING_TORCH) from error


@contextmanager
def be_quiet(torch: ModuleType) -> "Iterator[None]":
    """Silence warnings, keep no gradients, and let attention run as the steps it is made of.

    PyTorch also logs a traceback where shapes do not fit; the error says it in one line.
    """
    logged = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(value=False)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(value=fast)
        logging.disable(logged)


def export_found(found: object, target: Target, *, torch: ModuleType, shape: Shape) -> Trace:
    """Return the graph of a module, or of the module that a class or function returns.

    Raises:
        CalculatorError: it is none, or raised.
    """
    if isinstance(found, torch.nn.Module):
        return export_module(found, target, torch=torch, shape=shape)
    build = require_builder(found, target)
    try:
        with torch.device("meta"):
            module = build()
        return export_module(module, target, torch=torch, shape=shape)
    except (Exception, SystemExit):  # noqa: S110, BLE001 - the same again, with real weights
        pass
    try:
        module = build()
    except (Exception, SystemExit) as error:
        raise CalculatorError(describe_raise(f"{target}: calling it", error)) from error
    if not isinstance(module, torch.nn.Module):
        message = (
            f"{target} returns {describe_type(module)}; "
            "name a function that returns an nn.Module, or a module itself"
        )
        raise CalculatorError(message)
    return export_module(module, target, torch=torch, shape=shape)


def require_builder(found: object, target: Target) -> "Callable[[], Any]":
    """Return what can be called without arguments.

    Raises:
        CalculatorError: it cannot.
    """
    if not callable(found):
        message = (
            f"{target} is {describe_type(found)}; "
            "name an nn.Module, or a class or function that returns one"
        )
        raise CalculatorError(message)
    needed = list_arguments(found)
    if needed:
        message = (
            f"{target} needs arguments ({', '.join(needed)}); name an instance of it, "
            "or a function without arguments that returns one"
        )
        raise CalculatorError(message)
    return found


def list_arguments(found: "Callable[..., object]") -> list[str]:
    """Return the names of the arguments without which a class or function cannot be called."""
    from inspect import Parameter, signature  # noqa: PLC0415 - imported by torch in any case

    try:
        parameters = signature(found).parameters.values()
    except (TypeError, ValueError):  # it is written in C and does not say
        return []
    optional = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in optional]


def describe_type(found: object) -> str:
    """Return ``a list`` for a list."""
    name = type(found).__name__ if not isinstance(found, ModuleType) else "Python module"
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def export_module(module: Module, target: Target, *, torch: ModuleType, shape: Shape) -> Trace:
    """Return the graph of a module in evaluation mode; the module is left as it was.

    Raises:
        CalculatorError: it raised; the message names the module inside that did.
    """
    tensors = (*module.parameters(), *module.buffers())
    held = next((tensor for tensor in tensors if tensor.is_floating_point()), None)
    like = {} if held is None else {"dtype": held.dtype, "device": held.device}
    modes = [(inner, inner.training) for inner in module.modules()]
    try:
        x = torch.empty(1, *shape, **like)
        module.eval()
        if any(torch.nn.parameter.is_lazy(parameter) for parameter in module.parameters()):
            module(x)  # modules such as LazyLinear learn their shapes from a first run
        with redirect_stderr(StringIO()):  # where PyTorch prints half a graph if it fails
            exported = torch.export.export(module, (x,), strict=False)
        return Reader(module, exported).read()
    except (Exception, SystemExit) as error:
        inside = find_raising(module, error.__traceback__)
        subject = f"{target}: with input {render_shape(shape)}, {inside}"
        if type(error).__name__ == DATA_DEPENDENT:
            message = f"{subject} {BRANCHES}{locate(error.__traceback__)}"
            raise CalculatorError(message) from error
        raise CalculatorError(describe_raise(subject, error)) from error
    finally:
        for inner, training in modes:
            inner.training = training


def find_raising(module: Module, traceback: "TracebackType | None") -> str:
    """Return the innermost module that was running, such as ``features.0 (Conv2d)``."""
    paths = {id(inner): path for path, inner in module.named_modules()}
    found = ""
    while traceback is not None:
        running = traceback.tb_frame.f_locals.get("self")
        path = paths.get(id(running))
        if path:
            found = f"{path} ({type(running).__name__})"
        traceback = traceback.tb_next
    return found or f"its {type(module).__name__}"
