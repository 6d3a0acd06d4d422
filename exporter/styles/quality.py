"""The place in a file where the quality of its paintings stands, once it has been measured."""

import json
from pathlib import Path

import onnx

from exporter.errors import ExportError
from exporter.properties import encode_entries
from models.files import write_atomically


def record_quality(file: Path, quality: float, reference: float) -> None:
    """Write into a file of lower precision how good its paintings are.

    Args:
        file: that ``impasto export`` wrote; replaced whole or not at all.
        quality: of its paintings, as ``benchmarks/quality.py`` measures it; 1 is an
            optimisation of each picture for minutes.
        reference: of the same network in fp32, on the same photos.

    Raises:
        ExportError: the file holds no parity with fp32.
    """
    model = onnx.load(file)
    entries = {entry.key: entry for entry in model.metadata_props}
    parity = json.loads(entries["impasto.parity"].value) if "impasto.parity" in entries else {}
    if "quality" not in parity:
        message = f"{file}: is not of lower precision; quality against fp32 is for int8 and fp16"
        raise ExportError(message)
    parity["quality"] = {"value": quality, "fp32": reference}
    entries["impasto.parity"].value = encode_entries({"parity": parity})["impasto.parity"]
    write_atomically(file, model.SerializeToString())
