"""What the server, a model, its configuration and its statistics are in the protocol's words.

Open Inference Protocol, and Triton's extensions ``model_configuration``, ``statistics`` and
``model_repository``.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from runner.service.engine.repository import Entry
from runner.service.engine.served import ServedModel
from runner.service.engine.statistics import BatchStatistics, Duration, ModelStatistics
from runner.service.engine.tensors import TensorSpec
from runner.service.settings import ServiceSettings

PLATFORM = "onnx_onnxv1"  # a word that the protocol reserves
EXTENSIONS = ("binary_tensor_data", "classification", "model_configuration", "statistics")
STAGES = ("compute_input", "compute_infer", "compute_output")


def describe_server(version: str, *, control: bool) -> dict[str, Any]:
    """Return the server's metadata.

    Args:
        version: of the package.
        control: whether models may be loaded and unloaded; Triton's extension
            ``model_repository`` promises that, so it is not named otherwise.
    """
    extensions = [*EXTENSIONS, *(["model_repository"] if control else [])]
    return {"name": "impasto", "version": version, "extensions": extensions}


def describe_model(model: ServedModel) -> dict[str, Any]:
    """Return a model's metadata; -1 stands for a size that is free in every run."""
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": PLATFORM,
        "inputs": [describe_tensor(spec) for spec in model.inputs],
        "outputs": [describe_tensor(spec) for spec in model.outputs],
    }


def describe_tensor(spec: TensorSpec) -> dict[str, Any]:
    """Return the metadata of one input or output."""
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def describe_config(model: ServedModel, settings: ServiceSettings) -> dict[str, Any]:
    """Return a model's configuration as Triton's ``ModelConfig`` would be in JSON.

    Where rows of requests are joined, ``dims`` leave out the number of rows, and
    ``max_batch_size`` is that of one run; else it is 0. The parameters say in which precision
    the model really computes, and by which of ONNX Runtime's providers.
    """
    skip = 1 if model.joinable else 0
    config: dict[str, Any] = {
        "name": model.name,
        "platform": "onnxruntime_onnx",
        "backend": "onnxruntime",
        "version_policy": {"latest": {"num_versions": 1}},
        "max_batch_size": settings.max_batch if model.joinable else 0,
        "input": [configure_tensor(spec, skip) for spec in model.inputs],
        "output": [configure_tensor(spec, skip) for spec in model.outputs],
        "instance_group": [
            {
                "name": model.name,
                "kind": "KIND_GPU" if model.provider == "cuda" else "KIND_CPU",
                "count": settings.workers,
            }
        ],
        "parameters": {
            "precision": {"string_value": model.precision},
            "provider": {"string_value": model.provider},
        },
    }
    if model.joinable and settings.max_batch > 1:
        config["dynamic_batching"] = {
            "preferred_batch_size": list(settings.preferred_sizes),
            "max_queue_delay_microseconds": round(1000 * settings.max_delay_ms),
        }
    return config


def configure_tensor(spec: TensorSpec, skip: int) -> dict[str, Any]:
    """Return one tensor of a configuration, without its first ``skip`` dimensions."""
    return {
        "name": spec.name,
        "data_type": f"TYPE_{spec.datatype}",
        "dims": list(spec.shape[skip:]),
    }


def describe_statistics(models: Iterable[ModelStatistics]) -> dict[str, Any]:
    """Return the statistics of models."""
    return {"model_stats": [describe_counts(model) for model in models]}


def describe_counts(model: ModelStatistics) -> dict[str, Any]:
    """Return the statistics of one version of a model."""
    stages = ("success", "fail", "queue", *STAGES)
    counts = {stage: describe_duration(getattr(model, stage)) for stage in stages}
    return {
        "name": model.name,
        "version": model.version,
        "last_inference": model.last_inference_ms,
        "inference_count": model.inference_count,
        "execution_count": model.execution_count,
        "inference_stats": counts | {"cache_hit": {"count": 0, "ns": 0}},
        "batch_stats": [describe_batch(batch) for batch in model.batches],
    }


def describe_batch(batch: BatchStatistics) -> dict[str, Any]:
    """Return the statistics of the runs of one number of rows."""
    stages = {stage: describe_duration(getattr(batch, stage)) for stage in STAGES}
    return {"batch_size": batch.batch_size, **stages}


def describe_duration(duration: Duration) -> dict[str, int]:
    """Return how often and how long, in nanoseconds."""
    return {"count": duration.count, "ns": duration.ns}


def describe_index(entries: Sequence[Entry], *, ready_only: bool) -> list[dict[str, str]]:
    """Return the repository's index.

    Args:
        entries: of all models.
        ready_only: leave out those that are not ready.
    """
    return [
        {
            "name": entry.name,
            "version": entry.version,
            "state": entry.state,
            "reason": entry.reason,
        }
        for entry in entries
        if entry.state == "READY" or not ready_only
    ]
