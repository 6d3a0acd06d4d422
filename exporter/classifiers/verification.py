"""A classifier's file against the checkpoint it was made from, after the fact."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import onnxruntime as ort

from exporter.classifiers.agreement import Agreement, classify_selection, measure_agreement
from exporter.classifiers.calibration import divide_pictures
from exporter.classifiers.drafts import assemble
from exporter.classifiers.parity import (
    TOLERANCES,
    Case,
    classify,
    classify_with_torch,
    draw_pictures,
    walk_cases,
)
from exporter.classifiers.sessions import open_classifier
from exporter.errors import ExportError
from models.classifiers.checkpoint import read_classifier

AT_ONCE = 8  # held-back pictures
DEMANDED = 0.99  # of int8 files that do not say what was demanded of them


def compare_classifier(file: Path, checkpoint_path: Path) -> Iterator[Case]:
    """Yield how a file and PyTorch agree on random scenes, batch by batch.

    Args:
        file: of ``fp32`` or ``fp16``.
        checkpoint_path: what it was made from.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ExportError: the file is not a classifier, is ``int8``, or is of another network.
    """
    session = open_classifier(file)
    precision = str(read_entry(session, "precision", "fp32"))
    if precision not in TOLERANCES:
        message = (
            f"{file}: is {precision}, which only predictions on real pictures can judge; pass "
            "--pictures FOLDER"
        )
        raise ExportError(message)
    checkpoint = read_classifier(checkpoint_path)
    net = assemble(checkpoint, checkpoint_path)
    images = draw_pictures(checkpoint.input)
    reference = classify_with_torch(net, checkpoint, images)
    yield from walk_cases(session, images, reference, tolerance=TOLERANCES[precision])


def compare_on_pictures(file: Path, checkpoint_path: Path, folder: Path) -> Agreement:
    """Return how a file and PyTorch agree on real pictures.

    Of the folder only those are taken that the export holds back from the same folder.

    Args:
        file: of any precision.
        checkpoint_path: what it was made from.
        folder: pictures at any depth, or MNIST's IDX files.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ExportError: the file is no classifier or of another network, or the folder is too small.
    """
    session = open_classifier(file)
    checkpoint = read_classifier(checkpoint_path)
    net = assemble(checkpoint, checkpoint_path)
    _, held_back = divide_pictures(folder, checkpoint.input)
    tolerance = read_entry(session, "parity", {}).get("tolerance", {})
    expected = classify_selection(partial(classify_with_torch, net, checkpoint), held_back, AT_ONCE)
    return measure_agreement(
        expected,
        partial(classify, session),
        held_back,
        min_agreement=float(tolerance.get("agreement", DEMANDED)),
    )


def read_entry(session: ort.InferenceSession, key: str, default: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a metadata entry; ``default`` where it is missing or damaged."""
    text = session.get_modelmeta().custom_metadata_map.get(f"impasto.{key}")
    try:
        value = default if text is None else json.loads(text)
    except ValueError:
        return default
    return value if isinstance(value, type(default)) else default
