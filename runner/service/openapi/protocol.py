"""The pages of the Open Inference Protocol v2, and metrics."""

from typing import Any

from runner.precision import PRECISIONS
from runner.service.openapi.operations import JSON, READING, RUNNING, Operation, content
from runner.service.openapi.schemas import (
    COUNT,
    FLAG,
    INTEGER,
    TEXT,
    Schema,
    choice,
    list_of,
    maybe,
    open_record,
    record,
)
from runner.service.protocol.datatypes import WORDS
from runner.service.protocol.requests import MAX_ID
from runner.service.protocol.tensors import MAX_RANK, MAX_SIDE

MODEL, VERSIONED = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"
LENGTH_HEADER = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "description": "Bytes of JSON in front of binary tensors; 0 for the only input alone.",
    "schema": {"type": "string", "pattern": "^[0-9]{1,12}$"},
}

PARAMETERS = maybe({"type": "object"})
OUTPUT_PARAMETERS = maybe(
    open_record((), binary_data=FLAG, classification=COUNT | {"description": "Likeliest classes."})
)
SHAPE = list_of({"type": "integer", "minimum": 1, "maximum": MAX_SIDE}) | {"maxItems": MAX_RANK}
INPUT = open_record(
    ("name", "shape", "datatype"),
    name=TEXT | {"minLength": 1},
    shape=SHAPE,
    datatype=choice(*sorted(set(WORDS.values()))),
    parameters=PARAMETERS,
    data={"type": "array", "description": "Numbers or truth values, nested as the shape, or flat."},
)
REQUEST = open_record(
    ("inputs",),
    id=maybe(TEXT | {"maxLength": MAX_ID}),
    parameters=maybe(
        open_record(
            (),
            binary_data_output=FLAG,
            timeout=maybe(COUNT | {"maximum": 2**63 - 1, "description": "Microseconds."}),
        )
    ),
    inputs=list_of(INPUT, 1),
    outputs=maybe(
        list_of(open_record(("name",), name=TEXT | {"minLength": 1}, parameters=OUTPUT_PARAMETERS))
    ),
)
RESPONSE = record(
    ("id",),
    model_name=TEXT,
    model_version=TEXT,
    id=TEXT,
    outputs=list_of(
        record(
            ("data", "parameters"),
            name=TEXT,
            datatype=choice("BYTES", *sorted(set(WORDS.values()))),
            shape=list_of(COUNT),
            data={"type": "array"},
            parameters={"type": "object"},
        )
    ),
)
TENSOR = record(name=TEXT, datatype=TEXT, shape=list_of(INTEGER))
METADATA = record(
    name=TEXT,
    versions=list_of(TEXT),
    platform=TEXT,
    inputs=list_of(TENSOR),
    outputs=list_of(TENSOR),
)
CONFIG = open_record(
    ("name", "platform", "backend", "max_batch_size", "input", "output", "parameters"),
    name=TEXT,
    platform=TEXT,
    backend=TEXT,
    max_batch_size=COUNT,
    input=list_of(record(name=TEXT, data_type=TEXT, dims=list_of(INTEGER))),
    output=list_of(record(name=TEXT, data_type=TEXT, dims=list_of(INTEGER))),
    parameters=record(
        precision=record(string_value=choice(*PRECISIONS[1:])),
        provider=record(string_value=TEXT),
    ),
)
DURATION = record(count=COUNT, ns=COUNT)
STAGES = dict.fromkeys(("compute_input", "compute_infer", "compute_output"), DURATION)
STATISTICS = record(
    model_stats=list_of(
        record(
            name=TEXT,
            version=TEXT,
            last_inference=COUNT,
            inference_count=COUNT,
            execution_count=COUNT,
            inference_stats=record(
                success=DURATION, fail=DURATION, queue=DURATION, cache_hit=DURATION, **STAGES
            ),
            batch_stats=list_of(record(batch_size=COUNT, **STAGES)),
        )
    )
)
MODEL_READY = record(("error",), name=TEXT, ready=FLAG, error=TEXT)
INDEX = list_of(
    record(
        name=TEXT,
        version=TEXT,
        state=choice("READY", "LOADING", "UNAVAILABLE"),
        reason=TEXT,
    )
)
EXAMPLE = {
    "inputs": [
        {"name": "image", "shape": [1, 32, 32, 1], "datatype": "UINT8", "data": [0] * 1024},
    ]
}
BINARY: Schema = {}  # OpenAPI 3.1: bytes have no schema


