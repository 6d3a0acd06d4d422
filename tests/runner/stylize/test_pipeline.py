"""Many pictures at once: order, bounds, grouping, and how it ends."""

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.images import Picture, Pixels
from runner.stylize.pipeline import Pipeline, Stages, Task

Guard = Callable[[Callable[[], None]], None]
Sizes = list[tuple[int, int]]
STAGES = ("decode", "paint", "encode")


class Studio:
    """Fake stages: a job is (number, height), its picture that number, its result the number.

    Args:
        faults: jobs that fail, as (stage, number).
        gates: work that waits for an event, as (stage, number).
    """

    def __init__(
        self,
        faults: Iterable[tuple[str, int]] = (),
        gates: dict[tuple[str, int], threading.Event] | None = None,
    ) -> None:
        self.faults = set(faults)
        self.gates = gates or {}
        self.groups: list[list[int]] = []
        self.alive = self.most_alive = 0
        self._lock = threading.Lock()

    @property
    def stages(self) -> Stages[tuple[int, int], int]:
        """The three stages."""
        return Stages(decode=self.decode, paint=self.paint, encode=self.encode)

    def decode(self, job: tuple[int, int]) -> Picture:
        """Make the picture of a job."""
        number, height = job
        self.enter("decode", number)
        with self._lock:
            self.alive += 1
            self.most_alive = max(self.most_alive, self.alive)
        return Picture((np.full((height, 1, 3), number, np.uint16).view(np.uint8),))

    def paint(self, photos: Sequence[Pixels]) -> list[Pixels]:
        """Return the photos, if all are of one size."""
        assert len({photo.shape for photo in photos}) == 1
        numbers = [int(photo.view(np.uint16)[0, 0, 0]) for photo in photos]
        with self._lock:
            self.groups.append(numbers)
        for number in numbers:
            self.enter("paint", number)
        return list(photos)

    def encode(self, job: tuple[int, int], _: Picture, painted: tuple[Pixels, ...]) -> int:
        """Return the number of a painting."""
        self.enter("encode", job[0])
        return int(painted[0].view(np.uint16)[0, 0, 0])

    def enter(self, stage: str, number: int) -> None:
        """Wait or fail, as this job shall."""
        if (stage, number) in self.gates:
            assert self.gates[stage, number].wait(60)
        if (stage, number) in self.faults:
            message = f"{stage} {number}"
            raise ValueError(message)

    def consume(self, tasks: Iterable[Task[tuple[int, int], int]]) -> Iterator[int]:
        """Yield the numbers of tasks, whose pictures are gone then."""
        for task in tasks:
            with self._lock:
                self.alive -= 1
            yield task.index


def make_jobs(heights: Iterable[int]) -> Sizes:
    """Number the jobs of these heights."""
    return list(enumerate(heights))


def count_threads() -> int:
    """Count the threads of pipelines."""
    return sum(thread.name.startswith(STAGES) for thread in threading.enumerate())


@settings(max_examples=150, deadline=None)
@given(
    heights=st.lists(st.integers(1, 4), max_size=40),
    batch=st.integers(1, 6),
    workers=st.integers(1, 4),
    ordered=st.booleans(),
    faults=st.lists(st.tuples(st.sampled_from(STAGES), st.integers(0, 40)), max_size=4),
)
def test_run_stalls_at_no_combination(
    *,
    heights: list[int],
    batch: int,
    workers: int,
    ordered: bool,
    faults: list[tuple[str, int]],
    guard: Guard,
) -> None:
    """Every job comes back once, itself or its own failure, whatever the sizes and settings."""
    studio = Studio(faults)
    pipeline = Pipeline(studio.stages, workers=workers, batch=batch)

    def work() -> None:
        tasks = list(pipeline.run(make_jobs(heights), ordered=ordered))
        indices = [task.index for task in tasks]
        assert (indices if ordered else sorted(indices)) == list(range(len(heights)))
        failing = {number for _, number in faults}
        with_failing = {n for group in studio.groups if failing & {*group} for n in group}
        for task in tasks:
            if task.error is None:
                assert task.result == task.index
            else:
                assert task.index in failing | with_failing

    guard(work)
    assert max(map(len, studio.groups), default=0) <= batch


