"""Where pictures are decoded: in threads, or, where Python itself is the work, in processes.

Decoding a photograph happens in C without the interpreter's lock, and threads share it well.
Opening a file of 28x28 pixels is nearly all Python, which one thread at a time may run: there
every thread hands its work to a process with an interpreter of its own. Where that is safe it is
a copy of this one, which starts at once with everything imported.
"""

import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

THREADS = "/proc/self/task"  # Linux: a folder per thread of this process
SMALL_BYTES = 4096  # of a file on average; above it threads are as good
WORTHWHILE_FILES = 4000  # fewer are done before the processes have started
WORTHWHILE_COPIES = 1000  # the same, where they are copies


def choose_processes(sizes: Sequence[int], processors: int) -> bool:
    """Tell whether files of these sizes in bytes are decoded faster by processes."""
    least = WORTHWHILE_COPIES if may_copy() else WORTHWHILE_FILES
    return (
        processors > 1
        and len(sizes) >= least
        and sum(sizes) <= SMALL_BYTES * len(sizes)
        and hasattr(signal, "pthread_sigmask")
        and may_start_processes()
    )


def may_start_processes() -> bool:
    """Tell whether this process may have others: those of a pool may not."""
    import multiprocessing  # noqa: PLC0415 - few runs need it

    return not multiprocessing.current_process().daemon


def may_copy() -> bool:
    """Tell whether this process may be copied: with one thread, no lock is held by another."""
    try:
        return len(os.listdir(THREADS)) == 1  # noqa: PTH208 - names are all that is asked for
    except OSError:
        return False


@contextmanager
def open_decoders(count: int, *, processes: bool) -> Iterator[Executor]:
    """Open threads or processes that decode; on leaving, they end.

    Args:
        count: of them.
        processes: rather than threads.
    """
    helpers = start_helpers(count) if processes else []
    executor = HelperExecutor(helpers) if processes else ThreadPoolExecutor(count, "decode")
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)
        for helper in helpers:
            helper.close()


class Helper:
    """A process that calls functions, one at a time.

    Python's own pool of processes would leave them behind, waiting, when this one is killed;
    these see the end of their pipe.

    Args:
        others: started before.
    """

    def __init__(self, others: Sequence["Helper"] = ()) -> None:
        from multiprocessing import get_context  # noqa: PLC0415 - few runs need it

        copied = may_copy()
        context: BaseContext = get_context("fork" if copied else "spawn")
        self.connection, theirs = context.Pipe()
        # A copy holds our ends, too, and a pipe ends when nobody holds the other end.
        inherited = (*(other.connection for other in others), self.connection) if copied else ()
        self._process = context.Process(target=serve, args=(theirs, inherited), daemon=True)  # type: ignore[attr-defined]
        self._process.start()
        theirs.close()

    def call(self, work: Callable[[], Result]) -> Result:
        """Return ``work()``, called over there; both are pickled.

        Raises:
            BrokenExecutor: the process has ended.
            Exception: what ``work`` raises.
        """
        try:
            self.connection.send(work)
            done, found = self.connection.recv()
        except (EOFError, OSError):
            message = "a helper process has ended"
            raise BrokenExecutor(message) from None
        if not done:
            raise found
        result: Result = found
        return result

    def close(self) -> None:
        """Let the process end, and wait for it."""
        self.connection.close()
        self._process.join()


class HelperExecutor(Executor):
    """Threads that hand their work to helpers.

    Args:
        helpers: as many as there shall be threads.
    """

    def __init__(self, helpers: Sequence[Helper]) -> None:
        self._threads = ThreadPoolExecutor(len(helpers), "decode")
        self._idle: SimpleQueue[Helper] = SimpleQueue()
        for helper in helpers:
            self._idle.put(helper)

    def submit(
        self,
        fn: Callable[Parameters, Result],
        /,
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Future[Result]:
        """Schedule a call, of a function that other processes can import."""
        return self._threads.submit(self._hand_over, partial(fn, *args, **kwargs))

    def _hand_over(self, work: Callable[[], Result]) -> Result:
        helper = self._idle.get()
        try:
            return helper.call(work)
        finally:
            self._idle.put(helper)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor's signature
        """Take no more work; see :meth:`concurrent.futures.Executor.shutdown`."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


def start_helpers(count: int) -> list[Helper]:
    """Start processes that leave Ctrl-C to this one."""
    # A new process inherits what is blocked: Ctrl-C must not meet one that is half imported.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        helpers: list[Helper] = []
        for _ in range(count):
            helpers.append(Helper(helpers))
        return helpers
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(
    connection: "Connection[Any, Any]", inherited: "Sequence[Connection[Any, Any]]" = ()
) -> None:
    """Call what comes through a pipe until it ends; Ctrl-C is the other end's business.

    Args:
        connection: the pipe.
        inherited: ends of pipes that a copy of another process has and must not hold.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in inherited:
        other.close()
    warnings.filterwarnings("ignore", module="PIL")  # of odd metadata in users' files
    with suppress(EOFError, OSError):  # the pipe's end, whichever way that end has gone
        while True:
            work = connection.recv()
            try:
                answer = True, work()
            except Exception as error:  # noqa: BLE001 - raised again at the other end
                answer = False, error
            connection.send(answer)
