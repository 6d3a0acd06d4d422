"""What an exported file says of itself, in ``metadata_props``: one JSON value per key.

The runner believes only the file, so everything that it or a person may ask stands here:
what goes in, which styles there are and under which licence, how the network was
trained, and how closely PyTorch and ONNX Runtime agreed when it was exported.
"""

from typing import Any

from onnx import ModelProto, checker, helper
from onnx.checker import ValidationError
from onnx.shape_inference import InferenceError

from exporter.errors import ExportError
from exporter.properties import SCHEMA, encode_entries, find_version
from models.style.architecture import CONFIGS, MINIMUM_SIDE, StyleNetConfig, config_as_dict
from models.style.checkpoint import Checkpoint

STYLE_KEYS = ("name", "title", "artist", "year", "licence")
INPUT = {
    "color": "RGB",
    "dtype": "uint8",
    "layout": "NHWC",
    "resize": None,  # any size goes in and the same size comes out
    "minimum_side": MINIMUM_SIDE,
}


def annotate(model: ModelProto, checkpoint: Checkpoint, *, entries: dict[str, Any]) -> None:
    """Write the metadata, the producer and a description, and check the whole model.

    Args:
        model: a ``stylize`` model; changed in place.
        checkpoint: what it was made from.
        entries: what the checkpoint does not say, as JSON values: ``parity`` as measured,
            ``license`` of the weights, ``precision``.

    Raises:
        ExportError: the model is not valid ONNX.
    """
    helper.set_model_props(model, encode_entries(describe(checkpoint) | entries))
    model.producer_name = "impasto"
    model.producer_version = find_version()
    model.domain = "impasto.stylize"
    model.doc_string = (
        "Feed-forward style transfer (Johnson et al. 2016, Dumoulin et al. 2017): uint8 RGB photos "
        "[N, H, W, 3] and style weights [N, S] in, uint8 RGB paintings of the same size out."
    )
    try:
        checker.check_model(model, full_check=True)
    except (ValidationError, InferenceError) as error:
        message = f"the exported graph is not valid ONNX ({error}); report it with the checkpoint"
        raise ExportError(message) from error


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the metadata that a checkpoint alone decides, without the ``impasto.`` prefix."""
    return {
        "schema": SCHEMA,
        "task": "stylize",
        "network": {
            "name": name_network(checkpoint.config),
            "config": config_as_dict(checkpoint.config),
            "parameters": sum(tensor.numel() for tensor in checkpoint.net.values()),
        },
        "input": INPUT,
        "styles": [
            {key: style[key] for key in STYLE_KEYS if style.get(key) is not None}
            for style in checkpoint.styles
        ],
        "training": {**checkpoint.training, "step": checkpoint.step},
    }


def name_network(config: StyleNetConfig) -> str:
    """Return the name under which this shape is known, or ``custom``."""
    return next((name for name, known in CONFIGS.items() if known == config), "custom")
