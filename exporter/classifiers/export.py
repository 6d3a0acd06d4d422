"""From a classifier's checkpoint to one ONNX file, written only if both see the same.

Steps: write the layers and their weights into a folder beside the output, in eight bits too
where they are asked for, compare with PyTorch, compare both precisions, add the metadata, and
only then move the file to its place.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exporter.classifiers.agreement import (
    Agreement,
    classify_selection,
    measure_agreement,
    require_agreement,
)
from exporter.classifiers.calibration import Selection
from exporter.classifiers.drafts import Draft, draft_classifier
from exporter.classifiers.parity import (
    TOLERANCES,
    ClassifierParity,
    classify,
    require_parity,
    subtract,
    walk_cases,
)
from exporter.classifiers.sessions import open_classifier
from exporter.classifiers.settings import ExportSettings
from exporter.classifiers.storage import append_properties
from exporter.errors import ExportError, ParityError
from exporter.properties import encode_entries
from exporter.publication import publish, refuse_existing

CONFIRMED = 2  # pictures that the finished file is opened for once more
AT_ONCE = 8  # held-back pictures


@dataclass(frozen=True)
class ExportedClassifier:
    """What was written and how good it is.

    Attributes:
        files: the ONNX file, and the file of its weights where they lie beside it.
        parity: with PyTorch, in ``fp32`` or ``fp16``; of the original where the file is ``int8``.
        agreement: of ``int8`` with ``fp32``; None in other precisions.
    """

    files: tuple[Path, ...]
    parity: ClassifierParity
    agreement: Agreement | None = None


def export_classifier(
    checkpoint_path: Path, output: Path, settings: ExportSettings | None = None
) -> ExportedClassifier:
    """Export a classifier, check the result against PyTorch and write it whole or not at all.

    Args:
        checkpoint_path: a ``.safetensors`` file that ``impasto train`` or ``impasto weights
            import`` wrote.
        output: the ONNX file to write; weights of 2 GiB and more go to ``<output>.data``.
        settings: what the file shall be.

    Returns:
        The files and how closely the two agree; the same figures stand in the file.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ParityError: the two disagree; nothing is written.
        ExportError: ``output`` exists or cannot be written, settings contradict each other,
            or the network cannot be written as ONNX.
    """
    settings = settings or ExportSettings()
    check_settings(settings)
    refuse_existing(output, overwrite=settings.overwrite)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as scratch:
            draft = draft_classifier(checkpoint_path, output.name, Path(scratch), settings)
            subject = f"the export of {checkpoint_path}"
            parity = measure_draft(draft, "fp16" if settings.precision == "fp16" else "fp32")
            require_parity(parity, subject)
            agreement = finish_draft(draft, settings, subject)
            append_properties(draft.file, complete_entries(draft, parity, agreement))
            return ExportedClassifier(publish(draft.file, output), parity, agreement)
    except OSError as error:
        message = f"{output}: cannot be written ({error.strerror or error})"
        raise ExportError(message) from error


def check_settings(settings: ExportSettings) -> None:
    """Refuse settings that contradict each other.

    Raises:
        ExportError: calibration without ``int8``, the reverse, or layers' outputs in another
            precision than ``fp32``.
    """
    if (settings.precision == "int8") != (settings.pictures is not None):
        message = "int8 and pictures to calibrate on go together; give both or neither"
        raise ExportError(message)
    if settings.taps and settings.precision != "fp32":
        message = (
            f"layers are shown in fp32 only, not in {settings.precision}; leave one of them out"
        )
        raise ExportError(message)


def measure_draft(draft: Draft, precision: str) -> ClassifierParity:
    """Return how closely a draft agrees with PyTorch in every batch."""
    tolerance = TOLERANCES[precision]
    session = open_classifier(draft.mapped, mapped=True)
    cases = walk_cases(session, draft.images, draft.reference, tolerance=tolerance)
    return ClassifierParity(tuple(cases))


def finish_draft(draft: Draft, settings: ExportSettings, subject: str) -> Agreement | None:
    """Open a verified draft in its last form, and judge it where that is eight bits.

    Returns:
        How the eight-bit form does; None in other precisions.

    Raises:
        ParityError: eight bits name too many pictures otherwise, or the file is not the draft.
    """
    if draft.held_back is not None:
        return judge_integers(draft, draft.held_back, settings, subject)
    images = draft.images[:CONFIRMED]
    session = open_classifier(draft.file, frugal=settings.precision == "fp16")
    difference = subtract(classify(session, images), draft.reference[:CONFIRMED])
    if difference > TOLERANCES[settings.precision]:
        message = (
            f"{subject}: the file as it was written differs from PyTorch by {difference:.2g} in a "
            "probability; is the disk sound?"
        )
        raise ParityError(message)
    return None


def judge_integers(
    draft: Draft, held_back: Selection, settings: ExportSettings, subject: str
) -> Agreement:
    """Compare the eight-bit file with the original on pictures, one session after the other.

    Raises:
        ParityError: it names too many pictures otherwise, or a batch changes a prediction.
        ExportError: a picture cannot be decoded.
    """
    original = partial(classify, open_classifier(draft.mapped, mapped=True))
    expected = classify_selection(original, held_back, AT_ONCE)
    del original
    agreement = measure_agreement(
        expected,
        partial(classify, open_classifier(draft.file)),
        held_back,
        min_agreement=settings.min_agreement,
    )
    require_agreement(agreement, subject)
    return agreement


def complete_entries(
    draft: Draft, parity: ClassifierParity, agreement: Agreement | None
) -> dict[str, str]:
    """Return a draft's metadata and what was measured, as they stand in the file."""
    measured: dict[str, Any] = parity.as_dict()
    if agreement is not None:
        measured = {**agreement.as_dict(), "fp32": measured}
    return encode_entries({**draft.entries, "parity": measured})
