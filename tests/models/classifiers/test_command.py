"""``impasto train`` for classifiers: from labelled pictures to a classifier, and its errors."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result
from PIL import Image

from models.classifiers.checkpoint import read_classifier
from models.classifiers.classifier import Classifier
from models.classifiers.cli import COMMANDS
from models.classifiers.networks import NETWORKS

Invoke = Callable[..., Result]
Run = list[object]


def test_run_leaves_what_it_promises(finished: Path) -> None:
    """A finished run holds the classifier, the log, curves and confusion matrix; nothing else."""
    names = sorted(path.name for path in finished.iterdir())
    assert names == [
        "classifier.safetensors",
        "confusion.csv",
        "confusion.png",
        "curves.png",
        "log.csv",
    ]
    for name in ("curves.png", "confusion.png"):
        with Image.open(finished / name) as picture:
            assert min(picture.size) > 300


def test_classifier_knows_what_its_numbers_mean(finished: Path) -> None:
    """The file holds labels, input rule, pixel scaling, settings, data and results."""
    checkpoint = read_classifier(finished / "classifier.safetensors")
    assert checkpoint.name == "lenet5"
    assert checkpoint.labels == list("0123456789")
    assert checkpoint.input.size == (32, 32)
    assert checkpoint.pixels.shift == (-0.1,)
    assert checkpoint.optimizer == checkpoint.average == {}
    assert set(checkpoint.training["results"]) == {"training", "validation", "test"}
    assert checkpoint.training["results"]["test"]["pictures"] == 10
    assert checkpoint.training["data"]["training"]["pictures"] == 30
    assert checkpoint.training["settings"]["optimizer"] == "adamw"
    (name,) = checkpoint.initial
    assert name == "features.conv1.weight"
    assert not torch.equal(checkpoint.initial[name], checkpoint.net[name])
    logits = checkpoint.build()(torch.zeros(2, 1, 32, 32))
    assert logits.shape == (2, 10)
    assert json.loads(json.dumps(checkpoint.training)) == checkpoint.training


def test_log_has_a_row_per_epoch(finished: Path) -> None:
    """Epochs, steps, rate, losses and accuracies, which agree with the classifier's own figure."""
    rows = list(csv.DictReader((finished / "log.csv").read_text().splitlines()))
    assert [(row["epoch"], row["step"]) for row in rows] == [("1", "8"), ("2", "16"), ("3", "24")]
    best = max(float(row["validation_accuracy"]) for row in rows)
    checkpoint = read_classifier(finished / "classifier.safetensors")
    assert checkpoint.training["results"]["validation"]["accuracy"] == best
    assert float(rows[0]["learning_rate"]) > float(rows[-1]["learning_rate"]) > 0


def test_confusion_matrix_counts_every_test_picture(finished: Path) -> None:
    """Rows are true classes; each row sums to the pictures of its class."""
    rows = list(csv.reader((finished / "confusion.csv").read_text().splitlines()))
    assert rows[0] == ["true \\ predicted", *"0123456789"]
    assert [sum(map(int, row[1:])) for row in rows[1:]] == [1] * 10


