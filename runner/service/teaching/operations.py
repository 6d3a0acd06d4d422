"""The calculator's pages, for the OpenAPI document."""

from runner.service.openapi.operations import Operation, content
from runner.service.openapi.schemas import (
    COUNT,
    INTEGER,
    TEXT,
    Schema,
    choice,
    list_of,
    maybe,
    open_record,
    record,
)
from runner.service.teaching.parameters import COMPARE, EXPLAIN, LANGUAGES, QUIZ, SHAPES, SOLVE

ERRORS = (429, 504)
# Where a size is a letter, what depends on it is an expression such as "H/2".
SIZE: Schema = {"type": ["integer", "string"]}
SIZES = list_of(SIZE)
COUNTS = {"params": COUNT, "buffers": COUNT, "macs": COUNT}
CHANGES = {"params": INTEGER, "buffers": INTEGER, "macs": INTEGER}

LAYER = open_record(
    ("name", "kind", "output_shape", "params", "macs"),
    name=TEXT,
    kind=TEXT,
    output_shape=SIZES,
    params=SIZE,
    macs=SIZE,
)
REPORT = open_record(
    ("network", "input", "batch", "layers", "totals", "convention"),
    network=TEXT,
    input=SIZES,
    batch=SIZE,
    layers=list_of(LAYER),
    totals={"type": "object"},
    convention=TEXT,
)
EXPLANATIONS = record(
    network=TEXT,
    input=list_of(COUNT),
    explanations=list_of(record(title=TEXT, lines=list_of(TEXT))),
    convention=TEXT,
)
SIDE = record(network=TEXT, input=list_of(COUNT), **COUNTS)
COMPARISON = record(
    first=SIDE,
    second=SIDE,
    differences=list_of(
        record(
            first=list_of(TEXT),
            second=list_of(TEXT),
            reasons=list_of(TEXT),
            cause=maybe(TEXT),
            **CHANGES,
        )
    ),
    alike=COUNT,
    convention=TEXT,
)
SOLUTIONS = record(
    question=TEXT,
    solutions=list_of(
        record(
            settings={"type": "object", "additionalProperties": COUNT}, shown=TEXT, dropped=COUNT
        )
    ),
    reason=maybe(TEXT),
)
CHOICE = open_record(("label", "text"), label=TEXT, text=TEXT)
EXERCISES = record(
    seed=COUNT,
    level=COUNT,
    language=choice(*LANGUAGES),
    exercises=list_of(
        open_record(
            ("kind", "question", "choices", "answer", "derivation"),
            kind=TEXT,
            question=TEXT,
            choices=list_of(CHOICE),
            answer=TEXT,
            derivation=list_of(TEXT),
        )
    ),
)

OPERATIONS = (
    Operation(
        identity="shapes",
        path="/v1/shapes",
        tag="teaching",
        summary="Every shape, count and receptive field of a network",
        parameters=SHAPES,
        answers=content(REPORT),
        errors=ERRORS,
    ),
    Operation(
        identity="explain",
        path="/v1/explain",
        tag="teaching",
        summary="How each number of a layer comes about",
        parameters=EXPLAIN,
        answers=content(EXPLANATIONS),
        errors=ERRORS,
    ),
    Operation(
        identity="compare",
        path="/v1/compare",
        tag="teaching",
        summary="Which layers make the difference between two networks",
        parameters=COMPARE,
        answers=content(COMPARISON),
        errors=ERRORS,
    ),
    Operation(
        identity="solve",
        path="/v1/solve",
        tag="teaching",
        summary="Which settings lead from one size to another",
        parameters=SOLVE,
        answers=content(SOLUTIONS),
        errors=ERRORS,
    ),
    Operation(
        identity="quiz",
        path="/v1/quiz",
        tag="teaching",
        summary="Exercises with their solutions",
        parameters=QUIZ,
        answers=content(EXERCISES),
        errors=ERRORS,
    ),
)
