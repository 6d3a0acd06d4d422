"""Files that are damaged, lie, or mean harm: one clear error, and nothing allocated."""

from pathlib import Path

import onnx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, parser

from calculator import CalculatorError, Network, load

from .conftest import GOOD, HEAD, make_model, save, write_varint


@given(st.data())
@settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck), database=None)
def test_damaged_bytes_are_a_network_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever is changed or cut in a file, reading ends in a network or in one kind of error."""
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(damaged)))
    path = save(tmp_path_factory.mktemp("damaged"), bytes(damaged[: cut if cut % 2 else None]))
    try:
        shown = load(path).name
    except CalculatorError as error:
        shown = error.message.removeprefix(f"{path.parent}/")
    assert shown.startswith("net")
    assert "\n" not in shown


@given(st.binary(max_size=300))
@example(b"\x3a\x00")
@example(b"name: net\nlayers: []\n")
@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck), database=None)
def test_any_bytes_are_one_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """What is no model says so."""
    path = save(tmp_path_factory.mktemp("bytes"), content)
    with pytest.raises(CalculatorError, match=r"net\.onnx: "):
        load(path)


def test_paths_that_are_no_files_are_one_error(tmp_path: Path) -> None:
    """A folder, a device, a missing or unreachable file, an empty one."""
    with pytest.raises(CalculatorError, match="is no file; give the path"):
        load_as_onnx(tmp_path)
    with pytest.raises(CalculatorError, match="is no file; give the path"):
        load_as_onnx(Path("/dev/zero"))
    with pytest.raises(CalculatorError, match=r"cannot be read .*No such file"):
        load(tmp_path / "missing.onnx")
    path = save(tmp_path, b"")
    with pytest.raises(CalculatorError, match="is empty"):
        load(path)
    with pytest.raises(CalculatorError, match=r"cannot be read .*Not a directory"):
        load(path / "inner.onnx")
    with pytest.raises(CalculatorError, match="cannot be read"):
        load(tmp_path / "a\0b.onnx")


def load_as_onnx(path: Path) -> Network:
    """Read a path whatever it ends in."""
    from calculator.reading.onnx_file.reader import read_onnx

    return read_onnx(path)


def test_files_that_are_too_large_are_refused_unread(tmp_path: Path) -> None:
    """3 GiB are refused by their size; nearly 2 GiB of zeros by their first byte."""
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)
    with pytest.raises(CalculatorError, match=r"has 3,221,225,472 bytes, .* at most 2,147,483,647"):
        load(path)
    with path.open("r+b") as file:
        file.truncate(2**31 - 1)
    with pytest.raises(CalculatorError, match="byte 0 starts no field"):
        load(path)


def test_large_weights_are_skipped(tmp_path: Path) -> None:
    """A gigabyte of weights inside the file is stepped over, and counted."""
    count = 2**28
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[count, 1])
    text = (
        f"{HEAD} net (float[1,{count}] x, float[{count},1] w) => (float y) {{ y = MatMul(x, w) }}"
    )
    model = parser.parse_model(text)
    body = tensor.SerializeToString() + write_varint(9 << 3 | 2) + write_varint(4 * count)
    graph = model.graph.SerializeToString()
    graph += write_varint(5 << 3 | 2) + write_varint(len(body) + 4 * count) + body
    model.ClearField("graph")
    path = tmp_path / "net.onnx"
    head = model.SerializeToString() + write_varint(7 << 3 | 2)
    head += write_varint(len(graph) + 4 * count) + graph
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + 4 * count)
    (node,) = load(path).nodes
    assert node.layer.derive(((count,),)).params.result == count  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"raw_data": b""}, "tensor 'w' of shape 4x3x3x3 claims 108 values and the file does not"),
        ({"raw_data": b"1234"}, "tensor 'w' of shape 4x3x3x3 claims 108 values"),
        ({"dims": [10**9, 10**9]}, "claims 1,000,000,000,000,000,000 values"),
        ({"dims": [-4, 3, 3, 3]}, "has sizes .* that no tensor has"),
        ({"dims": [1] * 17}, "has sizes .* that no tensor has"),
        ({"data_type": 99}, "has the unknown element type 99"),
        ({"data_type": 0}, "has the unknown element type 0"),
        ({"data_type": 8}, "tensor 'w' .* claims 108 values"),
    ],
)
def test_claims_that_the_file_does_not_hold_are_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    """Sizes, element type and data of a tensor agree, or its name is in the error."""
    model = make_model()
    weight = next(t for t in model.graph.initializer if t.name == "w")
    for key, value in change.items():
        if isinstance(value, list):
            weight.ClearField(key)
            getattr(weight, key).extend(value)
        else:
            setattr(weight, key, value)
    with pytest.raises(CalculatorError, match=message):
        load(save(tmp_path, model))


@pytest.mark.parametrize("kind", ["float", "double", "int32", "int64", "uint64"])
def test_typed_values_are_checked_and_read(tmp_path: Path, kind: str) -> None:
    """Weights in the typed fields are as good as raw ones, and missing ones as bad."""
    elements = {"float": 1, "double": 11, "int32": 6, "int64": 7, "uint64": 13}
    weight = helper.make_tensor("k", elements[kind], [2], [1, 2])
    text = f"{HEAD} net (int64[1,2] x) => (int64 y) {{ c = Cast<to=7>(k) y = Add(x, c) }}"
    model = parser.parse_model(text)
    model.graph.initializer.append(weight)
    assert [node.layer.kind for node in load(save(tmp_path, model)).nodes] == ["shift"]
    getattr(model.graph.initializer[0], f"{kind}_data").pop()
    with pytest.raises(CalculatorError, match="tensor 'k' of shape 2 claims 2 values"):
        load(save(tmp_path, model))


def make_external(location: str, **entries: str) -> onnx.ModelProto:
    """Return a model whose weight lies in another file."""
    model = make_model()
    weight = next(t for t in model.graph.initializer if t.name == "w")
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        weight.external_data.add(key=key, value=value)
    return model


def test_external_data_beside_the_file_are_accepted(tmp_path: Path) -> None:
    """Also in a folder below, from an offset on, with a length that is said."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "w.bin").write_bytes(bytes(16 + 432))
    for entries in ({}, {"offset": "16"}, {"offset": "16", "length": "432"}):
        assert load(save(tmp_path, make_external("data/w.bin", **entries))).nodes