def test_progress_tells_accuracy_and_results(tiny_run: Run, tmp_path: Path, invoke: Invoke) -> None:
    """Standard error tells data, progress and results; standard output is the file alone."""
    result = invoke(*tiny_run, "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'run' / 'classifier.safetensors'}\n"
    assert "10 classes; pictures: 30 training, 10 validation, 10 test" in result.stderr
    assert "epoch 3/3  step 24/24  loss " in result.stderr
    assert "min left" in result.stderr
    assert "test: " in result.stderr


def test_small_network_learns_what_it_is_shown(
    classes: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """Three classes of four pictures are learnt to the last one; no validation is needed."""
    result = invoke(
        *("train", "simpleconvnet", "--data", classes, "-o", tmp_path / "run"),
        *("--epochs", 25, "--batch", 6, "--validation", 0, "--preset", "paper"),
    )
    assert result.exit_code == 0, result.output
    assert "training: 100.00% (12 of 12)" in result.stderr
    checkpoint = read_classifier(tmp_path / "run" / "classifier.safetensors")
    assert checkpoint.labels == ["bar", "cross", "dot"]
    assert set(checkpoint.training["results"]) == {"training"}


def test_lenet5_of_1998_trains_as_its_paper_did(
    digits: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """LeCun's optimiser, one picture at a time, brings the outputs towards the drawn digits."""
    result = invoke(
        *("train", "lenet5", "--data", digits, "-o", tmp_path / "run", "--variant", "1998"),
        *("--preset", "paper", "--epochs", 3, "--validation", 0),
    )
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader((tmp_path / "run" / "log.csv").read_text().splitlines()))
    assert [int(row["step"]) for row in rows] == [40, 80, 120]
    assert float(rows[-1]["training_loss"]) < 0.8 * float(rows[0]["training_loss"])
    assert rows[0]["validation_loss"] == ""


def test_patience_ends_a_run_that_stands_still(
    digits: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """With a rate that moves nothing, two epochs without progress end the run, once and for all."""
    options = [
        *("train", "lenet5", "--data", digits, "-o", tmp_path / "run", "--epochs", 50),
        *("--patience", 2, "--learning-rate", 1e-12, "--batch", 32),
    ]
    result = invoke(*options)
    assert result.exit_code == 0, result.output
    rows = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert len(rows) == 1 + 3


def test_accumulated_parts_make_the_same_step(digits: Path, tmp_path: Path, invoke: Invoke) -> None:
    """A batch in four parts moves the weights as the whole batch does, but for rounding."""
    nets = []
    for parts in (1, 4):
        folder = tmp_path / str(parts)
        result = invoke(
            *("train", "lenet5", "--data", digits, "-o", folder, "--epochs", 2),
            *("--batch", 10, "--accumulate", parts, "--validation", 0),
        )
        assert result.exit_code == 0, result.output
        nets.append(read_classifier(folder / "classifier.safetensors").net)
    for name, tensor in nets[0].items():
        torch.testing.assert_close(nets[1][name], tensor, rtol=1e-3, atol=1e-5)


def test_help_needs_no_network(invoke: Invoke) -> None:
    """Each network has a command that names its paper and its variants."""
    for name, (title, variants) in COMMANDS.items():
        result = invoke("train", name, "--help")
        assert result.exit_code == 0
        text = " ".join(result.output.split())
        assert title in text
        assert all(variant in text for variant in variants)
        assert ("--hidden" in text) == (name.startswith(("alex", "vgg")))
    assert set(COMMANDS) == set(NETWORKS)


@pytest.mark.parametrize(
    ("options", "status", "match"),
    [
        (["--freeze", "features"], 2, "would keep random ones; give --from WEIGHTS too"),
        (["--epochs", "0"], 2, "0 is not in the range"),
        (["--variant", "2024"], 2, "'2024' is not one of 'notes', '1998'"),
        (["--data", "nowhere"], 1, "nowhere: no such folder; give a folder of class folders"),
        (["--from", "nowhere"], 1, "nowhere: no such checkpoint"),
    ],
)
def test_wrong_use_is_explained(
    digits: Path, tmp_path: Path, invoke: Invoke, options: list[str], status: int, match: str
) -> None:
    """Wrong options end with status 2, failed work with 1, each with one line."""
    result = invoke("train", "lenet5", "--data", digits, "-o", tmp_path / "run", *options)
    assert result.exit_code == status
    assert match in " ".join(result.stderr.split())
    assert not list(tmp_path.glob("run/classifier*"))


def test_loss_that_is_no_number_ends_the_run(
    tiny_run: Run, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A diverging run stops at once with the step and the remedy, and keeps no such weights."""
    nowhere = torch.tensor(float("nan"))
    monkeypatch.setattr(Classifier, "measure_loss", lambda *_: nowhere)
    result = invoke(*tiny_run, "-o", tmp_path / "run")
    assert result.exit_code == 1
    assert "step 1: the loss is nan; begin again with a lower --learning-rate" in result.stderr
    assert not (tmp_path / "run").exists()


def test_1998_needs_ten_classes(classes: Path, tmp_path: Path, invoke: Invoke) -> None:
    """The drawn digits cannot stand for three classes; nothing is written."""
    result = invoke(
        "train", "lenet5", "--data", classes, "-o", tmp_path / "run", "--variant", "1998"
    )
    assert result.exit_code == 1
    assert "the data has 3 classes; take the variant notes" in result.stderr
    assert not (tmp_path / "run").exists()


def test_finished_run_is_not_overwritten(finished: Path, tiny_run: Run, invoke: Invoke) -> None:
    """A folder with a finished classifier is refused before any work."""
    before = (finished / "classifier.safetensors").read_bytes()
    result = invoke(*tiny_run, "-o", finished)
    assert result.exit_code == 1
    assert "this run has ended; choose another folder with -o" in result.stderr
    assert (finished / "classifier.safetensors").read_bytes() == before


def test_folder_that_cannot_be_written_is_named(
    tiny_run: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """A file where the folder should be ends the run with its name."""
    (tmp_path / "file").write_text("in the way")
    result = invoke(*tiny_run, "-o", tmp_path / "file" / "run")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_damaged_data_stops_before_anything_is_written(
    digits: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """A data file cut short is one line and no folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    for path in digits.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    cut = folder / "train-images-idx3-ubyte.gz"
    cut.write_bytes(cut.read_bytes()[:-20])
    result = invoke("train", "lenet5", "--data", folder, "-o", tmp_path / "run")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {cut}: is not a whole gzip file")
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()
