"""What ``impasto export`` and ``impasto verify`` do for classifiers, and what they print."""

from pathlib import Path
from typing import Any

import click

from exporter.classifiers.agreement import Agreement, require_agreement
from exporter.classifiers.calibration import MOST_HELD_BACK
from exporter.classifiers.export import ExportedClassifier, export_classifier
from exporter.classifiers.features.export import compare_features, export_features
from exporter.classifiers.features.network import NAME as FEATURES
from exporter.classifiers.features.parity import FeatureCase, require_features
from exporter.classifiers.headers import read_header
from exporter.classifiers.parity import Case, ClassifierParity, require_parity
from exporter.classifiers.settings import ExportSettings
from exporter.classifiers.verification import compare_classifier, compare_on_pictures
from exporter.errors import ExportError
from models.style.perceptual import NETWORK as VGG_FEATURES

FEATURES_HEADER = (
    f"{'N':>2}  {'layers':>6}  {'max diff':>8}  {'worst':<8}  {'in batch':>8}  verdict"
)
OPTIONAL = ("calibration", "min_agreement")  # settings with a default of their own
HEADER = f"{'N':>2}  {'max diff':>8}  {'same class':>10}  {'in batch':>8}  verdict"


def is_classifier(path: Path) -> bool:
    """Return whether a file's header says that it holds a classifier.

    Files that cannot be read are none: who reads them as something else says why.
    """
    return read_header(path).get("network") == "classifier"


def is_features(path: Path) -> bool:
    """Return whether a file's header says that it holds VGG-16's convolutions alone."""
    return read_header(path).get("network") == VGG_FEATURES


def check_name(path: Path, name: str) -> None:
    """Refuse weights of another network than the one that was named.

    Raises:
        ExportError: the file holds no classifier, or another.
    """
    header = read_header(path)
    is_convolutions = header.get("network") == VGG_FEATURES
    if header.get("network") != "classifier" and not is_convolutions:
        found = "no such file" if not path.exists() else "holds no classifier"
        message = (
            f"{path}: {found}; make it of published weights with 'impasto weights import FILE "
            f"--as {name} -o {name}.safetensors'"
        )
        raise ExportError(message)
    held = FEATURES if is_convolutions else header.get("name")
    if held != name:
        message = f"{path}: holds the weights of {held}, not of {name}; name that one"
        raise ExportError(message)


def list_settings(options: dict[str, Any]) -> ExportSettings:
    """Return the settings that the command line's options make."""
    given = {key: options[key] for key in OPTIONAL if options[key] is not None}
    return ExportSettings(
        precision=options["precision"],
        pictures=options["calibrate"],
        fold=options["fold"],
        taps=options["taps"],
        licence=options["licence"],
        overwrite=options["overwrite"],
        **given,
    )


def run_export(checkpoint: Path, output: Path, options: dict[str, Any]) -> None:
    """Export a classifier and print what was written.

    Args:
        checkpoint: of a classifier.
        output: the ONNX file to write.
        options: of the command line.

    Raises:
        ExportError: see :func:`exporter.classifiers.export.export_classifier`.
    """
    click.echo(describe_export(export_classifier(checkpoint, output, list_settings(options))))


def run_features(weights: Path, output: Path, options: dict[str, Any]) -> None:
    """Export VGG-16's convolutions and print what was written.

    Args:
        weights: a ``vgg16-features`` file.
        output: the ONNX file to write.
        options: of the command line.

    Raises:
        ExportError: see :func:`exporter.classifiers.features.export.export_features`.
    """
    exported = export_features(weights, output, list_settings(options))
    worst = max(case.max_difference for case in exported.cases)
    click.echo(
        f"{exported.file}: {exported.file.stat().st_size:,} bytes, {exported.layers} layers; they "
        f"differ from PyTorch's by {worst:.1e} of what their values span at most"
    )


def describe_export(exported: ExportedClassifier) -> str:
    """Return a sentence on what was written and how good it is."""
    written = " and ".join(f"{path}: {path.stat().st_size:,} bytes" for path in exported.files)
    if exported.agreement is not None:
        found = exported.agreement
        return (
            f"{written}; names {found.same_class:.2%} of {found.pictures} held-back pictures as "
            f"in fp32; probabilities differ by {found.mean_difference:.1e} on average, "
            f"{found.max_difference:.1e} at most"
        )
    return (
        f"{written}; probabilities differ from PyTorch's by {exported.parity.max_difference:.1e} "
        f"at most, {exported.parity.same_class:.2%} of predictions equal"
    )


def run_verify(file: Path, checkpoint: Path, pictures: Path | None) -> None:
    """Compare a classifier's file with its checkpoint and print a row per case.

    Raises:
        ParityError: they disagree.
        ExportError: the file cannot be compared.
    """
    if pictures is not None:
        agreement = compare_on_pictures(file, checkpoint, pictures)
        click.echo(describe_agreement(agreement))
        require_agreement(agreement, str(file))
        return
    cases: list[Case] = []
    for case in compare_classifier(file, checkpoint):
        if not cases:
            click.echo(HEADER)
        click.echo(format_case(case))
        cases.append(case)
    require_parity(ClassifierParity(tuple(cases)), str(file))


def run_features_verify(file: Path, weights: Path) -> None:
    """Compare a file of VGG-16's layers with its weights and print a row per case.

    Raises:
        ParityError: they disagree.
        ExportError: the file cannot be compared.
    """
    cases: list[FeatureCase] = []
    for case in compare_features(file, weights):
        if not cases:
            click.echo(FEATURES_HEADER)
        click.echo(format_features(case))
        cases.append(case)
    require_features(cases, str(file))


def format_features(case: FeatureCase) -> str:
    """Return one row of the table that ``impasto verify`` prints of layers."""
    verdict = "agrees" if case.agrees else "DISAGREES"
    return (
        f"{case.batch:>2}  {case.layers:>6}  {case.max_difference:>8.1e}  {case.worst:<8}  "
        f"{case.batch_difference:>8.1e}  {verdict}"
    )


def format_case(case: Case) -> str:
    """Return one row of the table that ``impasto verify`` prints."""
    verdict = "agrees" if case.agrees else "DISAGREES"
    return (
        f"{case.batch:>2}  {case.max_difference:>8.1e}  {case.same_class:>10.2%}  "
        f"{case.batch_difference:>8.1e}  {verdict}"
    )


def describe_agreement(agreement: Agreement) -> str:
    """Return the figures on real pictures, a line each."""
    rows = {
        "pictures": f"{agreement.pictures:,} of the folder, {MOST_HELD_BACK:,} at most",
        "same class": f"{agreement.same_class:.2%}; {agreement.min_agreement:.2%} demanded",
        "mean diff": f"{agreement.mean_difference:.1e} of a probability",
        "max diff": f"{agreement.max_difference:.1e}",
        "in batch": f"{agreement.batch_changes} called otherwise than alone",
        "verdict": "agrees" if agreement.agrees else "DISAGREES",
    }
    return "\n".join(f"{name:<10}  {text}" for name, text in rows.items())
