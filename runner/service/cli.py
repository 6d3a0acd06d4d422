"""``impasto serve``: options and nothing heavy."""

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from runner.cli import end_on_interrupt
from runner.service.settings import ServiceSettings

# setting, what its value is called, help; the defaults are those of the settings
OPTIONS = (
    ("host", "ADDRESS", "Address to listen at; other machines reach 0.0.0.0."),
    ("host_names", "NAME", "Name that it may be called by besides; repeatable."),
    ("port", "PORT", "TCP port; 0 takes a free one and tells which."),
    ("models", "FOLDER", "Folder of further ONNX files, watched for changes."),
    ("provider", "auto|cpu|cuda|openvino", "Processor to run on."),
    ("precision", "auto|fp32|int8|fp16|bf16", "What to compute in, where a model has it."),
    ("workers", "N", "Runs at once; 0 for as many as processors."),
    ("threads", "N", "Threads of one run on the CPU."),
    ("max_batch", "ROWS", "Rows of one run; 1 turns batching off."),
    ("max_delay_ms", "MS", "Wait so long for others while a worker is idle."),
    ("preferred_sizes", "ROWS", "Run such batches without waiting; repeatable."),
    ("max_run_ms", "MS", "Join requests up to so long a run."),
    ("at_once_ms", "MS", "Run what takes no longer without a worker."),
    ("max_queue", "N", "Waiting requests of one model; then 429."),
    ("max_waiting_bytes", "BYTES", "Of all tensors and bodies that wait; then 429."),
    ("max_request_bytes", "BYTES", "Of one body, also after decompression; then 413."),
    ("max_pixels", "N", "Of one picture, before decoding; then 413."),
    ("max_connections", "N", "Open at once; then 503."),
    ("request_seconds", "S", "From request to result; then 504."),
    ("body_seconds", "S", "For a head or a body to arrive; then 408."),
    ("drain_seconds", "S", "For work in flight after SIGTERM."),
    ("watch_seconds", "S", "Between two looks at the model files; 0: never."),
    ("token_file", "FILE", "Bearer tokens, one a line; without, all may ask."),
    ("rate", "PER_SECOND", "Requests per token; then 429."),
    ("origins", "URL", "Web pages that may use the server; repeatable."),
    ("allow_control", "", "Let clients load and unload models."),
)
FLAGS = {"host_names": "--host-name", "origins": "--origin", "preferred_sizes": "--preferred-size"}
KINDS = {
    "models": click.Path(path_type=Path),
    "token_file": click.Path(path_type=Path),
    "preferred_sizes": click.INT,
    "host_names": click.STRING,
    "origins": click.STRING,
    "rate": click.FLOAT,
}


def build_option(name: str, metavar: str, text: str) -> click.Option:
    """Return the option of one setting, with the default that the setting has."""
    default = next(field.default for field in fields(ServiceSettings) if field.name == name)
    flag = FLAGS.get(name, "--" + name.replace("_", "-"))
    if isinstance(default, bool):
        return click.Option([flag, name], is_flag=True, help=text)
    shown = not (default is None or isinstance(default, tuple) or name == "workers")
    return click.Option(
        [flag, name],
        type=KINDS.get(name, type(default)),
        default=default,
        show_default=shown,
        multiple=isinstance(default, tuple),
        metavar=metavar,
        help=text,
    )


def serve_models(**options: Any) -> None:  # noqa: ANN401 - click hands them over
    """Serve every model over HTTP: the Open Inference Protocol, and metrics.

    \b
    impasto serve
    impasto serve --models my-models --port 9000
    curl http://127.0.0.1:8000/v2/models/lenet5
    """  # noqa: D301 - click reads the control character
    settings = ServiceSettings(**options)
    with end_on_interrupt():
        from runner.service.http.log import LogWriter  # noqa: PLC0415
        from runner.service.http.server import Service  # noqa: PLC0415

    service = Service(settings)
    writer = LogWriter(sys.stderr)
    writer.start()
    try:
        service.run(click.echo)
    finally:
        writer.stop()


serve = click.Command(
    "serve",
    callback=serve_models,
    params=[build_option(*option) for option in OPTIONS],
    help=serve_models.__doc__,
)
