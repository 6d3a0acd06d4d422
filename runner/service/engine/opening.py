"""Opening a model: its file, or the one of another precision beside it."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.errors import ModelError, explain
from runner.network import open_network
from runner.precision import Choice, choose_precision, read_precision, require_support
from runner.properties import read_properties
from runner.service.engine.files import Signatures
from runner.service.engine.served import ServedModel
from runner.service.settings import ServiceSettings
from runner.session import choose_provider


@dataclass(frozen=True)
class Plan:
    """What a model is opened from, and in which state the files are.

    Attributes:
        path: of the file.
        precision: that it has.
        signatures: of that file and of the one that gives the model its name.
        remark: why it is not another one, or empty; it makes no other plan.
    """

    path: Path
    precision: str
    signatures: Signatures
    remark: str = field(default="", compare=False)


class Opener:
    """Opens files as the settings say.

    The precision that is asked for is a wish of all models: one that has no such file is opened
    as it is. So is one whose file of that precision is another network, or cannot run: there is
    nothing that its own file could not answer.

    Args:
        settings: of the service.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings

    def require_support(self) -> None:
        """Check what is the same for all models.

        Raises:
            ProviderError: the provider cannot be used, or cannot compute in the precision.
        """
        provider, precision = choose_provider(self._settings.provider), self._settings.precision
        if precision != "auto":
            require_support(provider, precision)

    def plan(self, path: Path, signatures: Signatures, provider: str | None = None) -> Plan:
        """Return what would be opened now.

        Args:
            path: of the file that gives the model its name.
            signatures: of it and its siblings.
            provider: that a model runs on already; by default what the settings would try.

        Raises:
            ProviderError: the provider cannot be used.
        """
        provider = provider or choose_provider(self._settings.provider)
        try:
            choice = choose_precision(path, provider, self._settings.precision)
        except ModelError as error:
            choice = Choice(path, read_precision(read_properties(path)), error.message)
        states = {file: signatures.get(file) for file in (path, choice.path)}
        return Plan(choice.path, choice.precision, states, choice.remark)

    def open(self, name: str, version: str, path: Path) -> ServedModel:
        """Return a model that has answered a first input.

        Args:
            name: of the model.
            version: of it.
            path: of the file that gives it its name.

        Raises:
            ModelError: the file cannot be served.
            ProviderError: the provider cannot be used.
        """
        plan = self.plan(path, {})
        asked = "auto" if self._settings.precision == "auto" else plan.precision
        try:
            return self.try_out(name, version, path, Choice(plan.path, asked, plan.remark))
        except Exception as error:
            if plan.path == path:
                raise
            remark = f"{plan.path} was not taken: {explain(error)}"
        return self.try_out(name, version, path, Choice(path, "fp32", remark))

    def try_out(self, name: str, version: str, path: Path, choice: Choice) -> ServedModel:
        """Open a file in a precision and run it once; see :meth:`open`."""
        settings = self._settings
        network = open_network(
            path,
            settings.provider,
            settings.threads,
            precision=choice.precision,
            runs=settings.workers,
        )
        remark = choice.remark or network.remark
        model = ServedModel(name, version, replace(network, remark=remark))
        model.warm_up()
        return model
