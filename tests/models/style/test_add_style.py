"""``impasto train style --add``: one more style, and every other one as it was."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.style.checkpoint import read_checkpoint, write_checkpoint
from models.style.log import CostLog, read_costs
from models.style.training import extend

Invoke = Callable[..., Result]
Run = list[object]


@pytest.fixture(scope="module")
def painting(draw: Callable[..., Image.Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a painting that is no style yet."""
    path = tmp_path_factory.mktemp("new") / "orchard.png"
    draw((40, 40), seed=9).save(path)
    return path


@pytest.fixture(scope="module")
def add_run(tiny_options: Run, painting: Path, finished: Path) -> Run:
    """Return the arguments that add the painting to the finished run."""
    base = finished / "style.safetensors"
    return [*tiny_options, "--add", painting, "--from", base]


@pytest.fixture(scope="module")
def added(add_run: Run, invoke: Invoke, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the run that added the painting."""
    folder = tmp_path_factory.mktemp("runs") / "added"
    result = invoke(*add_run, "-o", folder)
    assert result.exit_code == 0, result.output
    return folder


@settings(max_examples=15, deadline=None)
@given(height=st.integers(32, 60), width=st.integers(32, 60), share=st.floats(0, 1))
def test_known_styles_paint_as_before_bit_for_bit(
    finished: Path, added: Path, height: int, width: int, share: float
) -> None:
    """Every old style gives the same bits as before, and blends of old styles the same picture."""
    old, new = (read_checkpoint(f / "style.safetensors").build() for f in (finished, added))
    photo = torch.rand(1, 3, height, width)
    with torch.no_grad():
        for mix in ([1.0, 0.0], [0.0, 1.0]):
            before = old(photo, torch.tensor([mix]))
            assert torch.equal(new(photo, torch.tensor([[*mix, 0.0]])), before)
        blend = old(photo, torch.tensor([[1.0 - share, share]]))
        again = new(photo, torch.tensor([[1.0 - share, share, 0.0]]))
        torch.testing.assert_close(again, blend, rtol=0, atol=1e-4)


def test_only_the_new_rows_are_trained(finished: Path, added: Path) -> None:
    """The trunk and the old rows are the same numbers; every new row has moved from the mean."""
    old, new = (read_checkpoint(folder / "style.safetensors") for folder in (finished, added))
    tables = [name for name, tensor in new.net.items() if tensor.shape != old.net[name].shape]
    assert len(tables) == len(new.build().to_tables())
    for name, before in old.net.items():
        after = new.net[name]
        assert torch.equal(after[:2] if name in tables else after, before)
        if name in tables:
            assert after.shape[0] == 3
            assert not torch.allclose(after[2], before.mean(0), atol=1e-4)


def test_added_style_is_learnt(add_run: Run, tmp_path: Path, invoke: Invoke) -> None:
    """Training the new rows alone makes the new style's cost smaller."""
    longer = ["--steps", 40, "--every", 40, "--learning-rate", 3e-3, "-o", tmp_path / "run"]
    assert invoke(*add_run, *longer).exit_code == 0
    costs = [row["style"] for row in read_costs(tmp_path / "run" / "losses.csv")]
    assert sum(costs[-5:]) < sum(costs[:5])


def test_added_checkpoint_tells_both_trainings(added: Path) -> None:
    """The new checkpoint lists the new style last and keeps what the base was trained on."""
    checkpoint = read_checkpoint(added / "style.safetensors")
    assert [style["name"] for style in checkpoint.styles] == ["mill", "waves", "orchard"]
    assert checkpoint.training["settings"]["network"] == "added"
    assert checkpoint.training["base"]["settings"]["network"] == "fast"


def test_sample_shows_the_new_style_only(added: Path) -> None:
    """The samples of an adding run show the photo and the style that is being learnt."""
    with Image.open(added / "sample-000006.jpg") as sheet:
        assert sheet.size == (2 * 64, 48)


def stop_after_third_step(run: Run, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the command until its third step is logged."""
    add = CostLog.add

    def add_and_stop(log: CostLog, step: object) -> None:
        add(log, step)  # type: ignore[arg-type]
        if step.step == 3:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(CostLog, "add", add_and_stop)
        assert invoke(*run).exit_code == 1


def test_interrupted_addition_resumes_bit_for_bit(
    added: Path, add_run: Run, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that adds a style is resumed like any other: same costs, same weights."""
    run = [*add_run, "-o", tmp_path / "run"]
    stop_after_third_step(run, invoke, monkeypatch)
    result = invoke(*run, "--resume")
    assert result.exit_code == 0, result.output
    assert "resuming after step 2" in result.stderr
    mine, theirs = (read_checkpoint(f / "style.safetensors") for f in (tmp_path / "run", added))
    assert (tmp_path / "run" / "losses.csv").read_bytes() == (added / "losses.csv").read_bytes()
    assert mine.net.keys() == theirs.net.keys()
    assert all(torch.equal(mine.net[name], theirs.net[name]) for name in mine.net)


def test_addition_resumed_on_another_base_is_refused(
    finished: Path, add_run: Run, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An adding run goes on only with the checkpoint that it began with."""
    run = [*add_run, "-o", tmp_path / "run"]
    stop_after_third_step(run, invoke, monkeypatch)
    base = read_checkpoint(finished / "style.safetensors")
    base.training["settings"]["seed"] = 77
    write_checkpoint(tmp_path / "other.safetensors", base)
    result = invoke(*run, "--resume", "--from", tmp_path / "other.safetensors")
    assert result.exit_code == 1
    assert "the run was started with another checkpoint to add to; repeat" in result.stderr


def test_known_name_cannot_be_added(
    add_run: Run, paintings: Path, tmp_path: Path, invoke: Invoke
) -> None:
    """A painting whose name is taken is refused: two styles of one name cannot be told apart."""
    result = invoke(*add_run, "--add", paintings / "mill.png", "-o", tmp_path / "run")
    assert result.exit_code == 1
    assert "style 'mill' would stand twice in the checkpoint; rename the painting" in result.stderr


def test_addition_into_the_bases_folder_is_refused(
    finished: Path, add_run: Run, invoke: Invoke
) -> None:
    """The base's own folder is not overwritten."""
    result = invoke(*add_run, "-o", finished)
    assert result.exit_code == 1
    assert "this run has ended; choose another folder" in result.stderr


@pytest.mark.parametrize(
    ("option", "message"),
    [("--add", "nowhere: cannot be listed"), ("--from", "nowhere: no such checkpoint")],
)
def test_missing_input_of_an_addition_is_named(
    option: str, message: str, add_run: Run, tmp_path: Path, invoke: Invoke
) -> None:
    """A painting or a checkpoint that does not exist ends the run with its name."""
    result = invoke(*add_run, option, tmp_path / "nowhere", "-o", tmp_path / "run")
    assert result.exit_code == 1
    assert message in result.stderr


def test_extension_starts_at_the_mean_of_the_known_styles(finished: Path) -> None:
    """New rows begin as the mean of the old ones, and only the tables can be trained."""
    base = read_checkpoint(finished / "style.safetensors")
    net = extend(base, 2)
    tables = {id(table) for table in net.to_tables()}
    assert net.styles == 4
    assert {id(p) for p in net.parameters() if p.requires_grad} == tables
    for name, tensor in net.state_dict().items():
        if tensor.shape != base.net[name].shape:
            torch.testing.assert_close(tensor[2:], base.net[name].mean(0).expand(2, -1))
