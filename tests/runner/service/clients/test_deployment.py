"""The files for deployment name options, pages and metrics that there are."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.service.cli import serve
from runner.service.openapi.document import build_document
from runner.service.settings import ServiceSettings
from tests.runner.service.clients.manual import ROOT
from tests.runner.service.http.conftest import RunningServer

DEPLOY = ROOT / "examples" / "deploy"
METRIC = re.compile(r"\b(?:nv|impasto|process)_[a-z_]+")


def read(name: str) -> str:
    """Return the text of a file."""
    return (DEPLOY / name).read_text(encoding="utf-8")


def list_queries(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield every query of a dashboard."""
    if isinstance(value, dict):
        yield from (value[key] for key in ("expr", "definition") if key in value)
        for entry in value.values():
            yield from list_queries(entry)
    if isinstance(value, list):
        for entry in value:
            yield from list_queries(entry)


def test_the_dashboard_shows_metrics_that_there_are(server: RunningServer) -> None:
    """Every metric and label of a query is among the samples of a server."""
    server.ask("GET", "/v2")
    samples = server.ask("GET", "/metrics").body.decode()
    queries = list(list_queries(json.loads(read("grafana.json"))))
    metrics = {name for query in queries for name in METRIC.findall(query)}
    assert len(metrics) >= 12
    for metric in metrics:
        assert re.search(rf"^{metric}[{{ ]", samples, re.MULTILINE), metric
    labels = {
        label
        for query in queries
        for listed in re.findall(r"by \(([a-z, ]+)\)", query)
        for label in listed.split(", ")
    }
    assert labels == {"model", "reason", "route", "status"}
    for label in labels:
        assert f'{label}="' in samples


def test_the_dashboard_shows_every_metric_of_the_models(server: RunningServer) -> None:
    """No metric of the models is left out."""
    samples = server.ask("GET", "/metrics").body.decode()
    shown = " ".join(list_queries(json.loads(read("grafana.json"))))
    for name in re.findall(r"^# TYPE (nv_\w+)", samples, re.MULTILINE):
        assert name in shown


def test_the_dashboards_panels_do_not_overlap() -> None:
    """Each panel has its own place and its own number."""
    panels = json.loads(read("grafana.json"))["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels) == len({panel["id"] for panel in panels})


def parse_options(words: list[str]) -> dict[str, Any]:
    """Return the settings that options of the command line make."""
    context = serve.make_context("serve", words)
    return dict(context.params)


def test_the_unit_starts_the_server() -> None:
    """The unit's command line is one that the command takes, and it has time to drain."""
    unit = dict(re.findall(r"^(\w+)=(.+)$", read("impasto.service"), re.MULTILINE))
    program, command, *options = shlex.split(unit["ExecStart"])
    assert (Path(program).name, command) == ("impasto", "serve")
    chosen = parse_options(options)
    assert chosen["token_file"] == Path("%d/tokens")
    assert int(unit["TimeoutStopSec"]) > chosen["drain_seconds"]
    assert unit["KillMode"] == "mixed"


def test_the_manifest_probes_pages_that_need_no_token() -> None:
    """Kubernetes asks the pages for probes, and gives the server time to drain."""
    deployment, service, _ = yaml.safe_load_all(read("kubernetes.yaml"))
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    probes = [container[f"{name}Probe"] for name in ("startup", "readiness", "liveness")]
    paths = [probe["httpGet"]["path"] for probe in probes]
    assert paths == ["/v2/health/ready", "/v2/health/ready", "/v2/health/live"]
    chosen = parse_options(container["args"])
    assert spec["terminationGracePeriodSeconds"] > chosen["drain_seconds"] + 5
    assert container["resources"]["limits"].keys() == {"cpu", "memory"}
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]


def test_kubernetes_knows_every_field_of_the_manifest() -> None:
    """Kubernetes' own schemas find no field that is unknown or of the wrong type."""
    manifest = str(DEPLOY / "kubernetes.yaml")
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", manifest]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout + done.stderr
    for kind in ("deployment", "service", "poddisruptionbudget"):
        assert f"passed for resource {kind}/impasto" in told


@pytest.mark.parametrize("folder", ["impasto.py", "models", "exporter", "calculator", "runner"])
def test_the_container_holds_what_the_wheel_needs(folder: str) -> None:
    """Each part of the wheel is copied into the container's build."""
    text = read("Containerfile")
    assert re.search(rf"^COPY .*\b{folder}\b", text, re.MULTILINE)
    assert (ROOT / folder).exists()


def test_the_container_starts_the_server() -> None:
    """The container's entry is a command line that the command takes, open to its port."""
    text = read("Containerfile")
    entry = json.loads(re.findall(r"^ENTRYPOINT (.+)$", text, re.MULTILINE)[0])
    chosen = parse_options(entry[2:])
    assert chosen["host"] == "0.0.0.0"  # noqa: S104 - in a container
    assert f"EXPOSE {chosen['port']}" in text
    assert "/v2/health/ready" in build_document("1", ServiceSettings())["paths"]
    assert "/v2/health/ready" in text


def test_prometheus_scrapes_the_metrics() -> None:
    """The snippet asks for the page that there is, at the port that is the default."""
    (job,) = yaml.safe_load(read("prometheus.yaml"))["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    assert job["static_configs"][0]["targets"] == [f"127.0.0.1:{ServiceSettings().port}"]
    assert job["job_name"] in read("grafana.json")
