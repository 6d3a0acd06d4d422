"""``/metrics`` in Prometheus' text format, with the names that Triton's dashboards ask for.

https://github.com/triton-inference-server/server/blob/main/docs/user_guide/metrics.md
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import get_args

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from runner.service.engine.statistics import ModelStatistics, Reason, Statistics
from runner.service.http.answers import Endpoint

Samples = Iterable[tuple[dict[str, str], int]]
REASONS: tuple[Reason, ...] = get_args(Reason)
METHODS = ("GET", "HEAD", "POST")  # a client may invent others, and each would be a line more


@dataclass(frozen=True)
class Family:
    """One metric of the models.

    Attributes:
        name: of each sample, exactly; prometheus-client would append ``_total``.
        kind: ``counter`` or ``gauge``.
        help: what it counts.
        read: returns the labels and values of a model beside its name and version.
    """

    name: str
    kind: str
    help: str
    read: Callable[[ModelStatistics], Samples]


def read_failures(model: ModelStatistics) -> Samples:
    """Return the failed requests by reason."""
    return [({"reason": reason}, model.failures.get(reason, 0)) for reason in REASONS]


def read_microseconds(stage: str) -> Callable[[ModelStatistics], Samples]:
    """Return what reads the time of a stage in microseconds."""
    return lambda model: [({}, getattr(model, stage).ns // 1000)]


FAMILIES = (
    Family(
        "nv_inference_request_success",
        "counter",
        "Number of successful inference requests, all batch sizes",
        lambda model: [({}, model.success.count)],
    ),
    Family(
        "nv_inference_request_failure",
        "counter",
        "Number of failed inference requests, all batch sizes",
        read_failures,
    ),
    Family(
        "nv_inference_count",
        "counter",
        "Number of inferences performed",
        lambda model: [({}, model.inference_count)],
    ),
    Family(
        "nv_inference_exec_count",
        "counter",
        "Number of model executions performed",
        lambda model: [({}, model.execution_count)],
    ),
    Family(
        "nv_inference_pending_request_count",
        "gauge",
        "Number of requests that wait to be run",
        lambda model: [({}, model.pending)],
    ),
    Family(
        "nv_inference_request_duration_us",
        "counter",
        "Cumulative inference request duration in microseconds",
        read_microseconds("success"),
    ),
    Family(
        "nv_inference_queue_duration_us",
        "counter",
        "Cumulative inference queuing duration in microseconds",
        read_microseconds("queue"),
    ),
    Family(
        "nv_inference_compute_input_duration_us",
        "counter",
        "Cumulative compute input duration in microseconds",
        read_microseconds("compute_input"),
    ),
    Family(
        "nv_inference_compute_infer_duration_us",
        "counter",
        "Cumulative compute inference duration in microseconds",
        read_microseconds("compute_infer"),
    ),
    Family(
        "nv_inference_compute_output_duration_us",
        "counter",
        "Cumulative compute output duration in microseconds",
        read_microseconds("compute_output"),
    ),
)


class Requests:
    """Counts answers by route and status, and knows the process.

    Attributes:
        registry: of prometheus-client, for what is not of one model.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._counter = Counter(
            "impasto_http_requests",
            "Answered HTTP requests",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._children: dict[tuple[str, str, int], Counter] = {}

    def count(self, scope: Scope, status: int) -> None:
        """Count an answer; a request that fits no route counts as route ``none``."""
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        key = (method, route, status)
        if key not in self._children:
            self._children[key] = self._counter.labels(method, route, str(status))
        self._children[key].inc()


class MetricsRoutes:
    """``GET /metrics``.

    Args:
        statistics: of the models.
        requests: of the server.
    """

    def __init__(self, statistics: Statistics, requests: Requests) -> None:
        self._statistics = statistics
        self._requests = requests

    def list_routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/metrics", Endpoint(self.answer), methods=["GET"])]

    async def answer(self, request: Request) -> Response:
        """Answer with all metrics."""
        del request
        models = self._statistics.read()
        text = "".join(write_family(family, models) for family in FAMILIES)
        body = text.encode() + generate_latest(self._requests.registry)
        return Response(body, headers={"content-type": CONTENT_TYPE_LATEST})


def write_family(family: Family, models: Iterable[ModelStatistics]) -> str:
    """Return one metric of all models in the text format."""
    head = [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
    samples = [line for model in models for line in write_samples(family, model)]
    return "\n".join([*head, *samples]) + "\n"


def write_samples(family: Family, model: ModelStatistics) -> Iterator[str]:
    """Yield the lines of one model."""
    for labels, value in family.read(model):
        named = {"model": model.name, **labels, "version": model.version}
        listed = ",".join(f'{key}="{escape(text)}"' for key, text in named.items())
        yield f"{family.name}{{{listed}}} {value}"


def escape(text: str) -> str:
    """Return the value of a label as the text format writes it."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
