"""Settings that make no sense are refused before anything is served."""

from pathlib import Path
from typing import Any

import pytest

from runner.processors import count_processors
from runner.service import errors
from runner.service.settings import REAL, WHOLE, ServiceSettings


def test_defaults_are_safe() -> None:
    """By default only this machine may ask, nobody may control, and no web page may read."""
    settings = ServiceSettings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert not settings.allow_control
    assert settings.origins == ()


@pytest.mark.parametrize(("threads", "workers"), [(1, count_processors()), (1024, 1)])
def test_workers_and_threads_fill_the_processors(threads: int, workers: int) -> None:
    """By default there are as many runs at once as their threads leave processors for."""
    assert ServiceSettings(threads=threads).workers == workers


@pytest.mark.parametrize("name", [*WHOLE, *REAL])
def test_numbers_are_bounded(name: str) -> None:
    """Every number has a range, and what is no number is refused."""
    least, most = (WHOLE | REAL)[name]
    value: Any  # of whatever type
    for value in (least, most):
        assert getattr(ServiceSettings(**{name: value}), name) in {value, count_processors()}
    for value in (least - 1, most + 1, float("nan"), float("inf")):
        with pytest.raises(errors.SettingsError, match=f"{name} .* must (lie between|be a whole)"):
            ServiceSettings(**{name: value})
    for value in ("1", True, [1]):
        with pytest.raises(errors.SettingsError, match=f"{name} .* must be a (whole )?number"):
            ServiceSettings(**{name: value})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"provider": "tpu"}, "provider 'tpu' is unknown; choose auto, cpu, cuda, openvino"),
        ({"precision": "int4"}, "precision 'int4' is unknown; choose auto, fp32, int8, fp16, bf16"),
        (
            {"preferred_sizes": (4, 65)},
            "preferred size 65 must lie between 1 and the largest batch, 64",
        ),
        ({"preferred_sizes": (0,)}, "preferred size 0 must lie between 1"),
        ({"models": Path("nowhere")}, "models nowhere: no such folder"),
        ({"host_names": ("http://a.example",)}, "host name 'http://a.example' must be letters"),
        ({"max_batch": 1.5}, "max_batch 1.5 must be a whole number"),
    ],
)
def test_choices_are_checked(settings: dict[str, Any], message: str) -> None:
    """What is not among the choices is refused, as a wrong use of the command."""
    with pytest.raises(errors.SettingsError, match=message) as caught:
        ServiceSettings(**settings)
    assert caught.value.exit_code == 2


def test_every_error_has_a_status_of_its_own() -> None:
    """Each way to fail has one HTTP status, and may say when to come again."""
    kinds = errors.ServiceError.__subclasses__()
    assert sorted(kind.status for kind in kinds) == [
        400, 401, 404, 408, 413, 429, 500, 501, 503, 504,
    ]  # fmt: skip
    assert errors.Overloaded("full", 3).retry_after_s == 3
    assert errors.Failed("broken").retry_after_s is None
    assert str(errors.Failed("broken")) == "broken"
