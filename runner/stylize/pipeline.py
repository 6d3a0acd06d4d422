"""Many pictures at once: threads decode, workers paint, threads encode, nothing piles up.

A picture holds one of a fixed number of places from the moment it is read until its
result is taken, so memory does not grow with the folder, and every queue is bounded by
the places. Pillow and ONNX Runtime release the interpreter's lock while they work.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

from runner.images import Picture, Pixels

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass
class Task(Generic[Job, Result]):
    """One picture on its way: where it came in line, what became of it, how long it took."""

    index: int
    job: Job
    picture: Picture | None = None
    painted: tuple[Pixels, ...] = ()
    result: Result | None = None
    error: Exception | None = None
    seconds: float = 0.0

    @property
    def discarded(self) -> bool:
        """Whether the pipeline was stopped before this picture was finished."""
        return self.result is None and self.error is None


@dataclass(frozen=True)
class Stages(Generic[Job, Result]):
    """What is done with a picture.

    Attributes:
        decode: job -> picture.
        paint: photos of one size -> paintings.
        encode: job, picture, painted frames -> result.
    """

    decode: Callable[[Job], Picture]
    paint: Callable[[Sequence[Pixels]], list[Pixels]]
    encode: Callable[[Job, Picture, tuple[Pixels, ...]], Result]


class Pipeline(Generic[Job, Result]):
    """Run jobs through the three stages, once.

    Args:
        stages: the work.
        workers: pictures painted at the same time.
        batch: pictures of one size painted in one run, at most.
        helpers: threads that decode, and as many that encode; by default one per worker.
    """

    def __init__(
        self,
        stages: Stages[Job, Result],
        *,
        workers: int,
        batch: int = 1,
        helpers: int | None = None,
    ) -> None:
        self._stages = stages
        self._workers = workers
        self._helpers = helpers or workers
        self._groups = SizeGroups[Task[Job, Result]](batch)
        # Every worker has its batch, and one waits; a batch in the making besides.
        self._places = 2 * workers * batch + 2 * self._helpers + (2 * batch if batch > 1 else 0)
        # None is a nudge: look again whether there is something to do.
        self._done: SimpleQueue[Task[Job, Result] | None] = SimpleQueue()
        # No Event: a signal handler may interrupt the thread that holds its lock.
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopped

    def stop(self) -> None:
        """Take no more pictures, and drop those not yet being encoded; safe in a signal handler."""
        self._stopped = True
        self._done.put(None)

    def run(
        self, jobs: Iterable[Job], *, ordered: bool = False
    ) -> Generator[Task[Job, Result], None, None]:
        """Yield finished tasks, failed ones too, as they come or in the order of ``jobs``.

        An exception of a stage ends its own task alone. Closing the generator drops what is
        in flight and ends the threads.
        """
        with (
            ThreadPoolExecutor(self._helpers, "encode") as self._encoders,
            ThreadPoolExecutor(self._workers, "paint") as self._painters,
            ThreadPoolExecutor(self._helpers, "decode") as self._decoders,
        ):
            try:
                finished = self._drive(jobs, ordered=ordered)
                yield from (task for task in finished if not task.discarded)
            finally:
                self._stopped = True  # a consumer that leaves early drops what is in flight

    def _drive(self, jobs: Iterable[Job], *, ordered: bool) -> Iterator[Task[Job, Result]]:
        feed = enumerate(jobs)
        held: dict[int, Task[Job, Result]] = {}
        taken = yielded = 0
        more = True
        while more or yielded < taken:
            more = more and not self.stopped
            room = more and taken - yielded < self._places
            # What is finished goes first: the next job may be long in coming.
            if room and self._done.empty():
                more = self._take(feed)
                taken += more
                continue
            if not more:
                self._submit(self._groups.close())
                if yielded == taken:
                    break
            if not room:
                self._submit(self._groups.release(taken - yielded - len(held)))
            task = self._done.get()
            if task is None:
                continue
            held[task.index] = task
            while held and (not ordered or yielded in held):
                yield held.pop(yielded if ordered else next(iter(held)))
                yielded += 1

    def _take(self, feed: Iterator[tuple[int, Job]]) -> bool:
        """Start on the next job; False when there is none."""
        entry = next(feed, None)
        if entry is None:
            return False
        self._groups.expect(1)
        self._decoders.submit(self._decode, Task(*entry))
        return True

    def _decode(self, task: Task[Job, Result]) -> None:
        if self._attempt(task, lambda: self._stages.decode(task.job), "picture"):
            ready = self._groups.add(task, self._size_key(task))
            self._done.put(None)
        else:
            ready = self._groups.expect(-1)
            self._done.put(task)
        self._submit(ready)

    @staticmethod
    def _size_key(task: Task[Job, Result]) -> object:
        """Pictures with equal keys may be painted together; an animation goes alone."""
        picture = task.picture
        return picture.size if picture and len(picture.frames) == 1 else task.index

    def _submit(self, groups: list[list[Task[Job, Result]]]) -> None:
        for group in groups:
            self._painters.submit(self._paint, group)

    def _paint(self, group: list[Task[Job, Result]]) -> None:
        begun = time.perf_counter()
        painted: list[tuple[Pixels, ...]] = [()] * len(group)
        error = None
        try:
            painted = self._paint_group(group)
        except Exception as failure:  # noqa: BLE001 - see _attempt
            error = failure
        seconds = (time.perf_counter() - begun) / len(group)
        for task, frames in zip(group, painted, strict=True):
            task.seconds += seconds
            task.painted, task.error = frames, error
            if frames:
                self._encoders.submit(self._encode, task)
            else:
                self._done.put(task)

    def _paint_group(self, group: list[Task[Job, Result]]) -> list[tuple[Pixels, ...]]:
        """Paint single pictures together, an animation frame by frame; nothing once stopped."""
        photos = [frame for task in group if task.picture for frame in task.picture.frames]
        if len(group) > 1 and not self.stopped:
            painted = self._stages.paint(photos)
            return [(frame,) for frame, _ in zip(painted, group, strict=True)]
        frames = tuple(self._stages.paint([photo])[0] for photo in photos if not self.stopped)
        return [frames if len(frames) == len(photos) else ()] * len(group)

    def _encode(self, task: Task[Job, Result]) -> None:
        picture = task.picture
        if picture is not None:
            self._attempt(
                task, lambda: self._stages.encode(task.job, picture, task.painted), "result"
            )
        task.picture, task.painted = None, ()
        self._done.put(task)

    def _attempt(self, task: Task[Job, Result], work: Callable[[], object], attribute: str) -> bool:
        """Run one stage of one task; keep its result, its failure and its time."""
        if self.stopped:
            return False
        begun = time.perf_counter()
        try:
            setattr(task, attribute, work())
        except Exception as error:  # noqa: BLE001 - whatever happens to one picture, the others go on
            task.error = error
        task.seconds += time.perf_counter() - begun
        return task.error is None


@dataclass
class SizeGroups(Generic[Job]):
    """Collects pictures of one size until a batch is full.

    At most two batches of pictures wait; then the largest group goes as it is. When nothing
    more is expected, everything goes.

    Args:
        batch: the largest group.
    """

    batch: int
    _waiting: dict[object, list[Job]] = field(default_factory=dict)
    _expected: int = 0
    _closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, count: int) -> list[list[Job]]:
        """Count ``count`` more (or fewer) pictures that are still to be added."""
        with self._lock:
            self._expected += count
            return self._take_ready()

    def add(self, item: Job, key: object) -> list[list[Job]]:
        """Add an expected picture; return the groups that shall be painted now."""
        with self._lock:
            self._expected -= 1
            self._waiting.setdefault(key, []).append(item)
            return self._take_ready()

    def close(self) -> list[list[Job]]:
        """Say that no more pictures will be expected."""
        with self._lock:
            self._closed = True
            return self._take_ready()

    def release(self, unfinished: int) -> list[list[Job]]:
        """Let everything go where all ``unfinished`` pictures wait here, and for each other."""
        with self._lock:
            if sum(map(len, self._waiting.values())) < unfinished:
                return []
            groups = list(self._waiting.values())
            self._waiting.clear()
            return groups

    def _take_ready(self) -> list[list[Job]]:
        ready = [key for key, items in self._waiting.items() if len(items) >= self.batch]
        if self._closed and self._expected == 0:
            ready = list(self._waiting)
        elif sum(map(len, self._waiting.values())) > 2 * self.batch and not ready:
            ready = [max(self._waiting, key=lambda key: len(self._waiting[key]))]
        return [self._waiting.pop(key) for key in ready]
