"""Every number that bounds the service, with its default and the reason for it."""

import re
from dataclasses import dataclass
from pathlib import Path

from runner.precision import PRECISIONS
from runner.processors import count_processors
from runner.service.errors import SettingsError

MEBIBYTE = 2**20
# The least and the most that each number may be; only ``rate`` may be None instead.
WHOLE = {
    "port": (0, 65_535), "workers": (0, 1024), "threads": (1, 1024), "max_batch": (1, 2**20),
    "max_queue": (1, 2**20), "max_waiting_bytes": (1, 2**40), "max_request_bytes": (1, 2**40),
    "max_pixels": (1, 2**31), "max_connections": (1, 2**20),
}  # fmt: skip
REAL = {
    "max_delay_ms": (0, 3_600_000), "max_run_ms": (0.001, 3_600_000), "at_once_ms": (0, 10),
    "rate": (0.001, 1_000_000),
    "request_seconds": (0.001, 86_400), "body_seconds": (0.001, 86_400),
    "drain_seconds": (0, 3600), "watch_seconds": (0, 3600),
}  # fmt: skip
HOST_NAME = re.compile(r"[A-Za-z0-9_.-]{1,253}")
CHOICES = {"provider": ("auto", "cpu", "cuda", "openvino"), "precision": PRECISIONS}


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """How the service behaves.

    Attributes:
        host: address to listen at; only this machine by default.
        host_names: names that requests may call the server by, besides its address: those of a
            proxy in front. Without them one that listens on all addresses answers to any name.
        port: TCP port; 0 lets the system choose.
        models: folder of further ``.onnx`` files, watched for new and replaced ones.
        provider: ``auto`` (CUDA where it works, else the CPU), ``cpu``, ``cuda`` or ``openvino``.
        precision: ``fp32``, ``int8``, ``fp16``, ``bf16``, or ``auto``: the fastest that each
            model has a file of and that suits the processor. A model that lacks the precision
            is served as it is.
        workers: runs at once; by default the processors divided by ``threads``. One more begins
            where it could not grow by waiting, and a model that has no run begins one even when
            all are taken, up to twice as many and one in all.
        threads: of one run on the CPU. Under load many runs of one thread each finish more
            pictures than one run of many threads, which a lone picture finishes in sooner.
        max_batch: rows of one run; 1 turns batching off.
        max_delay_ms: how long a request waits for others while a worker is idle. With 0
            requests are joined only while all workers are busy, which costs no one time.
        preferred_sizes: numbers of rows that are run without waiting longer, such as those a
            GPU is fast at; below ``max_batch``, which is one of them always.
        max_run_ms: requests are joined as long as their run is expected to take no longer. Beyond
            that a joined run saves nothing on a CPU, and its rows crowd each other out of the
            caches; on a GPU more may pay.
        at_once_ms: runs that are expected to take no longer are not handed to a worker; 0 hands
            over all. Nothing else is answered meanwhile.
        max_queue: requests of one model that wait; more are refused with 429.
        max_waiting_bytes: of tensors that wait, of all models.
        max_request_bytes: of one request's body, after decompression too.
        max_pixels: of one picture, checked before it is decoded.
        max_connections: open at once.
        request_seconds: from the request to its result, when it names no shorter time.
        body_seconds: in which a request's body must arrive.
        drain_seconds: that work in flight gets after SIGTERM.
        watch_seconds: between two looks at the model files; 0 never looks.
        token_file: file of bearer tokens, one a line; everyone may ask when None.
        rate: requests per second of one token; unlimited when None.
        origins: web pages' origins that may read answers (CORS); none by default.
        allow_control: models may be loaded and unloaded over HTTP.

    Raises:
        SettingsError: a value is out of range.
    """

    host: str = "127.0.0.1"
    host_names: tuple[str, ...] = ()
    port: int = 8000
    models: Path | None = None
    provider: str = "auto"
    precision: str = "auto"
    workers: int = 0
    threads: int = 1
    max_batch: int = 64
    max_delay_ms: float = 0.0
    preferred_sizes: tuple[int, ...] = ()
    max_run_ms: float = 10.0
    at_once_ms: float = 1.0
    max_queue: int = 256
    max_waiting_bytes: int = 512 * MEBIBYTE
    max_request_bytes: int = 64 * MEBIBYTE
    max_pixels: int = 50_000_000
    max_connections: int = 1024
    request_seconds: float = 60.0
    body_seconds: float = 20.0
    drain_seconds: float = 30.0
    watch_seconds: float = 2.0
    token_file: Path | None = None
    rate: float | None = None
    origins: tuple[str, ...] = ()
    allow_control: bool = False

    def __post_init__(self) -> None:
        for name, (least, most) in (WHOLE | REAL).items():
            value = getattr(self, name)
            if not (value is None and name == "rate"):
                check_number(name, value, least, most)
        self.check_choices()
        if not self.workers:
            chosen = max(1, count_processors() // self.threads)
            object.__setattr__(self, "workers", chosen)

    def check_choices(self) -> None:
        """Check what is no plain number.

        Raises:
            SettingsError: a value is not one of those allowed.
        """
        for name, choices in CHOICES.items():
            if (value := getattr(self, name)) not in choices:
                message = f"{name} {value!r} is unknown; choose {', '.join(choices)}"
                raise SettingsError(message)
        for name in self.host_names:
            if not HOST_NAME.fullmatch(name):
                message = (
                    f"host name {name[:80]!r} must be letters, digits, dots and hyphens; leave "
                    "scheme, port and path out"
                )
                raise SettingsError(message)
        for size in self.preferred_sizes:
            if not 1 <= size <= self.max_batch:
                message = (
                    f"preferred size {size} must lie between 1 and the largest batch, "
                    f"{self.max_batch}; raise --max-batch or leave it out"
                )
                raise SettingsError(message)
        if self.models is not None and not self.models.is_dir():
            message = f"models {self.models}: no such folder; name a folder of .onnx files"
            raise SettingsError(message)


def check_number(name: str, value: object, least: float, most: float) -> None:
    """Check that a setting is a number of the right kind, within its range.

    Raises:
        SettingsError: it is not.
    """
    kinds = (int,) if name in WHOLE else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        message = f"{name} {value!r} must be a {'whole ' if name in WHOLE else ''}number"
        raise SettingsError(message)
    if not least <= value <= most:
        message = f"{name} {value} must lie between {least} and {most}"
        raise SettingsError(message)
