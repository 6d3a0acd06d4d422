"""The steps as an animation."""

import io
from pathlib import Path

import pytest
from PIL import Image

from models.painting.frames import LARGEST_SIDE, MOST_FRAMES, Frames


def make_frames(steps: int, size: tuple[int, int] = (12, 8)) -> Frames:
    """Return the frames of ``steps`` steps, each a grey of its own."""
    frames = Frames(steps, size)
    for step in range(steps + 1):
        frames.add(step, Image.new("RGB", (6, 4), (step * 7 % 256,) * 3))
    return frames


@pytest.mark.parametrize("steps", [1, 10, 48, 1000])
def test_frames_are_few_and_hold_both_ends(steps: int) -> None:
    """However many steps there are, the start, the end and at most 48 frames are kept."""
    marks = make_frames(steps).marks
    assert {0, steps} <= marks
    assert len(marks) <= MOST_FRAMES
    assert len(make_frames(steps).frames) == len(marks)


def test_frames_lie_closer_together_at_the_start() -> None:
    """The first half of the frames shows the first quarter of the steps."""
    marks = sorted(make_frames(1000).marks)
    assert marks[len(marks) // 2] == pytest.approx(250, abs=30)


def test_frames_have_one_bounded_size() -> None:
    """A large picture's frames are at most 512 px wide, a small one's as it is."""
    assert Frames(10, (2048, 1024)).size == (LARGEST_SIDE, LARGEST_SIDE // 2)
    assert make_frames(3, (12, 8)).frames[0].shape == (8, 12, 3)


@pytest.mark.parametrize(("name", "kind"), [("a.webp", "WEBP"), ("a.GIF", "GIF")])
def test_animation_plays_all_frames_and_rests_on_the_last(name: str, kind: str) -> None:
    """The animation repeats for ever and shows its last frame longest."""
    with Image.open(io.BytesIO(make_frames(9).encode(Path(name)))) as animation:
        assert (animation.format, animation.info["loop"]) == (kind, 0)
        durations = []
        for i in range(getattr(animation, "n_frames", 1)):
            animation.seek(i)
            animation.load()
            durations.append(animation.info["duration"])
    assert len(durations) == 10
    assert set(durations[:-1]) == {80}
    assert durations[-1] == 2000


def test_animation_of_one_frame_is_a_picture() -> None:
    """A single frame is written without fuss."""
    frames = Frames(5, (6, 4))
    frames.add(0, Image.new("RGB", (6, 4)))
    with Image.open(io.BytesIO(frames.encode(Path("a.gif")))) as animation:
        assert animation.size == (6, 4)
