"""The parts of ``impasto bench``: the worker's answers, statistics, ends of processes."""

import json
import signal
from pathlib import Path

import pytest

from runner.bench.combinations import Combination
from runner.bench.processes import Laboratory, read_answer
from runner.bench.results import Measurement, align, find_tenths, format_number
from runner.bench.worker import FEWEST_RUNS, WARM_UP_RUNS, answer, time_runs
from runner.model import COLLECTION

COMBINATION = Combination(
    model=str(COLLECTION),
    file=str(COLLECTION),
    provider="cpu",
    precision="fp32",
    shape=(2, 32, 32, 3),
    threads=1,
)
REQUEST = {"provider": "cpu", "precision": "fp32", "threads": 1, "seconds": 0.0}


def test_time_runs_warms_up_first() -> None:
    """Some runs are thrown away, and at least three are kept however little time there is."""
    runs: list[int] = []
    times = time_runs(lambda: runs.append(1), 0.0)
    assert len(times) == FEWEST_RUNS
    assert len(runs) >= FEWEST_RUNS + WARM_UP_RUNS
    assert min(times) >= 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "missing.onnx"}, "missing.onnx: no such model file"),
        ({"shape": (1, 32, 32, 5)}, "ONNX Runtime cannot run it ("),
        ({"shape": (10**6, 10**6, 10**6, 3)}, "enough memory; try a smaller size"),
    ],
)
def test_the_worker_answers_with_its_error(
    changes: dict[str, object], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong comes back as one line instead of times."""
    monkeypatch.chdir(tmp_path)
    found = answer(REQUEST | {"model": str(COLLECTION), "shape": (1, 32, 32, 3)} | changes)
    assert found.keys() == {"error"}
    assert words in found["error"]
    assert "\n" not in found["error"]


def test_the_laboratory_starts_a_worker() -> None:
    """A process of its own measures and answers."""
    found = Laboratory().measure(COMBINATION, 0.0)
    assert found.keys() == {"run_s", "open_s", "peak_bytes"}
    assert len(found["run_s"]) >= FEWEST_RUNS


def test_a_stopped_laboratory_measures_nothing() -> None:
    """A signal that came before the worker ends it all the same."""
    laboratory = Laboratory()
    laboratory.stop()
    assert "error" in laboratory.measure(COMBINATION, 600.0)


@pytest.mark.parametrize(
    ("status", "words", "told"),
    [
        (-signal.SIGKILL, b"", "the process was killed, mostly for want of memory; try a smal"),
        (1, b"Traceback\nImportError: no\n", "the process ended with status 1: ImportError: no"),
        (-signal.SIGSEGV, b"", "the process ended with status -11: without a word"),
    ],
)
def test_the_end_of_a_worker_is_told(status: int, words: bytes, told: str) -> None:
    """A worker that gave no answer is described by how it ended."""
    assert read_answer(status, b"", words)["error"].startswith(told)
    assert read_answer(0, json.dumps({"run_s": [1]}).encode(), b"") == {"run_s": [1]}


def test_figures_are_per_picture() -> None:
    """Two pictures per run halve the time of a run; three turns are taken together."""
    measurement = Measurement(COMBINATION)
    for times, peak in (([0.010, 0.020], 2**20), ([0.030], 3 * 2**20), ([0.040, 0.050], None)):
        measurement.add({"run_s": times, "open_s": times[0], "peak_bytes": peak})
    figures = measurement.summarize()
    assert figures is not None
    assert figures["ms"] == {
        "low": pytest.approx(7.0),
        "median": pytest.approx(15.0),
        "high": pytest.approx(23.0),
    }
    assert figures["pictures_per_second"] == pytest.approx(1000 / 15)
    assert (figures["runs"], figures["peak_mib"]) == (5, 3.0)
    assert figures["open_ms"] == pytest.approx(30.0)


def test_nothing_measured_has_no_figures() -> None:
    """A combination that failed has an error and no times."""
    measurement = Measurement(COMBINATION)
    measurement.add({"error": "no"})
    assert (measurement.summarize(), measurement.error) == (None, "no")


def test_tenths_are_those_of_the_values() -> None:
    """Of 0 to 10 they are 1, 5 and 9; of one value it is that value."""
    assert find_tenths([float(value) for value in range(11)]) == (1.0, 5.0, 9.0)
    assert find_tenths([4.0]) == (4.0, 4.0, 4.0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.01234, "0.012")],
)
def test_numbers_have_about_three_digits(value: float, text: str) -> None:
    """Enough for what machines repeat."""
    assert format_number(value) == text


def test_columns_stand_under_each_other() -> None:
    """Numbers to the right, words to the left."""
    rows = [("size", "provider", "x"), ("9", "cpu", "10"), ("100", "openvino", "3")]
    assert align(rows) == ["size  provider  x", "   9  cpu       10", " 100  openvino  3"]
