"""``/metrics`` as Prometheus reads it."""

import re

from prometheus_client.parser import text_string_to_metric_families

from runner.service.engine.statistics import Duration, ModelStatistics
from runner.service.http.metrics import FAMILIES, Requests, write_family
from tests.runner.service.http.conftest import RunningServer

TRITON = {
    "nv_inference_request_success",
    "nv_inference_request_failure",
    "nv_inference_count",
    "nv_inference_exec_count",
    "nv_inference_pending_request_count",
    "nv_inference_request_duration_us",
    "nv_inference_queue_duration_us",
    "nv_inference_compute_input_duration_us",
    "nv_inference_compute_infer_duration_us",
    "nv_inference_compute_output_duration_us",
}


def read_samples(server: RunningServer) -> dict[str, float]:
    """Return the samples of LeNet-5 and of the server by name and labels."""
    text = server.ask("GET", "/metrics").body.decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_names_are_exactly_those_of_triton(server: RunningServer) -> None:
    """Every sample of a model bears Triton's name, model and version, and no suffix."""
    answer = server.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    names = set(re.findall(r"^(nv_\w+)\{", answer.body.decode(), re.MULTILINE))
    assert names == TRITON
    types = dict(re.findall(r"^# TYPE (nv_\w+) (\w+)$", answer.body.decode(), re.MULTILINE))
    assert set(types) == TRITON
    assert [name for name, kind in types.items() if kind != "counter"] == [
        "nv_inference_pending_request_count"
    ]


def test_prometheus_can_read_the_page(server: RunningServer) -> None:
    """The text follows the format, process and HTTP metrics included."""
    text = server.ask("GET", "/metrics").body.decode()
    families = {family.name for family in text_string_to_metric_families(text)}
    assert {"process_resident_memory_bytes", "impasto_http_requests"} <= families


def test_requests_are_counted_by_outcome(server: RunningServer) -> None:
    """An inference counts as a success with its rows, a wrong tensor as a failure."""
    label = 'model="lenet5",version="1"'
    before = read_samples(server)
    tensor = {"name": "image", "shape": [2, 32, 32, 1], "datatype": "UINT8", "data": [0] * 2048}
    assert server.infer({"inputs": [tensor]}).status == 200
    assert server.infer({"inputs": [tensor | {"shape": [1, 32, 64, 1]}]}).status == 400
    after = read_samples(server)

    def grew(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert grew(f"nv_inference_request_success{{{label}}}") == 1
    assert grew(f"nv_inference_count{{{label}}}") == 2
    assert grew(f"nv_inference_exec_count{{{label}}}") == 1
    assert grew(f"nv_inference_request_duration_us{{{label}}}") > 0
    reason = 'nv_inference_request_failure{model="lenet5",reason="OTHER",version="1"}'
    assert grew(reason) == 1
    route = 'method="POST",route="/v2/models/{model}/infer",status='
    assert grew(f'impasto_http_requests_total{{{route}"200"}}') == 1
    assert grew(f'impasto_http_requests_total{{{route}"400"}}') == 1


def test_values_of_labels_are_escaped() -> None:
    """A name with quotes, a backslash or a line break cannot forge a sample."""
    model = ModelStatistics('a"b\\c\nd', "1", queue=Duration(1, 2_500))
    (family,) = [each for each in FAMILIES if each.name == "nv_inference_queue_duration_us"]
    last = write_family(family, [model]).splitlines()[-1]
    assert last == 'nv_inference_queue_duration_us{model="a\\"b\\\\c\\nd",version="1"} 2'


def test_invented_methods_make_no_new_lines() -> None:
    """What clients invent does not grow the page."""
    requests = Requests()
    for method in ("BREW", "PROPFIND", "X" * 20):
        requests.count({"method": method}, 405)
    samples = [
        sample
        for family in requests.registry.collect()
        for sample in family.samples
        if sample.name == "impasto_http_requests_total"
    ]
    assert [(sample.labels["method"], sample.value) for sample in samples] == [("other", 3)]
