"""Precisions on the command line and from Python: what is taken, told and remembered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from runner import Stylizer
from runner import precision as precision_module
from runner.errors import ModelError, ProviderError
from runner.folders import MANIFEST_NAME
from runner.model import COLLECTION

Impasto = Callable[..., Result]
ReadRows = Callable[[str], list[dict[str, Any]]]
WriteVariant = Callable[..., Path]


@pytest.fixture(autouse=True)
def _integer_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processor be good at int8."""
    monkeypatch.setattr(precision_module, "has_integer_dots", lambda: True)


@pytest.fixture
def model(tmp_path: Path, write_variant: WriteVariant) -> Path:
    """Return an fp32 file with an int8 file beside it."""
    write_variant(COLLECTION, tmp_path / "mine-int8.onnx", precision="int8")
    return write_variant(COLLECTION, tmp_path / "mine.onnx")


@pytest.mark.parametrize(
    ("asked", "taken"), [((), "int8"), (("--precision", "fp32"), "fp32"),
                         (("--precision", "int8"), "int8")]
)  # fmt: skip
def test_rows_tell_the_precision(
    asked: tuple[str, ...],
    taken: str,
    model: Path,
    impasto: Impasto,
    photos: Path,
    read_rows: ReadRows,
) -> None:
    """``--json`` says in which precision each picture was painted."""
    result = impasto("stylize", photos, "-o", "out", "--json", "--model", model, *asked)
    assert [(row["status"], row["precision"]) for row in read_rows(result.stdout)] == (
        4 * [("ok", taken)]
    )


def test_resume_knows_the_precision(model: Path, impasto: Impasto, photos: Path) -> None:
    """Paintings of another precision are painted again, and only those."""
    options = ("stylize", photos, "-o", "out", "--model", model, "--resume", "--overwrite")
    assert "painted 4 in" in impasto(*options).stderr
    assert "skipped 4" in impasto(*options, "--precision", "int8").stderr
    lines = (Path("out") / MANIFEST_NAME).read_text().split()
    assert sum('"int8"' in line for line in lines) == 4
    assert "painted 4 in" in impasto(*options, "--precision", "fp32").stderr
    assert "skipped 4" in impasto(*options, "--precision", "fp32").stderr


def test_resume_takes_older_paintings_for_fp32(impasto: Impasto, photos: Path) -> None:
    """Lines of a manifest that say nothing of precision were painted in fp32."""
    options = ("stylize", photos, "-o", "out", "--precision", "fp32", "--resume")
    impasto(*options)
    manifest = Path("out") / MANIFEST_NAME
    entries = [json.loads(line) for line in manifest.read_text().splitlines() if line]
    for entry in entries:
        assert entry["settings"].pop("precision") == "fp32"
    manifest.write_text("\n".join(json.dumps(entry) for entry in entries))
    assert "skipped 4" in impasto(*options).stderr


def test_a_file_of_yesterday_is_told(
    model: Path, impasto: Impasto, photos: Path, write_variant: WriteVariant
) -> None:
    """An int8 file of another training is left aside, with one line on standard error."""
    write_variant(
        COLLECTION, model.with_name("mine-int8.onnx"), precision="int8", training={"step": 1}
    )
    result = impasto("stylize", photos / "a.jpg", "-o", "a.png", "--model", model)
    assert result.exit_code == 0
    assert result.stderr.count("mine-int8.onnx was not taken: which is another network") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--precision", "fp16"), "needs mine-fp16.onnx, which is not there; make it: impasto exp"),
        (("--precision", "bf16"), "provider cpu has no bfloat16; use --provider openvino"),
    ],
)
def test_a_precision_that_is_not_there_is_refused(
    options: tuple[str, ...], words: str, model: Path, impasto: Impasto, photos: Path
) -> None:
    """The command ends with one line that says what to do, and writes nothing."""
    command = ("stylize", photos / "a.jpg", "-o", "a.png", "--provider", "cpu", "--model", model)
    result = impasto(*command, *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
    assert not Path("a.png").exists()


def test_an_unknown_precision_is_wrong_usage(impasto: Impasto, photos: Path) -> None:
    """The options name those that there are."""
    result = impasto("stylize", photos, "-o", "out", "--precision", "int4")
    assert result.exit_code == 2
    assert "'int4' is not one of 'auto', 'fp32', 'int8', 'fp16', 'bf16'" in result.stderr


def test_stylizer_tells_what_it_took(model: Path, photos: Path) -> None:
    """From Python too: one picture or many, in the precision that was asked for."""
    assert Stylizer(model, "cpu").precision == "int8"
    stylizer = Stylizer(model, "cpu", precision="fp32")
    assert (stylizer.precision, stylizer.provider) == ("fp32", "cpu")
    assert len(list(stylizer.stylize_many(sorted(photos.iterdir())))) == 4
    with pytest.raises(ModelError, match=r"precision fp16 needs mine-fp16\.onnx"):
        Stylizer(model, "cpu", precision="fp16")
    with pytest.raises(ProviderError, match=r"precision 'int4' is unknown; choose auto, fp32"):
        Stylizer(precision="int4")
