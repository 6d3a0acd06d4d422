"""``impasto export`` and ``impasto verify`` of classifiers as a user meets them."""

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from click.testing import CliRunner, Result
from onnx import numpy_helper

from exporter import cli
from exporter.classifiers.command import HEADER, format_case
from exporter.classifiers.parity import Case

Saved = Callable[[str], Path]


def export(*arguments: object) -> Result:
    """Run ``impasto export``."""
    return CliRunner().invoke(cli.export, [str(argument) for argument in arguments])


def verify(*arguments: object) -> Result:
    """Run ``impasto verify``."""
    return CliRunner().invoke(cli.verify, [str(argument) for argument in arguments])


def test_export_and_verify_a_classifier(saved: Saved, tmp_path: Path) -> None:
    """One line says how good the file is; the table has a row per batch, within 80 columns."""
    path = tmp_path / "it.onnx"
    done = export(saved("lenet5"), "-o", path)
    assert done.exit_code == 0, done.output
    assert f"{path}: {path.stat().st_size:,} bytes; probabilities differ from" in done.output
    assert "100.00% of predictions equal" in done.output
    table = verify(path, saved("lenet5"))
    assert table.exit_code == 0, table.output
    lines = table.output.splitlines()
    assert lines[0] == HEADER
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "7", "32"]
    assert all(line.endswith("agrees") for line in lines[1:])
    assert max(map(len, lines)) <= 80


def test_rows_line_up_with_the_header() -> None:
    """Even large figures stay under their columns."""
    row = format_case(Case(32, 1.0, 1.0, 1.0, 3, 1e-5))
    assert row.index("DISAGREES") == HEADER.index("verdict")


def test_verify_fails_when_they_disagree(saved: Saved, tmp_path: Path) -> None:
    """Other weights give the whole table, the reason and status 1."""
    path = tmp_path / "it.onnx"
    assert export(saved("lenet5"), "-o", path).exit_code == 0
    model = onnx.load(path)
    tensor = next(t for t in model.graph.initializer if t.name == "fc3.weight")
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 1.1, tensor.name))
    onnx.save(model, path)
    result = verify(path, saved("lenet5"))
    assert result.exit_code == 1
    assert result.output.count("DISAGREES") == 4
    assert f"{path}: in a batch of 1 differs from PyTorch" in result.output


def test_verify_takes_the_precision_from_the_file(saved: Saved, tmp_path: Path) -> None:
    """A float16 file is allowed what float16 needs."""
    path = tmp_path / "it.onnx"
    assert export(saved("lenet5"), "-o", path, "--precision", "fp16").exit_code == 0
    assert verify(path, saved("lenet5")).exit_code == 0
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)
    assert verify(path, saved("lenet5")).exit_code == 1


def test_int8_is_judged_on_pictures(saved: Saved, pictures: Path, tmp_path: Path) -> None:
    """Export and verify report the same agreement; without pictures verify says what is missing."""
    path = tmp_path / "it.onnx"
    options = ("--precision", "int8", "--calibrate", pictures, "--min-agreement", "0.5")
    done = export(saved("simpleconvnet"), "-o", path, *options, "--calibration", "percentile")
    assert done.exit_code == 0, done.output
    assert "of 10 held-back pictures as in fp32" in done.output
    share = done.output.split("names ")[1].split("%")[0]
    judged = verify(path, saved("simpleconvnet"), "--pictures", pictures)
    assert judged.exit_code == 0, judged.output
    assert f"same class  {share}%; 50.00% demanded" in judged.output
    assert judged.output.endswith("verdict     agrees\n")
    missing = verify(path, saved("simpleconvnet"))
    assert missing.exit_code == 1
    assert (
        "is int8, which only predictions on real pictures can judge; pass --pic" in missing.output
    )


def test_pictures_judge_every_precision(saved: Saved, pictures: Path, tmp_path: Path) -> None:
    """An fp32 file of another network names other classes on real pictures, too."""
    path = tmp_path / "it.onnx"
    assert export(saved("simpleconvnet"), "-o", path).exit_code == 0
    assert verify(path, saved("simpleconvnet"), "--pictures", pictures).exit_code == 0
    other = verify(path, saved("lenet5"), "--pictures", pictures)
    assert other.exit_code == 1
    assert "compare a file with the checkpoint it was made from" in other.output


def test_weights_are_named_by_their_network(saved: Saved, tmp_path: Path) -> None:
    """A name with weights exports them; weights of another network are refused."""
    path, weights = tmp_path / "it.onnx", saved("simpleconvnet")
    assert export("simpleconvnet", "--weights", weights, "-o", path).exit_code == 0
    assert path.exists()
    other = export("vgg16", "--weights", weights, "-o", tmp_path / "b.onnx")
    assert other.exit_code == 1
    assert "holds the weights of simpleconvnet, not of vgg16" in other.output
    missing = export("vgg16", "--weights", tmp_path / "no.pth", "-o", tmp_path / "b.onnx")
    assert missing.exit_code == 1
    assert "no.pth: no such file; make it of published weights with 'impasto w" in missing.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["vgg16"], "vgg16 is a network; pass its weights with --weights FILE"),
        (["IT", "--weights", "IT"], "--weights goes with a network's name, not with"),
        (["IT", "--precision", "int8"], "needs pictures to measure ranges on; pass --calibrate"),
        (["IT", "--calibrate", "."], "--calibrate is for --precision int8 only"),
        (["IT", "--calibration", "mse"], "--calibration is for --precision int8 only"),
        (["IT", "--min-agreement", "0.5"], "--min-agreement is for --precision int8 only"),
        (["IT", "--taps", "--precision", "fp16"], "--taps shows layers in fp32 only"),
        (["IT", "--precision", "int4"], "'int4' is not one of 'fp32', 'fp16', 'int8'"),
        (
            ["IT", "--precision", "int8", "--calibrate", ".", "--judge", "."],
            "--judge is for style networks",
        ),
        (["IT", "--max-difference", "3", "--precision", "fp16"], "--max-difference is for style"),
        (["IT", "--min-agreement", "1.5"], "1.5 is not in the range 0<=x<=1"),
    ],
)
def test_wrong_usage_has_status_2(
    arguments: list[str], words: str, saved: Saved, tmp_path: Path
) -> None:
    """Combinations that make no sense are refused before PyTorch is imported."""
    path = tmp_path / "it.onnx"
    real = [str(saved("lenet5")) if word == "IT" else word for word in arguments]
    result = export(*real, "-o", path)
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())
    assert not path.exists()


@pytest.mark.parametrize("option", ["--fold", "--taps"])
def test_style_networks_have_none_of_this(option: str, checkpoint: Path, tmp_path: Path) -> None:
    """A classifier's options on a style network's checkpoint are wrong usage."""
    result = export(checkpoint, option, "-o", tmp_path / "it.onnx")
    assert result.exit_code == 2
    assert f"{option} is for classifiers; a style network has none" in result.output
