"""``impasto bench``: what it measures, prints and refuses. Never how long anything takes."""

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from runner.model import COLLECTION, SHIPPED
from runner.session import list_providers

Impasto = Callable[..., Result]
Process = subprocess.Popen[bytes]
Start = Callable[..., Process]
QUICK = ("--seconds", "0.001", "--provider", "cpu")


def read_report(result: Result) -> dict[str, Any]:
    """Return the report of ``--json``."""
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def list_results(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return size, provider and precision of every result, in order."""
    keys = ("width", "height", "provider", "precision")
    return [tuple(result[key] for key in keys) for result in report["results"]]


@pytest.fixture
def family(write_variant: Callable[..., Path], tmp_path: Path) -> Path:
    """Return an fp32 file with an int8 file beside it."""
    write_variant(COLLECTION, tmp_path / "mine-int8.onnx", precision="int8")
    return write_variant(COLLECTION, tmp_path / "mine.onnx")


def test_json_has_every_combination(impasto: Impasto, family: Path) -> None:
    """Sizes and precisions are combined; every figure fits the others."""
    result = impasto(
        "bench", "--model", family, "--sizes", "48,32,48", "--batch", 2, "--threads", 1,
        "--json", *QUICK,
    )  # fmt: skip
    report = read_report(result)
    assert (result.exit_code, result.stderr) == (0, "")
    assert list_results(report) == [
        (side, side, "cpu", precision) for side in (48, 32) for precision in ("fp32", "int8")
    ]
    assert (report["batch"], report["threads"], report["stopped"]) == (2, 1, False)
    assert report["model"]["task"] == "stylize"
    assert len(report["model"]["sha256"]) == 64
    assert {"python", "impasto", "numpy"} <= report["machine"]["versions"].keys()
    assert report["machine"]["processor"]
    for entry in report["results"]:
        assert entry["error"] is None
        assert (
            Path(entry["file"]).name
            == {"fp32": "mine.onnx", "int8": "mine-int8.onnx"}[entry["precision"]]
        )
        ms = entry["ms"]
        assert 0 < ms["low"] <= ms["median"] <= ms["high"]
        assert entry["pictures_per_second"] == pytest.approx(1000 / ms["median"])
        assert entry["runs"] >= 9  # three turns of at least three
        assert entry["open_ms"] > 0
        assert entry["peak_mib"] > 10


def test_the_table_has_a_line_per_combination(impasto: Impasto) -> None:
    """The machine in words, then a table no wider than a terminal."""
    result = impasto("bench", "--sizes", "32,40", "--precision", "fp32", "--threads", 1, *QUICK)
    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines[3:5] == ["1 picture per run, 1 thread", ""]
    assert lines[5].split()[:4] == ["size", "provider", "precision", "ms/picture"]
    assert [line.split()[:3] for line in lines[6:]] == [
        ["32x32", "cpu", "fp32"], ["40x40", "cpu", "fp32"]
    ]  # fmt: skip
    assert max(map(len, lines[5:])) <= 80


def test_every_provider_is_measured_unless_one_is_named(impasto: Impasto) -> None:
    """Without options it is all that this build of the runtime has."""
    result = impasto("bench", "--sizes", 32, "--seconds", 0.001, "--json", "--precision", "fp32")
    assert list_results(read_report(result)) == [
        (32, 32, name, "fp32") for name in list_providers()
    ]


@pytest.mark.parametrize("name", ["lenet5", str(SHIPPED / "lenet5.onnx")])
def test_a_classifier_has_its_own_size(name: str, impasto: Impasto) -> None:
    """By name or as a file, a classifier is timed on pictures of its size."""
    result = impasto("bench", "--model", name, "--batch", 3, "--json", *QUICK)
    report = read_report(result)
    assert list_results(report) == [(32, 32, "cpu", "fp32")]
    assert (report["model"]["task"], report["batch"]) == ("classify", 3)


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--sizes", "16"), 2, "--sizes 16 is smaller than the 32 px this network needs"),
        (("--sizes", "5x"), 2, "'5x' is no side; give up to 16 of 1 to 16384 pixels"),
        (("--sizes", "512,"), 2, "'' is no side"),
        (("--sizes", "99999"), 2, "'99999' is no side"),
        (("--sizes", ",".join(map(str, range(32, 49)))), 2, "17 are too many"),
        (("--precision", "fp32,int4"), 2, "'int4' is not one of auto, fp32, int8, fp16, bf16"),
        (("--provider", "gpu"), 2, "'gpu' is not one of auto, cpu, cuda, openvino"),
        (("--seconds", "nan"), 2, "nan is not a number"),
        (("--seconds", "0"), 2, "0.0 is not in the range"),
        (("--threads", "0"), 2, "0 is not in the range"),
        (("--batch", "0"), 2, "0 is not in the range"),
        (("--model", "lenet5", "--sizes", "64"), 2, "its pictures are 32x32; leave out --sizes"),
        (("--model", "nobody"), 1, "model 'nobody' is no file, and the classifiers that ship"),
        (("--model", "none.onnx"), 1, "none.onnx: no such model file"),
        (("--precision", "bf16", "--provider", "cpu"), 1, "provider cpu has no bfloat16; use"),
    ],
)
def test_what_makes_no_sense_is_refused(
    options: tuple[str, ...], status: int, words: str, impasto: Impasto
) -> None:
    """Before anything is measured, one line says what is wrong."""
    result = impasto("bench", *options)
    assert (result.exit_code, result.stdout) == (status, "")
    assert words in result.stderr


def test_a_file_for_something_else_is_refused(impasto: Impasto, data: Path) -> None:
    """Neither pictures nor probabilities: there is nothing to feed it with."""
    result = impasto("bench", "--model", data / "foreign.onnx")
    assert result.exit_code == 1
    assert "foreign.onnx: without impasto metadata; give a file that" in result.stderr


def test_a_precision_of_one_provider_is_enough(impasto: Impasto, family: Path) -> None:
    """``auto`` and names are resolved per provider, and nothing is measured twice."""
    result = impasto(
        "bench", "--model", family, "--sizes", 32, "--precision", "fp32,auto,int8", "--json", *QUICK
    )
    assert {entry[3] for entry in list_results(read_report(result))} == {"fp32", "int8"}
    assert len(read_report(result)["results"]) == 2


def test_a_failure_leaves_the_others(impasto: Impasto, data: Path) -> None:
    """What cannot be run is told on standard error; the rest is in the report; status 1."""
    result = impasto("bench", "--model", data / "brittle.onnx", "--sizes", "32,48,64", "--json",
                     *QUICK)  # fmt: skip
    entries = read_report(result)["results"]
    failed = [entry for entry in entries if entry["error"]]
    assert result.exit_code == bool(failed)
    assert result.stderr.count("\n") == len(failed)
    assert all((entry["ms"] is None) == (entry in failed) for entry in entries)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_in_good_order(number: int, status: int, start_impasto: Start) -> None:
    """The worker goes with the command, and what was measured is still reported as JSON."""
    process = start_impasto("bench", "--seconds", 600, "--sizes", 64, "--threads", 1, "--json")
    worker = wait_for_worker(process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == status
    report = json.loads(stdout)
    assert report["stopped"] is True
    assert report["results"][0]["ms"] is None
    assert re.fullmatch(r"stopped: 0 of \d combinations measured\n", stderr.decode())
    assert not Path(f"/proc/{worker}").exists()


def wait_for_worker(process: Process) -> int:
    """Return the number of the first worker's process, once it is there."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := children.read_text().split()):
        assert process.poll() is None, process.communicate()
    return int(found[0])


def test_a_folder_named_runner_is_not_in_the_way(impasto: Impasto, tmp_path: Path) -> None:
    """Workers import this package, whatever lies where the command was started."""
    (tmp_path / "runner").mkdir()
    (tmp_path / "runner" / "__init__.py").write_text("raise SystemExit('the wrong runner')\n")
    result = impasto("bench", "--sizes", 32, "--precision", "fp32", *QUICK)
    assert (result.exit_code, result.stderr) == (0, "")
