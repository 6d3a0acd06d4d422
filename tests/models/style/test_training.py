"""Training as a library: schedule, turns of the styles, precision, and what a run refuses."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from models.errors import CheckpointError, DataError, DivergedError
from models.style.checkpoint import read_checkpoint, write_checkpoint
from models.style.objective import Costs, Weights, choose_precision
from models.style.photos import Painting, list_paintings, list_photos
from models.style.settings import RunFiles, Settings
from models.style.training import StyleTraining, one_cycle

Start = Callable[..., StyleTraining]
SETTINGS = Settings(steps=4, batch=3, crop=32, style_sizes=(32,))


@pytest.fixture
def start(vgg_file: Path, photos: Path, paintings: Path, tmp_path: Path) -> Start:
    """Return a function that opens a tiny run on two paintings."""

    def open_run(
        settings: Settings = SETTINGS, *, resume: bool = False, named: tuple[str, ...] = ()
    ) -> StyleTraining:
        learned = list_paintings(paintings, None, named)
        files = RunFiles(vgg_file, list_photos(photos), learned, tmp_path / "run")
        return StyleTraining(
            settings, files, report=pytest.fail, resume=resume, device=torch.device("cpu")
        )

    return open_run


def test_one_cycle_rises_then_falls() -> None:
    """The rate starts at 4 %, peaks after a tenth of the run, and ends at nothing."""
    assert one_cycle(0.0) == pytest.approx(0.04)
    assert one_cycle(0.05) == pytest.approx(0.52)
    assert one_cycle(0.1) == pytest.approx(1.0)
    assert one_cycle(0.55) == pytest.approx(0.5)
    assert one_cycle(1.0) == pytest.approx(0.0)


@given(progress=st.floats(0, 1))
def test_one_cycle_stays_below_its_peak(progress: float) -> None:
    """No step's rate exceeds the peak or is negative."""
    assert 0.0 <= one_cycle(progress) <= 1.0


def test_steps_follow_the_schedule(start: Start) -> None:
    """Steps count from 1 and report the rate they were taken with."""
    steps = list(start().run())
    assert [step.step for step in steps] == [1, 2, 3, 4]
    expected = [one_cycle(i / 4) * 3e-3 for i in range(4)]
    assert [step.learning_rate for step in steps] == pytest.approx(expected)


