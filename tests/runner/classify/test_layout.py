"""How work is cut: batches, shares of workers, chunks of decoders."""

import pytest

from runner.classify.classification import lay_out
from runner.classify.jobs import Job
from runner.classify.network import Network
from runner.classify.pipeline import Layout


@pytest.mark.parametrize(
    ("count", "size", "options", "expected"),
    [
        (10_000, 300, {"workers": 2}, Layout(2, 64, 2, 64)),
        (10_000, 4096, {"workers": 2}, Layout(2, 64, 2, 16)),
        (10_000, 10**6, {"workers": 4}, Layout(4, 64, 4, 1)),
        (10_000, 0, {"workers": 2, "batch": 7}, Layout(2, 7, 2, 7)),
        (9, 300, {"workers": 4}, Layout(4, 3, 4, 3)),
        (1, 0, {"workers": 1}, Layout(1, 1, 1, 1)),
    ],
)
def test_lay_out_gives_every_worker_its_share(
    count: int, size: int, options: dict[str, int], expected: Layout, network: Network
) -> None:
    """Batches are full where there is enough, smaller where workers would be idle."""
    jobs = [Job("a.png", size)] * count
    assert lay_out(jobs, network, {"batch": None, **options}) == expected


def test_a_layout_keeps_everybody_busy() -> None:
    """Every decoder has a chunk and one waits, beside those of a batch in the making."""
    layout = Layout(workers=2, batch=64, decoders=2, chunk=16)
    assert (layout.chunks, layout.batches) == (8, 4)
