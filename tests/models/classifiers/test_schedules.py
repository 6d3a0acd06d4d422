"""Learning rates over a run, against the papers' tables."""

from dataclasses import replace

import pytest

from models.classifiers.presets import Schedule
from models.classifiers.settings import (
    ClassifierSettings,
    choose_rate,
    cosine,
    count_drops,
    has_stalled,
)

SETTINGS = ClassifierSettings(
    network="lenet5",
    config={},
    preset="paper",
    optimizer="sgd",
    learning_rate=0.1,
    schedule="constant",
    epochs=20,
    batch=1,
)


def rate_at(schedule: Schedule, step: int, accuracies: list[float], rate: float = 0.1) -> float:
    """Return the rate of a step of a run with 10 steps per epoch."""
    settings = replace(SETTINGS, schedule=schedule, learning_rate=rate)
    return choose_rate(settings, step=step, steps_per_epoch=10, accuracies=accuracies)


def test_constant_rate_is_constant() -> None:
    """The first and the last step have the same rate."""
    assert rate_at("constant", 0, []) == rate_at("constant", 199, []) == 0.1


def test_cosine_rises_and_falls_to_nothing() -> None:
    """It begins at a fiftieth, peaks after the warm-up, is half between, and ends near zero."""
    assert cosine(0.0) == pytest.approx(0.02)
    assert cosine(0.05) == pytest.approx(1.0)
    assert cosine(0.525) == pytest.approx(0.5)
    assert rate_at("cosine", 199, []) < 1e-3 * 0.1


def test_lecun_rates_are_those_of_the_paper() -> None:
    """0.0005 for two passes, 0.0002 and 0.0001 for three, 0.00005 for four, then 0.00001."""
    found = [rate_at("lecun", 10 * epoch, [], 5e-4) for epoch in range(20)]
    expected = [5e-4] * 2 + [2e-4] * 3 + [1e-4] * 3 + [5e-5] * 4 + [1e-5] * 8
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("accuracies", "drops"),
    [
        ([], 0),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], 0),
        ([0.5, 0.4, 0.4, 0.4, 0.4], 0),
        ([0.5, 0.4, 0.4, 0.4, 0.4, 0.5], 1),
        ([0.5] * 11, 2),
        ([0.5] * 6 + [0.6] * 6, 2),
        ([0.5] * 40, 3),
    ],
)
def test_plateau_drops_after_five_epochs_without_progress(
    accuracies: list[float], drops: int
) -> None:
    """Five epochs that are no better than the best cost a factor of ten, three times at most."""
    assert count_drops(accuracies) == drops
    assert rate_at("plateau", 0, accuracies) == pytest.approx(0.1 * 0.1**drops)


@pytest.mark.parametrize(
    ("accuracies", "patience", "stalled"),
    [
        ([0.5] * 9, 0, False),
        ([0.5, 0.5], 2, False),
        ([0.5, 0.5, 0.5], 2, True),
        ([0.5, 0.4, 0.6], 2, False),
        ([0.6, 0.7, 0.6, 0.7], 2, True),
    ],
)
def test_patience_counts_epochs_since_the_best(
    accuracies: list[float], patience: int, *, stalled: bool
) -> None:
    """A run stalls when its last epochs brought nothing better than one before them."""
    assert has_stalled(accuracies, patience) is stalled
