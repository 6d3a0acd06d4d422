"""The pages for pictures, for the OpenAPI document."""

from runner.precision import PRECISIONS
from runner.service.openapi.operations import READING, RUNNING, Operation, content
from runner.service.openapi.schemas import (
    COUNT,
    INTEGER,
    SHARE,
    TEXT,
    Schema,
    choice,
    list_of,
    maybe,
    record,
)
from runner.service.pictures.options import CLASSIFY, MEDIA_TYPES, STYLES, STYLIZE

FILE: Schema = {}  # OpenAPI 3.1: bytes have no schema
FORM = {
    "type": "object",
    "properties": {"picture": {"type": "string", "contentMediaType": "image/*"}},
    "required": ["picture"],
    "additionalProperties": False,
}
UPLOAD = {
    "image/*": {"schema": FILE},
    "multipart/form-data": {"schema": FORM},
}
UPLOAD_HINT = (
    "The body is the file, of any Content-Type, or a form with one file. Taken are "
    "JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF and, where pillow-heif is installed, HEIC."
)
STYLE = record(name=TEXT, title=TEXT, artist=TEXT, year=maybe(INTEGER), licence=TEXT)
PREDICTION = record(index=COUNT, label=TEXT, probability=SHARE)
MODEL = record(
    ("task", "precision", "minimum_side", "styles", "classes"),
    name=TEXT,
    version=TEXT,
    state=TEXT,
    task=maybe(TEXT),
    precision=choice(*PRECISIONS[1:]),
    minimum_side=maybe(COUNT),
    styles=maybe(COUNT),
    classes=maybe(COUNT),
)

OPERATIONS = (
    Operation(
        identity="stylize",
        path="/v1/stylize",
        method="post",
        tag="pictures",
        summary="Paint a picture",
        description=UPLOAD_HINT,
        parameters=STYLIZE,
        body=UPLOAD,
        answers={media_type: {"schema": FILE} for media_type in MEDIA_TYPES.values()},
        answer_headers={
            "Impasto-Remarks": {
                "description": "What the format could not keep, such as transparency.",
                "schema": TEXT,
            }
        },
        errors=(*READING, *RUNNING),
    ),
    Operation(
        identity="classify",
        path="/v1/classify",
        method="post",
        tag="pictures",
        summary="Name what is in a picture",
        description=UPLOAD_HINT,
        parameters=CLASSIFY,
        body=UPLOAD,
        answers=content(record(model=TEXT, version=TEXT, predictions=list_of(PREDICTION))),
        errors=(*READING, *RUNNING),
    ),
    Operation(
        identity="listStyles",
        path="/v1/styles",
        tag="pictures",
        summary="The styles of a model",
        parameters=STYLES,
        answers=content(record(model=TEXT, styles=list_of(STYLE))),
        errors=(404,),
    ),
    Operation(
        identity="listModels",
        path="/v1/models",
        tag="pictures",
        summary="What each model is for",
        answers=content(record(models=list_of(MODEL))),
    ),
)
