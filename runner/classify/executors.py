"""Where pictures are decoded: in threads, or, where Python itself is the work, in processes.

Decoding a photograph happens in C without the interpreter's lock, and threads share it well.
Opening a file of 28x28 pixels is nearly all Python, which one thread at a time may run: there
processes with an interpreter of their own pay. They do everything with their pictures where the
network is small, see :mod:`runner.classify.crew`; else every thread hands its decoding to one.
Where that is safe a process is a copy of this one, which starts at once with everything imported.
"""

import os
import pickle
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from runner.classify.jobs import make_job
from runner.processors import count_processors

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

PIPE_BYTES = 2**16  # Linux: a third of what a pipe between processes holds
LARGEST_MODEL = 2**25  # bytes of an ONNX file that every process opens
CUDA_LIBRARY = "*onnxruntime_providers_cuda.*"
THREADS = "/proc/self/task"  # Linux: a folder per thread of this process
SMALL_BYTES = 4096  # of a file on average; above it threads are as good
SAMPLE = 256  # files, whose mean size is taken for that of all
WORTHWHILE_FILES = 4000  # fewer are done before the processes have started
WORTHWHILE_COPIES = 1000  # the same, where they are copies


def choose_processes(sources: Sequence[str], processors: int) -> bool:
    """Tell whether processes are faster than threads: for many small files."""
    least = WORTHWHILE_COPIES if may_copy() else WORTHWHILE_FILES
    return (
        processors > 1
        and len(sources) >= least
        and estimate_size(sources) <= SMALL_BYTES
        and hasattr(signal, "pthread_sigmask")
        and may_start_processes()
    )


def estimate_size(sources: Sequence[str]) -> float:
    """Return the mean size of files in bytes, from a sample taken evenly among them."""
    sizes = [make_job(source).size for source in sources[:: -(-len(sources) // SAMPLE)]]
    return sum(sizes) / len(sizes)


def suits_clerks(model: str | Path, provider: str, workers: int) -> bool:
    """Tell whether every process may open the network itself, and so do all the work.

    A network that is large would take its memory, and the time to read it, once for each; a GPU
    is better fed by one; and a process classifies on one thread, which must leave none idle.

    Args:
        model: name or file.
        provider: ``auto``, ``cpu``, ``cuda`` or ``openvino``.
        workers: processes.
    """
    try:
        size = os.stat(model).st_size  # noqa: PTH116 - a name is no path
    except (OSError, ValueError):
        size = 0  # one that ships with the package and is small, or none at all
    idle = count_processors() // workers > 1
    cpu = provider == "cpu" or (provider == "auto" and not has_cuda())
    return size <= LARGEST_MODEL and cpu and not idle


def has_cuda() -> bool:
    """Tell whether the installed ONNX Runtime is a build with CUDA, without importing it."""
    found = find_spec("onnxruntime")
    folders = found.submodule_search_locations if found else None
    return any(list(Path(folder, "capi").glob(CUDA_LIBRARY)) for folder in folders or ())


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


def call_work(work: Callable[[], Result]) -> Result:
    """Return what a message returns when it is called."""
    return work()


@contextmanager
def explain_end() -> Iterator[None]:
    """Turn a broken pipe into the error of a process that has ended.

    Raises:
        BrokenExecutor: it has.
    """
    try:
        yield
    except (EOFError, OSError):
        message = "a helper process has ended"
        raise BrokenExecutor(message) from None


class Helper:
    """A process that answers messages, one at a time; by default it calls them.

    Python's own pool of processes would leave them behind, waiting, when this one is killed;
    these see the end of their pipe.

    Args:
        others: started before.
        answer: what it does with a message; pickled where the process is no copy.
    """

    def __init__(
        self, others: Sequence["Helper"] = (), answer: Callable[[Any], Any] = call_work
    ) -> None:
        from multiprocessing import get_context  # noqa: PLC0415 - few runs need it

        copied = may_copy()
        #: bytes of messages that may wait for it while it is at work: where a pipe holds
        #: fewer, both ends might wait until the other one reads
        self.room = PIPE_BYTES if copied else 0
        context: BaseContext = get_context("fork" if copied else "spawn")
        self.connection, theirs = context.Pipe()
        # A copy holds our ends, too, and a pipe ends when nobody holds the other end.
        inherited = (*(other.connection for other in others), self.connection) if copied else ()
        self._process = context.Process(target=serve, args=(theirs, answer, inherited), daemon=True)  # type: ignore[attr-defined]
        self._process.start()
        theirs.close()

    def call(self, work: Callable[[], Result]) -> Result:
        """Return ``work()``, called over there; both are pickled.

        Raises:
            BrokenExecutor: the process has ended.
            Exception: what ``work`` raises.
        """
        self.send(pickle.dumps(work))
        result: Result = self.receive()
        return result

    def send(self, message: bytes) -> None:
        """Send a pickled message.

        Raises:
            BrokenExecutor: the process has ended.
        """
        with explain_end():
            self.connection.send_bytes(message)

    def receive(self) -> Any:  # noqa: ANN401 - whatever was asked for
        """Return the answer to the oldest message that has none.

        Raises:
            BrokenExecutor: the process has ended.
            Exception: what was raised over there.
        """
        with explain_end():
            done, found = self.connection.recv()
        if not done:
            raise found
        return found

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


def start_helpers(count: int, answer: Callable[[Any], Any] = call_work) -> list[Helper]:
    """Start processes that leave Ctrl-C to this one; see :class:`Helper`."""
    # A new process inherits what is blocked: Ctrl-C must not meet one that is half imported.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        helpers: list[Helper] = []
        for _ in range(count):
            helpers.append(Helper(helpers, answer))
        return helpers
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(
    connection: "Connection[Any, Any]",
    answer: Callable[[Any], Any],
    inherited: "Sequence[Connection[Any, Any]]" = (),
) -> None:
    """Answer what comes through a pipe until it ends; Ctrl-C is the other end's business.

    Args:
        connection: the pipe.
        answer: to each message.
        inherited: ends of pipes that a copy of another process has and must not hold.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in inherited:
        other.close()
    warnings.filterwarnings("ignore", module="PIL")  # of odd metadata in users' files
    with suppress(EOFError, OSError):  # the pipe's end, whichever way that end has gone
        while True:
            message = connection.recv()
            try:
                found = True, answer(message)
            except Exception as error:  # noqa: BLE001 - raised again at the other end
                found = False, error
            connection.send(found)