def test_run_groups_pictures_of_one_size() -> None:
    """Pictures of one size are painted in full batches."""
    studio = Studio()
    list(Pipeline(studio.stages, workers=2, batch=4).run(make_jobs([7] * 32)))
    assert [len(group) for group in studio.groups] == [4] * 8


def test_run_groups_across_other_sizes() -> None:
    """Two sizes in turns are still painted in batches, not one by one."""
    studio = Studio()
    list(Pipeline(studio.stages, workers=2, batch=3).run(make_jobs([5, 6] * 12)))
    assert [len(group) for group in studio.groups] == [3] * 8


def test_run_does_not_wait_for_company_that_cannot_come(guard: Guard) -> None:
    """In order, a lone first size is painted alone once all places behind it are taken."""
    studio = Studio()
    pipeline = Pipeline(studio.stages, workers=1, batch=4)

    def work() -> None:
        tasks = pipeline.run(make_jobs([9] + [5] * 100), ordered=True)
        assert [task.result for task in tasks] == list(range(101))

    guard(work)
    assert [0] in studio.groups


def test_run_keeps_a_failure_to_itself() -> None:
    """A failing stage ends its own task; a failing run ends the pictures of that run."""
    studio = Studio([("decode", 1), ("paint", 2), ("encode", 5)])
    tasks = list(Pipeline(studio.stages, workers=2).run(make_jobs([3] * 8), ordered=True))
    errors = {task.index: str(task.error) for task in tasks if task.error}
    assert errors == {1: "decode 1", 2: "paint 2", 5: "encode 5"}


def test_run_ends_when_a_network_returns_too_few(guard: Guard) -> None:
    """A run that returns fewer paintings than photos fails its pictures and stalls nothing."""
    studio = Studio()
    stages = Stages(studio.decode, lambda photos: list(photos)[:-1], studio.encode)
    pipeline = Pipeline(stages, workers=1, batch=2)

    def work() -> None:
        errors = [task.error for task in pipeline.run(make_jobs([3] * 4))]
        assert [type(error) for error in errors] == [ValueError] * 4

    guard(work)


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("batch", [1, 4])
def test_run_holds_a_fixed_number_of_pictures(*, ordered: bool, batch: int) -> None:
    """2,000 pictures never have more than the places of 50 in memory."""
    pipelines = {}
    for count in (50, 2000):
        studio = Studio()
        pipeline = Pipeline(studio.stages, workers=2, batch=batch)
        jobs = make_jobs(number % 3 + 1 for number in range(count))
        assert sum(1 for _ in studio.consume(pipeline.run(jobs, ordered=ordered))) == count
        assert studio.most_alive <= pipeline._places
        pipelines[count] = pipeline
    assert pipelines[50]._places == pipelines[2000]._places


@pytest.mark.parametrize("ordered", [False, True])
def test_run_holds_a_fixed_number_behind_a_slow_first_picture(*, ordered: bool) -> None:
    """While the first picture takes for ever, no more than the places pile up behind it."""
    gate = threading.Event()
    studio = Studio(gates={("paint", 0): gate})
    pipeline = Pipeline(studio.stages, workers=2)
    feed = FeedCounter(make_jobs([2] * 300))
    tasks = studio.consume(pipeline.run(feed, ordered=ordered))
    if ordered:
        threading.Timer(0.3, gate.set).start()
        assert next(tasks) == 0
        assert feed.taken <= pipeline._places
    else:
        assert [next(tasks) for _ in range(299)].count(0) == 0
        gate.set()
    assert len(list(tasks)) == (299 if ordered else 1)
    assert studio.most_alive <= pipeline._places


class FeedCounter:
    """An iterable that knows how much of it was taken."""

    def __init__(self, jobs: Sizes) -> None:
        self._jobs = jobs
        self.taken = 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for job in self._jobs:
            self.taken += 1
            yield job


