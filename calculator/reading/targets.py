"""Where a user's module is: ``package.module:attribute``, imported from the current folder too."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType, TracebackType

from calculator.errors import CalculatorError, list_nearest, suggest

LONGEST_TARGET = 300
LONGEST_QUOTE = 240
MOST_NAMES = 8  # that an error lists
MISSING_TORCH = (
    "reading a PyTorch module needs PyTorch, which is not installed; "
    "run pip install '.[train]' in Impasto's folder"
)


@dataclass(frozen=True)
class Target:
    """The place of an object.

    Args:
        module: to import, such as ``mypackage.nets``.
        attribute: to take from it, such as ``Net`` or ``models.small``.
    """

    module: str
    attribute: str

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}"


def read_target(text: str) -> Target:
    """Read ``module:attribute``; both may have dots.

    Raises:
        CalculatorError: the text is of another form.
    """
    module, colon, attribute = text.partition(":")
    names = [*module.split("."), *attribute.split(".")]
    if not colon or len(text) > LONGEST_TARGET or not all(name.isidentifier() for name in names):
        shown = "".join(c if c.isprintable() else " " for c in text[:60])
        message = f"{shown!r} must be module:attribute, such as mypackage.nets:Net"
        raise CalculatorError(message)
    if module.endswith(".py"):
        message = f"{text!r} must be module:attribute, such as {text.replace('.py:', ':')}"
        raise CalculatorError(message)
    return Target(module, attribute)


@contextmanager
def import_from_here() -> Iterator[None]:
    """Let imports find the current folder, as ``python -m`` does, and keep standard output clean.

    What the user's code prints goes to standard error, so that a report stays one.
    """
    here = str(Path.cwd())
    sys.path.insert(0, here)
    invalidate_caches()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path.remove(here)


def find_object(target: Target) -> object:
    """Import the module and take the attribute.

    Raises:
        CalculatorError: there is no such module or attribute, or importing it raised.
    """
    found: object = import_target(target)
    path = target.module
    for name in target.attribute.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            message = f"{target}: {path} has no {name!r}; {list_public(found, name)}"
            raise CalculatorError(message) from error
        path += f".{name}"
    return found


def import_target(target: Target) -> ModuleType:
    """Import the module, whatever its code raises.

    Raises:
        CalculatorError: it does not exist, or raised.
    """
    try:
        return import_module(target.module)
    except ModuleNotFoundError as error:
        if error.name == "torch":
            raise CalculatorError(MISSING_TORCH) from error
        if error.name and f"{target.module}.".startswith(f"{error.name}."):
            raise CalculatorError(describe_absence(target, error.name)) from error
        raise CalculatorError(describe_raise(f"{target}: importing it", error)) from error
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise CalculatorError(describe_raise(f"{target}: importing it", error)) from error


def describe_absence(target: Target, missing: str) -> str:
    """Say that a module cannot be found, and which is most like it."""
    parent, _, name = missing.rpartition(".")
    known = list_modules(parent)
    where = parent or "the current folder and the installed packages"
    return f"{target}: there is no module {name!r} in {where}{suggest(name, known)}"


def list_modules(parent: str) -> list[str]:
    """Return the modules of a package, or those of the current folder."""
    from pkgutil import iter_modules  # noqa: PLC0415 - only when something is wrong

    folders = [str(Path.cwd())]
    if parent:
        folders = list(getattr(sys.modules.get(parent), "__path__", []))
    return [module.name for module in iter_modules(folders)]


def list_public(holder: object, name: str) -> str:
    """Return what else there is, the names most like ``name`` first."""
    known = [other for other in dir(holder) if not other.startswith("_")]
    if not known:
        return "it has no public names"
    nearest = list_nearest(name, known).split(", ")
    more = ", ..." if len(nearest) > MOST_NAMES else ""
    return f"choose from: {', '.join(nearest[:MOST_NAMES])}{more}"


def describe_raise(what: str, error: BaseException) -> str:
    """Return what raised, the exception on one line, and the line of code it came from."""
    text = " ".join(str(error).split())
    if len(text) > LONGEST_QUOTE:
        text = f"{text[:LONGEST_QUOTE]}..."
    kind = type(error).__name__
    return f"{what} raised {kind}{f': {text}' if text else ''}{locate(error.__traceback__)}"


def locate(traceback: TracebackType | None) -> str:
    """Return file and line of the last call outside of installed packages, in parentheses."""
    here, place = str(Path.cwd()), ""
    while traceback is not None:
        path = traceback.tb_frame.f_code.co_filename
        if path.startswith(here) and "site-packages" not in path:
            place = f" ({Path(path).name}, line {traceback.tb_lineno})"
        traceback = traceback.tb_next
    return place
