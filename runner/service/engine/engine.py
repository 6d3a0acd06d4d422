"""The engine: models, queues, workers and statistics behind one class."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Literal, ParamSpec, Self, TypeVar

from runner.service.engine.admission import Admission
from runner.service.engine.crew import NICENESS, Crew, Desk
from runner.service.engine.repository import Repository
from runner.service.engine.scheduling import Scheduler
from runner.service.engine.served import ServedModel
from runner.service.engine.statistics import Statistics
from runner.service.engine.tensors import Array
from runner.service.errors import Unready
from runner.service.settings import ServiceSettings

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
LOG = logging.getLogger("impasto.service")
State = Literal["starting", "ready", "draining", "stopped"]
STATES = {
    "starting": "the server is starting; try again",
    "draining": "the server is shutting down; send the request to another one",
    "stopped": "the server has stopped; send the request to another one",
}
RETRY_S = 1
MOST_CONTROLS = 16  # loads and unloads that may wait
LOOK_SECONDS, QUIET_LOOKS = 0.02, 2


@dataclass(frozen=True)
class Inference:
    """The answer to one request.

    Attributes:
        outputs: the wanted tensors by name, in the order in which they were asked for.
        model: the name of the model that computed them.
        version: of it.
    """

    outputs: dict[str, Array]
    model: str
    version: str


class Engine:
    """Runs models for many callers at once; lives on one event loop.

    ::

        async with Engine(settings) as engine:
            inference = await engine.infer("lenet5", {"image": digits})

    Before :meth:`start` only ``ready``, :meth:`require_room` and the attributes can be used.

    Args:
        settings: of the service.

    Attributes:
        settings: see above.
        repository: the models; ``find``, ``index`` and ``names`` are for everyone.
        statistics: counts and times of each model.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.repository = Repository(settings)
        self.statistics = Statistics(self.repository.list_ledgers)
        self._state: State = "starting"

    @property
    def ready(self) -> bool:
        """Whether new requests are let in: between :meth:`start` and :meth:`drain`."""
        return self._state == "ready"

    @property
    def idle(self) -> bool:
        """Whether no request waits or runs, and no call of :meth:`run_blocking` is unfinished."""
        return self._scheduler.idle and not self._desk.unfinished

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Load the models, start the workers and watch the files.

        Raises:
            ModelError: not a single model can be loaded.
        """
        self._scheduler = Scheduler(self.settings)
        self._admission = Admission(self.settings, self._scheduler)
        self._crews = (
            Crew(1, "repository"),
            Crew(max(2, self.settings.workers), "blocking", NICENESS),
        )
        self._librarian = Desk(self._crews[0], MOST_CONTROLS)
        self._desk = Desk(self._crews[1], self.settings.max_connections)
        self._watcher = asyncio.create_task(self.watch())
        try:
            await self._librarian.call(self.repository.load_all)
        except BaseException:
            await self.stop()
            raise
        if self._state == "starting":  # nobody began to drain meanwhile
            self._state = "ready"

    async def watch(self) -> None:
        """Look at the model files now and then, until cancelled."""
        while self.settings.watch_seconds:
            await asyncio.sleep(self.settings.watch_seconds)
            try:
                await self._librarian.call(self.repository.look)
            except Exception:  # the next look may succeed
                LOG.exception("the model files cannot be looked at")

    def begin_drain(self) -> None:
        """Let no new request in, at once; those that are in go on.

        A request is in when :meth:`require_room` gave it its model.
        """
        if self._state != "stopped":
            self._state = "draining"

    async def drain(self, seconds: float | None = None) -> bool:
        """Let no new request in and wait until those that are in are answered.

        Args:
            seconds: at most; the settings' ``drain_seconds`` when None. Those that are left then
                get :class:`~runner.service.errors.Unready`.

        Returns:
            whether all were answered.
        """
        self.begin_drain()
        loop = asyncio.get_running_loop()
        end = loop.time() + (self.settings.drain_seconds if seconds is None else seconds)
        quiet = 0  # looks in a row; between two of its steps a request is nowhere to be seen
        while quiet < QUIET_LOOKS and loop.time() < end:
            await asyncio.sleep(LOOK_SECONDS)
            quiet = quiet + 1 if self.idle else 0
        drained = self.idle
        self._state = "stopped"
        self._scheduler.abandon(STATES["draining"])
        return drained

    async def stop(self) -> None:
        """End at once: requests that wait get ``Unready``, and the threads end."""
        self._state = "stopped"
        self._watcher.cancel()
        with suppress(asyncio.CancelledError):
            await self._watcher
        self._scheduler.abandon(STATES["stopped"])
        self._scheduler.close()
        for crew in self._crews:
            crew.close()

    def require_room(self, model: str, version: str | None = None) -> ServedModel:
        """Return a model whose queue takes another request; to be asked before a body is read.

        Whoever hands it to :meth:`infer` gets an answer from this version, also when the engine
        drains or the file is replaced meanwhile.

        Raises:
            NotFound: no such model or version.
            Unready: the engine is not ready, or the model is not loaded.
            Overloaded: the queue is full.
        """
        if self._state != "ready":
            raise Unready(STATES[self._state], RETRY_S)
        served = self.repository.find(model, version)
        self._admission.keep(served)
        self._admission.check_room(served)
        return served

    async def infer(
        self,
        model: str | ServedModel,
        inputs: Mapping[str, Array],
        *,
        outputs: Sequence[str] | None = None,
        deadline_s: float | None = None,
        version: str | None = None,
    ) -> Inference:
        """Run a model on one request, joined with others where that changes nothing.

        A caller that is cancelled takes its request out of the queue.

        Args:
            model: name, or what :meth:`require_room` returned.
            inputs: tensors by name; they must not change before the answer.
            outputs: names of those wanted; all when None or empty.
            deadline_s: seconds from now; the settings' ``request_seconds`` when None, and at most.
            version: that must answer; the one that is served when None or empty.

        Raises:
            BadRequest: the tensors do not fit the model.
            NotFound: no such model or version.
            Unready: the engine is not ready, or the model is not loaded.
            Overloaded: the queue is full; ``retry_after_s`` says when to try again.
            Expired: the deadline passed.
            Failed: the model failed on this request.
        """
        served = self.require_room(model, version) if isinstance(model, str) else model
        if self._state in ("starting", "stopped"):
            raise Unready(STATES[self._state], RETRY_S)
        longest = self.settings.request_seconds
        seconds = longest if deadline_s is None else min(deadline_s, longest)
        found = await self._admission.answer(served, inputs, outputs, seconds)
        return Inference(found, served.name, served.version)

    async def run_blocking(
        self,
        function: Callable[Parameters, Result],
        /,
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Call a function in a thread beside the event loop: decoding, encoding, long JSON.

        A caller that is cancelled before its turn takes the call back.

        Raises:
            Overloaded: as many calls are unfinished as connections may be open.
            Exception: what ``function`` raises.
        """
        return await self._desk.call(partial(function, *args, **kwargs))

    async def load(self, model: str) -> None:
        """Load a model, or load its file again beside the old version and switch.

        Raises:
            NotFound: no file has this name.
            BadRequest: its file is refused; an old version stays.
            Overloaded: too many loads wait.
        """
        await self._librarian.call(partial(self.repository.load, model))

    async def unload(self, model: str) -> None:
        """Let no new requests in for a model; those that are in are answered.

        Raises:
            NotFound: no such model is known.
            Overloaded: too many loads wait.
        """
        await self._librarian.call(partial(self.repository.unload, model))
        self._admission.release(model)