def list_protocol(*, control: bool) -> list[Operation]:
    """Return the operations of the protocol.

    Args:
        control: whether models may be loaded and unloaded.
    """
    return [
        *list_health(),
        Operation(
            identity="describeServer",
            path="/v2",
            tag="models",
            summary="What the server is",
            answers=content(record(name=TEXT, version=TEXT, extensions=list_of(TEXT))),
        ),
        *list_models(MODEL, ""),
        *list_models(VERSIONED, "Version"),
        Operation(
            identity="listStatistics",
            path="/v2/models/stats",
            tag="models",
            summary="Statistics of all models",
            answers=content(STATISTICS),
        ),
        *list_repository(control=control),
        Operation(
            identity="readMetrics",
            path="/metrics",
            tag="server",
            summary="Metrics for Prometheus",
            answers={"text/plain": {"schema": TEXT}},
        ),
    ]


def list_health() -> list[Operation]:
    """Return the server's probes."""
    return [
        Operation(
            identity="isLive",
            path="/v2/health/live",
            tag="server",
            summary="Whether the process works",
            answers=content(record(live=FLAG)),
        ),
        Operation(
            identity="isReady",
            path="/v2/health/ready",
            tag="server",
            summary="Whether requests are taken",
            answers=content(record(ready=FLAG)),
            unready=record(ready=FLAG),
        ),
    ]


def list_models(root: str, suffix: str) -> list[Operation]:
    """Return the operations of one model.

    Args:
        root: of their paths.
        suffix: of their names.
    """
    pages: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        ("describeModel", "", "Inputs and outputs; -1 is a free size", METADATA),
        ("configureModel", "/config", "How requests are joined and run", CONFIG),
        ("countModel", "/stats", "Statistics", STATISTICS),
    )
    described = [
        Operation(
            identity=identity + suffix,
            path=root + page,
            tag="models",
            summary=summary,
            answers=content(schema),
            errors=(404,),
        )
        for identity, page, summary, schema in pages
    ]
    ready = Operation(
        identity=f"isModelReady{suffix}",
        path=f"{root}/ready",
        tag="models",
        summary="Whether the model is loaded",
        answers=content(MODEL_READY),
        errors=(404,),
        unready=MODEL_READY,
    )
    return [describe_inference(root, suffix), ready, *described]


def describe_inference(root: str, suffix: str) -> Operation:
    """Return the operation that runs a model."""
    return Operation(
        identity=f"infer{suffix}",
        path=f"{root}/infer",
        method="post",
        tag="models",
        summary="Run the model",
        description="JSON tensors, or Triton's binary tensors behind the JSON.",
        headers=(LENGTH_HEADER,),
        body={
            JSON: {"schema": REQUEST, "example": EXAMPLE},
            "application/octet-stream": {"schema": BINARY},
        },
        answers={**content(RESPONSE), "application/octet-stream": {"schema": BINARY}},
        answer_headers={"Inference-Header-Content-Length": {"schema": TEXT}},
        errors=(*READING, *RUNNING, 501),
    )


def list_repository(*, control: bool) -> list[Operation]:
    """Return the operations of the model repository."""
    index = Operation(
        identity="listRepository",
        path="/v2/repository/index",
        method="post",
        tag="models",
        summary="Every model and its state",
        body={JSON: {"schema": open_record((), ready=FLAG), "example": {"ready": True}}},
        body_required=False,
        answers=content(INDEX),
        errors=READING,
    )
    changes = [
        Operation(
            identity=f"{verb}Model",
            path=f"/v2/repository/models/{{model}}/{verb}",
            method="post",
            tag="models",
            summary=summary,
            body={JSON: {"schema": open_record((), parameters=PARAMETERS)}},
            body_required=False,
            answers=content(record()),
            errors=(*READING, 404, 501),
        )
        for verb, summary in (("load", "Load a model, or its newer file"), ("unload", "Unload it"))
    ]
    return [index, *(changes if control else [])]
