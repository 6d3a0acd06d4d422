"""The options of ``impasto serve``."""

from dataclasses import fields

import click
from click.testing import CliRunner

from runner.service.cli import OPTIONS, serve
from runner.service.settings import ServiceSettings


def test_every_setting_has_its_option() -> None:
    """No setting is left out, and none is invented."""
    assert sorted(name for name, _, _ in OPTIONS) == sorted(f.name for f in fields(ServiceSettings))


def test_defaults_are_those_of_the_settings() -> None:
    """Without options the settings are the settings' own."""
    context = serve.make_context("serve", [])
    assert ServiceSettings(**context.params) == ServiceSettings()


def test_options_reach_the_settings() -> None:
    """Texts become numbers, repeated options tuples, flags truth."""
    line = "--port 0 --max-delay-ms 1.5 --preferred-size 8 --preferred-size 16 --allow-control"
    context = serve.make_context("serve", [*line.split(), "--origin", "https://a.example"])
    found = ServiceSettings(**context.params)
    assert (found.port, found.max_delay_ms, found.allow_control) == (0, 1.5, True)
    assert found.preferred_sizes == (8, 16)
    assert found.origins == ("https://a.example",)


def test_the_help_tells_the_defaults() -> None:
    """Every bound is told with its default, in sentences."""
    result = CliRunner().invoke(serve, ["--help"], terminal_width=80)
    assert result.exit_code == 0
    assert "[default: 127.0.0.1]" in result.stdout
    assert isinstance(serve, click.Command)
    assert all(text.endswith(".") for _, _, text in OPTIONS)
