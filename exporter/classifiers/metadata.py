"""What a classifier's file says of itself, in ``metadata_props``: one JSON value per key."""

from typing import Any

from onnx import ModelProto

from exporter.properties import SCHEMA, find_version
from models.classifiers.checkpoint import ClassifierCheckpoint
from models.classifiers.networks import config_as_dict, find_network
from models.classifiers.preprocessing import rule_as_dict

TASK = "classify"
UNSTATED = "unstated"


def describe_checkpoint(
    checkpoint: ClassifierCheckpoint, *, parameters: int, licence: str
) -> dict[str, Any]:
    """Return the metadata that a checkpoint alone decides, without the ``impasto.`` prefix.

    Args:
        checkpoint: of a classifier.
        parameters: trainable numbers of the network.
        licence: of the weights; where it is unstated, what their publisher stated.
    """
    published = checkpoint.training.get("license", UNSTATED)
    return {
        "schema": SCHEMA,
        "task": TASK,
        "network": {
            "name": checkpoint.name,
            "config": config_as_dict(checkpoint.config),
            "parameters": parameters,
        },
        "input": rule_as_dict(checkpoint.input),
        "labels": checkpoint.labels,
        "training": {**checkpoint.training, "step": checkpoint.step},
        "license": published if licence == UNSTATED else licence,
    }


def sign_model(model: ModelProto, checkpoint: ClassifierCheckpoint) -> None:
    """Write producer, version, domain and a description into a model."""
    model.producer_name = "impasto"
    model.producer_version = find_version()
    model.domain = "impasto.classify"
    rule, title = checkpoint.input, find_network(checkpoint.name).title
    height, width = rule.size
    model.doc_string = (
        f"{title}: uint8 {rule.color} pictures [N, {height}, {width}, {rule.channels}] in, "
        f"probabilities [N, {len(checkpoint.labels)}] out."
    )
