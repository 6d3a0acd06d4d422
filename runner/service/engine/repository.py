"""The models that are served, by name: loading, replacing and unloading them."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runner.errors import ModelError, explain, list_nearest_first
from runner.service.engine.files import Signatures, list_files, read_signatures
from runner.service.engine.opening import Opener, Plan
from runner.service.engine.served import ServedModel
from runner.service.engine.statistics import Ledger
from runner.service.errors import BadRequest, NotFound, Unready
from runner.service.settings import ServiceSettings

LOG = logging.getLogger("impasto.service")
State = Literal["READY", "LOADING", "UNAVAILABLE"]


@dataclass(frozen=True)
class Entry:
    """One model of the repository's index.

    Attributes:
        name: of the model.
        version: the one that is served, or that would be; a whole number from 1 as text.
        state: ``READY``, ``LOADING`` or ``UNAVAILABLE``.
        reason: why it is not ready, why its newer file was refused, or why a file of another
            precision beside it was not taken; empty otherwise.
    """

    name: str
    version: str
    state: State
    reason: str = ""


class Repository:
    """The models of the collection and of the settings' folder.

    A file that is replaced is opened beside the old one, tried on a first input, and only then
    takes its name over, as the next version; one that is refused leaves the old one where it was.
    A file that is removed stays served until it is unloaded: some programs replace a file by
    removing it first. A model that was unloaded stays so until it is loaded by name.

    Files of other precisions beside a file are no models of their own: one of them may be what
    is opened (see :mod:`runner.precision`), and then its changes count as those of the file.

    Only one thread at a time changes anything; reading needs no lock.

    Args:
        settings: of the service.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._folder = settings.models
        self._opener = Opener(settings)
        self._changing = threading.Lock()
        self._files: dict[str, Path] = {}
        self._models: dict[str, ServedModel] = {}
        self._versions: dict[str, int] = {}  # the last that was served
        self._signatures: dict[str, Signatures] = {}  # of what was loaded or refused
        self._sightings: dict[str, Signatures] = {}  # of what may still be being written
        self._plans: dict[str, Plan] = {}  # that the loaded ones were opened by
        self._reasons: dict[str, str] = {}
        self._unloaded: set[str] = set()
        self._loading = ""

    def index(self) -> tuple[Entry, ...]:
        """Return an entry for each model that is known, by name."""
        return tuple(self.describe(name) for name in sorted({*self._files, *self._models}))

    def describe(self, name: str) -> Entry:
        """Return the entry of a model that is known."""
        model = self._models.get(name)
        reason = self._reasons.get(name, "")
        if model is not None:
            return Entry(name, model.version, "READY", reason)
        version = str(self._versions.get(name, 0) + 1)
        if name == self._loading:
            return Entry(name, version, "LOADING")
        return Entry(name, version, "UNAVAILABLE", reason or "not loaded")

    def names(self) -> tuple[str, ...]:
        """Return the names of the models that are loaded, sorted."""
        return tuple(sorted(self._models))

    def list_ledgers(self) -> list[Ledger]:
        """Return the statistics of the models that are loaded."""
        return [model.ledger for model in self._models.values()]

    def find(self, name: str, version: str | None = None) -> ServedModel:
        """Return a model that is loaded.

        Args:
            name: of the model.
            version: that it must be of; any when None or empty.

        Raises:
            NotFound: no such model is known, or this version of it is not the one served.
            Unready: it is known and not loaded.
        """
        model = self._models.get(name)
        if model is None:
            self.require_known(name)
            message = f"model {name!r} is not loaded ({self.describe(name).reason}); load it first"
            raise Unready(message)
        if version and version != model.version:
            message = (
                f"model {name!r} has no version {version[:20]!r}; the one served is {model.version}"
            )
            raise NotFound(message)
        return model

    def require_known(self, name: str) -> None:
        """Stop where a name means nothing.

        Raises:
            NotFound: no file and no loaded model has it.
        """
        if name not in self._files and name not in self._models:
            shown = name[:80]
            listed = list_nearest_first(shown, sorted({*self._files, *self._models}))
            message = f"model {shown!r} is unknown; the models here are: {listed or 'none'}"
            raise NotFound(message)

    def load_all(self) -> None:
        """Load every model there is, blocking; one that is refused is logged and left out.

        Raises:
            ModelError: none can be loaded; it says why.
            ProviderError: the provider cannot be used, or cannot compute in the precision.
        """
        with self._changing:
            self._opener.require_support()
            self.scan()
            for name in sorted(self._files):
                self.attempt(name)
            if not self._models:
                message = "no model can be served: " + "; ".join(self._reasons.values())
                raise ModelError(message)

    def load(self, name: str) -> None:
        """Load a model, or its file anew, blocking.

        Raises:
            NotFound: no file has this name.
            BadRequest: the file is refused; an old version stays.
        """
        with self._changing:
            self.scan()
            self.require_known(name)
            if not self.attempt(name):
                message = f"model {name!r} cannot be loaded: {self._reasons[name]}"
                raise BadRequest(message)
            self._unloaded.discard(name)

    def unload(self, name: str) -> None:
        """Take a model's name away, blocking; requests that wait for it are still answered.

        Raises:
            NotFound: no such model is known.
        """
        with self._changing:
            self.require_known(name)
            self._models = {key: model for key, model in self._models.items() if key != name}
            self._unloaded.add(name)
            self._reasons[name] = "unloaded"
            LOG.info("model %s unloaded", name)

    def look(self) -> None:
        """Load what is new or replaced since the last look, blocking.

        A file is left alone until two looks have found it the same, for it may be half written.
        """
        with self._changing:
            self.scan()
            for name in sorted({*self._files} - self._unloaded):
                path = self._files[name]
                signatures = read_signatures(path)
                if signatures[path] is None or signatures == self._signatures.get(name):
                    self._sightings.pop(name, None)
                elif signatures != self._sightings.get(name):
                    self._sightings[name] = signatures
                elif self.is_current(name, signatures):
                    self._signatures[name] = signatures
                else:
                    self.attempt(name)

    def is_current(self, name: str, signatures: Signatures) -> bool:
        """Tell whether a model would be opened from the same files again.

        So it is where a sibling has changed that is not the one in use, nor would be; then only
        what is to be said about it may be something else.
        """
        model, old = self._models.get(name), self._plans.get(name)
        if model is None or old is None:
            return False
        path = self._files[name]
        plan = self._opener.plan(path, signatures, model.provider)
        if plan != old:
            return False
        if plan.remark != old.remark:
            self._plans[name] = plan
            self.remark(name, hide_folder(plan.remark, path))
        return True

    def scan(self) -> None:
        """List the files, and remember those of loaded models that are gone."""
        found = list_files(self._folder)
        for name in {*self._files} - {*found}:
            self.notice_removal(name)
        self._files = found

    def notice_removal(self, name: str) -> None:
        """Say that a file is gone, or has become the sibling of another."""
        self._signatures.pop(name, None)
        self._plans.pop(name, None)
        if name in self._models:
            what = "belongs to another model now" if self._files[name].exists() else "is gone"
            self._reasons[name] = f"its file {what}; this version stays until it is unloaded"
            LOG.warning("model %s: %s", name, self._reasons[name])
        else:
            self._reasons.pop(name, None)
            self._unloaded.discard(name)

    def attempt(self, name: str) -> bool:
        """Load the file of a model and switch to it, or log why not.

        Returns:
            whether it is loaded.
        """
        path = self._files.get(name)
        if path is None:
            return False  # gone, as notice_removal() has said
        self._loading = name
        self._sightings.pop(name, None)
        self._signatures[name] = read_signatures(path)
        try:
            model = self.open(name, path)
        except Exception as error:  # noqa: BLE001 - a file can break the runtime in any way
            self.refuse(name, hide_folder(explain(error), path))
            return False
        finally:
            self._loading = ""
        self._versions[name] = int(model.version)
        self._models = {**self._models, name: model}
        self.announce(model, path)
        return True

    def open(self, name: str, path: Path) -> ServedModel:
        """Open and try a file as a model's next version.

        Raises:
            ImpastoError: the file cannot be served, or changes meanwhile.
        """
        before = self._signatures[name]
        version = str(self._versions.get(name, 0) + 1)
        model = self._opener.open(name, version, path)
        plan = self._opener.plan(path, before, model.provider)
        now = read_signatures(path)
        for file in {path, model.card.path, plan.path}:
            if now[file] != before[file]:
                message = f"{file}: it was being written while it was read; let the writer finish"
                raise ModelError(message)
        self._plans[name] = plan
        return model

    def announce(self, model: ServedModel, path: Path) -> None:
        """Log what a model is served from, and why not from another file."""
        taken = model.card.path.name
        LOG.info(
            "model %s version %s is served from %s in %s",
            model.name, model.version, taken, model.precision,
        )  # fmt: skip
        self.remark(model.name, hide_folder(model.remark, path))

    def remark(self, name: str, remark: str) -> None:
        """Remember and log what is to be said about a loaded model; nothing when empty."""
        self._reasons.pop(name, None)
        if remark:
            self._reasons[name] = remark
            LOG.warning("model %s: %s", name, remark)

    def refuse(self, name: str, reason: str) -> None:
        """Remember and log why a file is not served."""
        old = self._models.get(name)
        kept = f"version {old.version} stays" if old else "it is not served"
        self._reasons[name] = f"{reason} ({kept})"
        LOG.error("model %s: %s", name, self._reasons[name])


def hide_folder(text: str, path: Path) -> str:
    """Return a message in which a file and its siblings go by their names: clients may read it."""
    for file in read_signatures(path):
        text = text.replace(str(file), file.name)
    return text
