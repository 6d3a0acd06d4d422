"""The room's public names, and what importing them costs."""

import subprocess
import sys

import pytest

import models


def test_public_names_are_pinned() -> None:
    """The public names are these and no others: adding one is a decision."""
    assert models.__all__ == [
        "CONFIGS",
        "NETWORKS",
        "Checkpoint",
        "CheckpointError",
        "ClassifierCheckpoint",
        "ClassifierSettings",
        "ClassifierTraining",
        "Costs",
        "DataError",
        "DivergedError",
        "InputRule",
        "ModelsError",
        "Painting",
        "PhotoBatches",
        "RunFiles",
        "Settings",
        "Stage",
        "Step",
        "StyleNet",
        "StyleNetConfig",
        "StyleObjective",
        "StyleTraining",
        "VGGFeatures",
        "Weights",
        "WeightsError",
        "content_cost",
        "gram_matrix",
        "import_classifier",
        "import_vgg16_features",
        "list_paintings",
        "list_photos",
        "load_vgg",
        "read_checkpoint",
        "read_classifier",
        "style_cost",
        "total_variation",
        "write_checkpoint",
        "write_classifier",
    ]


@pytest.mark.parametrize("name", models.__all__)
def test_public_name_loads_from_its_module(name: str) -> None:
    """Every public name can be reached through the package and is listed by dir()."""
    assert getattr(models, name) is not None
    assert name in dir(models)


def test_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as in any other module."""
    with pytest.raises(AttributeError, match="module 'models' has no attribute 'StyleNett'"):
        _ = models.StyleNett


@pytest.mark.parametrize("module", ["models", "models.cli"])
def test_import_leaves_torch_alone(module: str) -> None:
    """Neither the package nor its command line imports PyTorch before work is asked for."""
    code = (
        f"import sys, {module}; print(sorted({{'torch', 'onnx', 'matplotlib'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_import_detector_can_fail() -> None:
    """Asking for a network does import PyTorch, so the test above sees what it looks for."""
    code = "import sys, models; models.StyleNet; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