def test_run_waits_for_a_slow_consumer() -> None:
    """A consumer that has taken n results finds no more than n and the places begun."""
    studio = Studio()
    pipeline = Pipeline(studio.stages, workers=3)
    feed = FeedCounter(make_jobs([2] * 200))
    for taken, _ in enumerate(studio.consume(pipeline.run(feed))):
        assert feed.taken <= taken + pipeline._places
    assert studio.most_alive <= pipeline._places


def test_run_gives_results_before_the_next_job_comes() -> None:
    """With jobs that come one by one, a result does not wait until all places are taken."""
    studio = Studio()
    seen: list[int] = []
    finished = threading.Event()

    def come() -> Iterator[tuple[int, int]]:
        yield (0, 2)
        assert finished.wait(60)  # set by the last stage of the first job
        yield from ((number, 2) for number in (1, 2))
        assert seen, "the first result was held back"
        yield (3, 2)

    def encode(job: tuple[int, int], picture: Picture, painted: tuple[Pixels, ...]) -> int:
        result = studio.encode(job, picture, painted)
        threading.Timer(0.05, finished.set).start()
        return result

    stages = Stages(studio.decode, studio.paint, encode)
    for task in Pipeline(stages, workers=2).run(come(), ordered=True):
        seen += [task.index]
    assert seen == [0, 1, 2, 3]


def test_run_ends_its_threads_when_it_is_closed() -> None:
    """A consumer that leaves early, in the middle of endless jobs, leaves no thread behind."""
    before = count_threads()
    tasks = Pipeline(Studio().stages, workers=2).run((n % 9, 2) for n in itertools.count())
    assert next(tasks).error is None
    tasks.close()
    assert count_threads() == before


def test_run_ends_its_threads_when_jobs_fail_to_come() -> None:
    """An error of the jobs themselves reaches the consumer, and the threads end."""

    def come() -> Iterator[tuple[int, int]]:
        yield (0, 2)
        message = "no more"
        raise OSError(message)

    before = count_threads()
    with pytest.raises(OSError, match=r"^no more$"):
        list(Pipeline(Studio().stages, workers=2).run(come()))
    assert count_threads() == before


def test_stop_finishes_what_is_being_encoded_and_drops_the_rest() -> None:
    """A picture whose last stage has begun is finished; those behind it are dropped."""
    gate, begun = threading.Event(), threading.Event()
    studio = Studio(gates={("encode", 0): gate})

    def encode(job: tuple[int, int], picture: Picture, painted: tuple[Pixels, ...]) -> int:
        begun.set()
        return studio.encode(job, picture, painted)

    stages = Stages(studio.decode, studio.paint, encode)
    pipeline = Pipeline(stages, workers=1, helpers=1)
    tasks = pipeline.run(make_jobs([2] * 50))

    def stop() -> None:
        assert begun.wait(60)
        pipeline.stop()
        gate.set()

    thread = threading.Thread(target=stop)
    thread.start()
    finished = [task.index for task in tasks]
    thread.join()
    assert finished == [0]
    assert pipeline.stopped


@pytest.mark.parametrize("batch", [1, 3])
def test_stop_ends_a_run_at_any_moment(batch: int, guard: Guard) -> None:
    """Stopped after any number of results, it ends, and every result is whole."""
    for after in range(0, 40, 3):
        studio = Studio()
        pipeline = Pipeline(studio.stages, workers=2, batch=batch)
        results: list[int | None] = []

        def work(
            pipeline: Pipeline[tuple[int, int], int] = pipeline,
            results: list[int | None] = results,
            after: int = after,
        ) -> None:
            if after == 0:
                pipeline.stop()
            for task in pipeline.run(make_jobs([1, 2] * 20)):
                results.append(task.result)
                if len(results) == after:
                    pipeline.stop()

        guard(work)
        assert len(results) >= after
        assert None not in results
    assert count_threads() == 0
