"""What is public: names, docstrings, the version."""

import importlib
import inspect
import pkgutil
from importlib.metadata import version
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

import runner
from impasto import COMMANDS, main

MODULES = sorted(module.name for module in pkgutil.walk_packages(runner.__path__, "runner."))


def test_the_runners_names_are_pinned() -> None:
    """The public names change on purpose only."""
    assert runner.__all__ == ["Classifier", "ImpastoError", "Prediction", "Style", "Stylizer"]


@pytest.mark.parametrize("name", runner.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """A public name resolves to a documented class."""
    assert inspect.isclass(getattr(runner, name))
    assert inspect.getdoc(getattr(runner, name))


def test_other_names_are_not_there() -> None:
    """Asking the package for another name is the usual error."""
    with pytest.raises(AttributeError, match=r"module 'runner' has no attribute 'Sculptor'"):
        runner.Sculptor  # noqa: B018


def list_undocumented(module: ModuleType) -> list[str]:
    """Return the public names defined in ``module``, and their methods, without a docstring."""
    missing = [] if module.__doc__ else [module.__name__]
    for name, thing in vars(module).items():
        defined_here = getattr(thing, "__module__", None) == module.__name__
        if name.startswith("_") or not defined_here:
            continue
        if isinstance(thing, click.Command):
            missing += [] if thing.help else [name]
        elif inspect.isfunction(thing) or inspect.isclass(thing):
            missing += [] if has_own_docstring(thing) else [name]
        if inspect.isclass(thing):
            missing += [
                f"{name}.{method}"
                for method, value in vars(thing).items()
                if not method.startswith("_")
                and (inspect.isfunction(value) or isinstance(value, property | classmethod))
                and not value.__doc__
            ]
    return missing


def has_own_docstring(thing: object) -> bool:
    """Tell whether somebody wrote one: a dataclass without gets its signature."""
    text = thing.__doc__ or ""
    return bool(text) and not text.startswith(f"{getattr(thing, '__name__', '')}(")


@pytest.mark.parametrize("name", ["impasto", *MODULES])
def test_every_public_name_has_a_docstring(name: str) -> None:
    """Every module, class, function, method and command says what it promises."""
    assert list_undocumented(importlib.import_module(name)) == []


def test_the_search_for_docstrings_can_fail() -> None:
    """A function without a docstring is found."""
    module = ModuleType("runner.bare", "A module.")
    exec("def bare(): pass\nclass Bare:\n  def method(self): pass", vars(module))  # noqa: S102
    vars(module)["bare"].__module__ = vars(module)["Bare"].__module__ = "runner.bare"
    assert list_undocumented(module) == ["bare", "Bare", "Bare.method"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_what_the_front_door_says(command: str) -> None:
    """A listed command can be imported, bears its name and has help of its own."""
    module, attribute, text = COMMANDS[command]
    found = getattr(importlib.import_module(module), attribute)
    assert isinstance(found, click.Command)
    assert found.name == command
    assert found.help
    assert text.endswith(".")


def test_help_lists_every_command_in_80_columns() -> None:
    """The front door's help names each command with its sentence, within 80 columns."""
    result = CliRunner().invoke(main, ["--help"], terminal_width=80)
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f"  {command} " in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_fits_80_columns(command: str) -> None:
    """No line of a command's help is broken by a terminal of 80 columns."""
    result = CliRunner().invoke(main, [command, "--help"], terminal_width=80)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_version_is_the_installed_one() -> None:
    """``impasto --version`` prints what the installed package says of itself."""
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"impasto {version('impasto')}\n")


def test_unknown_commands_are_wrong_usage() -> None:
    """A command that does not exist ends with status 2 and its name."""
    result = CliRunner().invoke(main, ["stylise"])
    assert result.exit_code == 2
    assert "No such command 'stylise'" in result.stderr
