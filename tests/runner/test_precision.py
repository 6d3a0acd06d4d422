"""Which file of a network is opened: by precision, provider and processor."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner import network as network_module
from runner import precision as precision_module
from runner.errors import ImpastoError, ModelError, ProviderError
from runner.model import COLLECTION, find_classifier
from runner.network import open_network
from runner.precision import Choice, choose_precision, list_precisions

WriteVariant = Callable[..., Path]


@pytest.fixture
def family(write_variant: WriteVariant, tmp_path: Path) -> Path:
    """Return an fp32 file with an int8 and an fp16 file beside it."""
    for precision in ("int8", "fp16"):
        write_variant(COLLECTION, tmp_path / f"mine-{precision}.onnx", precision=precision)
    return write_variant(COLLECTION, tmp_path / "mine.onnx")


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that pretends what the processor computes fast."""

    def pretend(*, dots: bool = False, bfloat16: bool = False) -> None:
        monkeypatch.setattr(precision_module, "has_integer_dots", lambda: dots)
        monkeypatch.setattr(precision_module, "has_bfloat16", lambda: bfloat16)

    pretend()
    return pretend


@pytest.mark.parametrize(
    ("provider", "dots", "bfloat16", "precision"),
    [
        ("cpu", True, True, "int8"),
        ("cpu", False, True, "fp32"),
        ("cuda", True, True, "fp16"),
        ("openvino", True, True, "bf16"),
        ("openvino", True, False, "fp32"),
    ],
)
def test_auto_takes_what_suits(
    provider: str,
    *,
    dots: bool,
    bfloat16: bool,
    precision: str,
    family: Path,
    processor: Callable[..., None],
) -> None:
    """int8 on processors with integer dot products, fp16 on CUDA, bf16 in OpenVINO."""
    processor(dots=dots, bfloat16=bfloat16)
    suffix = {"int8": "-int8", "fp16": "-fp16"}.get(precision, "")
    chosen = Choice(family.with_name(f"mine{suffix}.onnx"), precision)
    assert choose_precision(family, provider) == chosen


@pytest.mark.parametrize("provider", ["cpu", "cuda"])
def test_auto_takes_only_what_is_there(
    provider: str, family: Path, processor: Callable[..., None]
) -> None:
    """Without a file of the faster precision it is fp32, without a word."""
    processor(dots=True)
    family.with_name("mine-int8.onnx").unlink()
    family.with_name("mine-fp16.onnx").unlink()
    assert choose_precision(family, provider) == Choice(family, "fp32")


@pytest.mark.parametrize(
    ("properties", "fault"),
    [
        ({"precision": "int8", "styles": [{"name": "other"}]}, r"another network \(its styles d"),
        ({"precision": "int8", "training": {"step": 1}}, r"another network \(its training d"),
        ({"precision": "fp16"}, r"which holds fp16"),
        ({}, r"which holds fp32"),
    ],
)
def test_a_sibling_of_another_network_is_not_taken(
    properties: dict[str, object],
    fault: str,
    family: Path,
    processor: Callable[..., None],
    write_variant: WriteVariant,
) -> None:
    """What lies there from an earlier export is told and left; asked for, it is an error."""
    processor(dots=True)
    sibling = write_variant(COLLECTION, family.with_name("mine-int8.onnx"), **properties)
    choice = choose_precision(family, "cpu")
    assert (choice.path, choice.precision) == (family, "fp32")
    assert choice.remark.startswith(f"{sibling} was not taken: ")
    with pytest.raises(ModelError, match=rf"mine\.onnx: precision int8 needs mine-int8.*{fault}"):
        choose_precision(family, "cpu", "int8")