def test_styles_take_turns_across_steps(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two styles and batches of three: the turns go on where the last step ended."""
    training, turns = start(), []
    measure = training.objective.measure

    def record(painted: Tensor, photos: Tensor, styles: Tensor) -> Costs:
        turns.append(styles.tolist())
        return measure(painted, photos, styles)

    monkeypatch.setattr(training.objective, "measure", record)
    list(training.run())
    assert turns == [[0, 1, 0], [1, 0, 1], [0, 1, 0], [1, 0, 1]]


def test_training_lowers_the_cost(start: Start) -> None:
    """Sixteen steps on five photos make the objective smaller."""
    steps = list(start(replace(SETTINGS, steps=16, batch=2)).run())
    totals = [step.costs["total"] for step in steps]
    assert sum(totals[-4:]) < sum(totals[:4])


@pytest.mark.parametrize("network", ["fast", "paper", "slim"])
def test_network_is_the_named_one(network: str, start: Start) -> None:
    """The settings' name decides the shape, and the checkpoint remembers it."""
    training = start(replace(SETTINGS, network=network))
    path = training.save()
    assert path.name == "checkpoint.safetensors"
    assert read_checkpoint(path).build().config == training.net.config
    assert training.net.config.padding == {"fast": "zeros"}.get(network, "reflect")


@pytest.mark.parametrize("weight", [0.0, 1000.0])
def test_steadiness_counts_by_its_weight(weight: float, start: Start) -> None:
    """Without weight nothing is measured; with weight the total contains it."""
    weights = Weights(content=1.0, style=10.0, variation=1.0, steadiness=weight)
    for step in start(replace(SETTINGS, weights=weights, steps=2)).run():
        costs = step.costs
        parts = costs["content"] + 10 * costs["style"] + costs["variation"]
        assert (costs["steadiness"] > 0.0) == (weight > 0.0)
        assert costs["total"] == pytest.approx(parts + weight * costs["steadiness"], rel=1e-4)


def test_steady_run_resumes_bit_for_bit(start: Start) -> None:
    """The disturbances belong to the steps: a resumed run meets the same ones."""
    settings = replace(SETTINGS, weights=Weights(steadiness=100.0))
    training, unbroken = start(settings), []
    for step in training.run():
        unbroken.append(step)
        if step.step == 2:
            training.save()
    assert list(start(settings, resume=True).run()) == unbroken[2:]


def test_bf16_run_resumes_bit_for_bit(start: Start) -> None:
    """With the feature network in bfloat16, a resumed run repeats the unbroken one's costs."""
    settings = replace(SETTINGS, precision="bf16")
    training, unbroken = start(settings), []
    for step in training.run():
        unbroken.append(step)
        if step.step == 2:
            training.save()
    assert list(start(settings, resume=True).run()) == unbroken[2:]


def test_resumed_optimiser_is_the_saved_one(start: Start) -> None:
    """Adam's moments and step counts come back bit for bit."""
    training = start()
    for step in training.run():
        if step.step == 3:
            break
    training.save()
    resumed = start(resume=True)
    assert resumed.step == 3
    for group, again in zip(
        training.optimizer.param_groups, resumed.optimizer.param_groups, strict=True
    ):
        for old, new in zip(group["params"], again["params"], strict=True):
            assert torch.equal(old, new)
            before, after = training.optimizer.state[old], resumed.optimizer.state[new]
            assert before.keys() == after.keys()
            assert all(torch.equal(before[slot], after[slot]) for slot in before)


@pytest.mark.parametrize("spoilt", ["loss", "gradient"])
def test_divergence_leaves_the_weights_as_they_were(spoilt: str, start: Start) -> None:
    """A NaN in the loss or only in its gradient stops before the weights take it in."""
    training = start()
    before = {name: tensor.clone() for name, tensor in training.net.state_dict().items()}
    if spoilt == "loss":
        training.objective.targets["relu2_2"].fill_(torch.nan)
    else:
        training.net.to_rgb.conv.bias.register_hook(lambda gradient: gradient * torch.inf)  # type: ignore[union-attr]
    with pytest.raises(DivergedError, match=r"step 1: .* is not finite; no checkpoint yet; start"):
        next(training.run())
    assert all(torch.equal(before[n], t) for n, t in training.net.state_dict().items())
    assert not training.optimizer.state


def test_style_that_stands_twice_is_refused(start: Start) -> None:
    """One painting asked for twice is an error, since users choose styles by name."""
    with pytest.raises(DataError, match="style 'mill' would stand twice in the checkpoint"):
        start(named=("mill", "mill"))


def test_checkpoint_without_settings_is_refused(start: Start) -> None:
    """A checkpoint that does not tell how it was made cannot be resumed."""
    training = start()
    path = training.save()
    checkpoint = replace(read_checkpoint(path), training={})
    write_checkpoint(path, checkpoint)
    with pytest.raises(CheckpointError, match="the run was started with network None, not fast;"):
        start(resume=True)


def test_painted_sample_does_not_disturb_training(start: Start) -> None:
    """Painting in the middle of a run changes no later step."""
    plain = list(start().run())
    disturbed, training = [], start()
    for step in training.run():
        painted = training.paint(torch.rand(1, 3, 33, 47))
        assert [tuple(x.shape) for x in painted] == [(1, 3, 33, 47)] * 2
        disturbed.append(step)
    assert disturbed == plain


@pytest.mark.parametrize(
    ("asked", "gains", "chosen"),
    [
        ("auto", True, "bf16"),
        ("auto", False, "fp32"),
        ("fp32", True, "fp32"),
        ("bf16", False, "bf16"),
    ],
)
def test_precision_is_as_asked_or_as_the_hardware_likes(
    asked: str, *, gains: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Auto takes what the hardware gains from; a named precision is taken at its word."""
    monkeypatch.setattr("models.style.objective.gains_from_bf16", lambda _: gains)
    assert choose_precision(asked, torch.device("cpu")) == chosen


def test_painting_is_named_after_its_facts(paintings: Path) -> None:
    """A painting's name is the one users will type."""
    assert Painting(paintings / "mill.png", {"name": "mill"}).name == "mill"


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_training_on_cuda_saves_what_the_cpu_reads(
    vgg_file: Path, photos: Path, paintings: Path, tmp_path: Path
) -> None:
    """A run on CUDA can be stopped and resumed there, and its checkpoint builds on the CPU."""
    files = RunFiles(vgg_file, list_photos(photos), list_paintings(paintings, None, ()), tmp_path)
    steps = []
    for resume in (False, True):
        training = StyleTraining(SETTINGS, files, report=pytest.fail, resume=resume)
        assert training.device.type == "cuda"
        for step in training.run():
            steps.append(step.step)
            if not resume and step.step == 2:
                break
        path = training.save()
    assert steps == [1, 2, 3, 4]
    assert read_checkpoint(path).build().styles == 2
