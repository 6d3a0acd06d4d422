"""Properties of ONNX files, read without a runtime."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import onnxruntime as ort
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.model import COLLECTION, SHIPPED
from runner.properties import read_properties

WHOLE = COLLECTION.read_bytes()
SHALLOW = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", sorted(path.name for path in SHIPPED.glob("*.onnx")))
def test_properties_are_those_of_the_runtime(name: str) -> None:
    """Every entry is what ONNX Runtime reads from the same file."""
    session = ort.InferenceSession(str(SHIPPED / name), providers=["CPUExecutionProvider"])
    entries = session.get_modelmeta().custom_metadata_map
    known = {key.removeprefix("impasto."): json.loads(text) for key, text in entries.items()}
    assert read_properties(SHIPPED / name) == known
    assert known["schema"] == 1


def test_the_last_of_two_equal_keys_counts(
    write_variant: Callable[..., Path], tmp_path: Path
) -> None:
    """A key that was written again has its later value, as in the runtime."""
    path = write_variant(COLLECTION, tmp_path / "a.onnx", license="mine")
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["impasto.license"] == '"mine"'
    assert read_properties(path)["license"] == "mine"


def test_a_foreign_file_has_no_properties(data: Path, tmp_path: Path) -> None:
    """Without impasto's entries, and without a file, there is nothing to read."""
    assert read_properties(data / "foreign.onnx") == {}
    assert read_properties(tmp_path / "missing.onnx") == {}
    assert read_properties(tmp_path) == {}
    os.mkfifo(tmp_path / "pipe.onnx")
    assert read_properties(tmp_path / "pipe.onnx") == {}


@SHALLOW
@given(st.binary(max_size=200))
def test_noise_is_no_crash(tmp_path: Path, noise: bytes) -> None:
    """Any bytes at all give a dictionary."""
    path = tmp_path / "noise.onnx"
    path.write_bytes(noise)
    assert isinstance(read_properties(path), dict)


@SHALLOW
@given(st.integers(0, len(WHOLE)))
def test_a_file_cut_short_gives_what_it_still_has(tmp_path: Path, cut: int) -> None:
    """Entries before the cut are whole, and the one that was cut is none."""
    path = tmp_path / "short.onnx"
    path.write_bytes(WHOLE[:cut])
    whole = read_properties(COLLECTION)
    assert all(whole[key] == value for key, value in read_properties(path).items())


@SHALLOW
@given(st.integers(len(WHOLE) - 3000, len(WHOLE) - 1), st.integers(0, 255))
def test_a_damaged_byte_is_no_crash(tmp_path: Path, place: int, byte: int) -> None:
    """Whatever stands among the properties, there is a dictionary."""
    path = tmp_path / "damaged.onnx"
    path.write_bytes(WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :])
    assert isinstance(read_properties(path), dict)