@pytest.mark.parametrize("precision", ["int8", "fp16"])
def test_a_file_is_taken_as_it_is(precision: str, family: Path) -> None:
    """Who names the int8 file gets int8, also where auto would not; another is refused."""
    path = family.with_name(f"mine-{precision}.onnx")
    assert choose_precision(path, "cpu") == Choice(path, precision)
    assert choose_precision(path, "cpu", precision) == Choice(path, precision)
    with pytest.raises(ModelError, match=rf"holds {precision}, not fp32; name the fp32 file"):
        choose_precision(path, "cpu", "fp32")


@pytest.mark.parametrize(
    ("provider", "precision", "kind", "words"),
    [
        ("cpu", "bf16", ProviderError, r"provider cpu has no bfloat16; use --provider openvino"),
        ("openvino", "bf16", ProviderError, r"this processor has no bfloat16 .*use --precision fp"),
        ("cuda", "int8", ProviderError, r"cuda would compute it in float32; use --precision fp16"),
        ("cpu", "int4", ProviderError, r"precision 'int4' is unknown; choose auto, fp32, int8"),
        ("cpu", "int8", ModelError, r"needs styles-int8\.onnx, which is not there; make it: impas"),
        ("cpu", "fp16", ModelError, r"needs styles-fp16.*export CHECKPOINT -o styles-fp16\.onnx"),
    ],
)
def test_what_cannot_be_had_is_refused(
    provider: str,
    precision: str,
    *,
    kind: type[ImpastoError],
    words: str,
    tmp_path: Path,
    write_variant: WriteVariant,
    processor: Callable[..., None],
) -> None:
    """The error says what is missing and what to do."""
    processor(dots=True)
    alone = write_variant(COLLECTION, tmp_path / "styles.onnx")
    with pytest.raises(kind, match=words):
        choose_precision(alone, provider, precision)


def test_precisions_are_listed_per_provider(family: Path, processor: Callable[..., None]) -> None:
    """Each provider lists what it can compute of what is there."""
    processor(bfloat16=True)
    assert list_precisions(family, "cpu") == ["fp32", "int8", "fp16"]
    assert list_precisions(family, "cuda") == ["fp32", "fp16"]
    assert list_precisions(family, "openvino") == ["fp32", "int8", "fp16", "bf16"]
    assert list_precisions(family.with_name("mine-int8.onnx"), "cpu") == ["int8"]


def test_open_network_tells_what_it_opened(family: Path, processor: Callable[..., None]) -> None:
    """Session, card, provider and precision are those of the file that was chosen."""
    processor(dots=True)
    network = open_network(family, "cpu", 1)
    assert (network.precision, network.provider, network.remark) == ("int8", "cpu", "")
    assert network.card.path.name == "mine-int8.onnx"
    assert network.card.values["precision"] == "int8"


def test_open_network_chooses_again_after_a_fallback(
    family: Path, processor: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where auto meant CUDA and got the CPU, the file for the CPU is opened, not fp16."""
    processor(dots=True)
    monkeypatch.setattr(network_module, "choose_provider", lambda _: "cuda")
    network = open_network(family, "auto", 1)
    assert (network.precision, network.card.path.name) == ("int8", "mine-int8.onnx")


def test_open_network_still_explains_a_bad_file(tmp_path: Path) -> None:
    """A missing or damaged file is told as before, in every precision."""
    with pytest.raises(ModelError, match=r"mine\.onnx: no such model file"):
        open_network(tmp_path / "mine.onnx")
    (tmp_path / "mine.onnx").write_bytes(b"Dear diary,")
    with pytest.raises(ModelError, match=r"mine\.onnx: not an ONNX file"):
        open_network(tmp_path / "mine.onnx")


def test_the_collection_is_no_classifier(
    write_variant: WriteVariant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files of other precisions are not offered to who looks for a classifier."""
    for name in ("styles", "styles-int8", "lenet5"):
        write_variant(COLLECTION, tmp_path / f"{name}.onnx")
    monkeypatch.setattr("runner.model.SHIPPED", tmp_path)
    with pytest.raises(ModelError, match=r"classifiers that ship here are: lenet5; give"):
        find_classifier("styles-int8")