@pytest.mark.parametrize(
    ("location", "entries", "message"),
    [
        ("../w.bin", {}, "outside the file's folder"),
        ("data/../../w.bin", {}, "outside the file's folder"),
        ("..\\w.bin", {}, "outside the file's folder"),
        ("/etc/passwd", {}, "outside the file's folder"),
        ("", {}, "outside the file's folder"),
        ("link.bin", {}, "not there or is too short"),
        ("loop.bin", {}, "not there or is too short"),
        (".", {}, "not there or is too short"),
        ("missing.bin", {}, "not there or is too short"),
        ("w.bin", {"offset": "17"}, "not there or is too short"),
        ("w.bin", {"offset": "-1"}, "offset '-1' in external data, which is no number"),
        ("w.bin", {"offset": "1e9"}, "which is no number"),
        ("w.bin", {"offset": "9" * 30}, "which is no number"),
        ("w.bin", {"length": "431"}, "needs 432 bytes and 431 are said to lie"),
    ],
)
def test_external_data_elsewhere_are_refused(
    tmp_path: Path, location: str, entries: dict[str, str], message: str
) -> None:
    """Outside the folder, through a link, missing, or shorter than the weight."""
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(1000))
    (folder / "w.bin").write_bytes(bytes(448))
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    (folder / "loop.bin").symlink_to("loop.bin")
    with pytest.raises(CalculatorError, match=message):
        load(save(folder, make_external(location, **entries)))
