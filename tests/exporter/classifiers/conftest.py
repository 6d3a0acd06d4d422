"""Classifiers with random weights whose predictions differ from picture to picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from PIL import Image
from torch import nn

from exporter.classifiers.graphs import ClassifierModel
from exporter.classifiers.parity import draw_pictures
from exporter.classifiers.storage import write_model
from exporter.scenes import draw_scenes
from models.classifiers.checkpoint import ClassifierCheckpoint, write_classifier
from models.classifiers.classifier import Classifier
from models.classifiers.networks import choose_input, choose_scaling, find_network

Draw = Callable[..., ClassifierCheckpoint]
MEAN = (123.68, 116.779, 103.939)
# as a user names them: network, variant, values of its configuration
NETWORKS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "lenet5": ("lenet5", "notes", {}),
    "lenet5-1998": ("lenet5", "1998", {}),
    "simpleconvnet": ("simpleconvnet", None, {}),
    "alexnet": ("alexnet", "single", {"hidden": 16, "classes": 10}),
    "alexnet-grouped": ("alexnet", "grouped", {"hidden": 16, "classes": 10}),
    "alexnet-torchvision": ("alexnet", "torchvision", {"hidden": 16, "classes": 10}),
    "vgg11-bn": ("vgg11", "bn", {"hidden": 16, "classes": 10}),
}


def draw_checkpoint(name: str) -> ClassifierCheckpoint:
    """Return a random classifier whose logits spread by about 3 over classes and pictures."""
    network, variant, values = NETWORKS[name]
    description = find_network(network)
    config = description.configure(variant, **values)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(5)
        net = description.build(config)
        for module in net.modules():
            shake(module)
        before = {k: v.clone() for k, v in net.state_dict().items() if k == first_weight(net)}
        checkpoint = ClassifierCheckpoint(
            name=network,
            config=config,
            input=choose_input(config),
            pixels=choose_scaling(config, MEAN),
            labels=[f"class {number}" for number in range(config.classes)],
            training={"data": "none", "license": "CC0-1.0"},
            step=3,
            net=net.state_dict(),
            initial=before,
        )
        net.get_parameter(first_weight(net)).mul_(1.5)
        spread_logits(net.eval(), checkpoint)
    return checkpoint


def shake(module: nn.Module) -> None:
    """Draw weights that keep signals alive, and statistics that are not those of no training."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
    if isinstance(module, nn.BatchNorm2d):
        for tensor, low in ((module.weight, 0.5), (module.running_var, 0.5), (module.bias, -0.5)):
            if tensor is not None:
                nn.init.uniform_(tensor, low, low + 1)
    for name, parameter in module.named_parameters(recurse=False):
        if not isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
            nn.init.uniform_(parameter, -0.2, 0.4)
        elif name == "bias" and not isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(parameter, -0.1, 0.1)


def first_weight(net: Classifier) -> str:
    """Return the name of the first convolution's weight."""
    return next(f"{n}.weight" for n, m in net.named_modules() if isinstance(m, nn.Conv2d))


def spread_logits(net: Classifier, checkpoint: ClassifierCheckpoint) -> None:
    """Centre each class's logits over some pictures and scale them; distances stay as they are."""
    last = net.classifier[-1]
    if not isinstance(last, nn.Linear):
        return
    logits = net(scale(checkpoint, draw_pictures(checkpoint.input, 4)))
    factor = 3 / logits.std(0).mean()
    last.bias.copy_((last.bias - logits.mean(0)) * factor)
    last.weight.mul_(factor)


def scale(checkpoint: ClassifierCheckpoint, images: Any) -> torch.Tensor:  # noqa: ANN401
    """Return bytes ``[N, H, W, C]`` as the network takes them, float32 ``[N, C, H, W]``."""
    factors, terms = (
        torch.tensor(values).view(1, -1, 1, 1)
        for values in (checkpoint.pixels.scale, checkpoint.pixels.shift)
    )
    return torch.from_numpy(images.copy()).permute(0, 3, 1, 2).float() * factors + terms


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Return a function from a name to its random checkpoint, the same each time."""
    drawn: dict[str, ClassifierCheckpoint] = {}

    def find(name: str) -> ClassifierCheckpoint:
        if name not in drawn:
            drawn[name] = draw_checkpoint(name)
        return drawn[name]

    return find


@pytest.fixture(scope="session")
def saved(draw: Draw, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function from a name to its checkpoint's file."""
    folder = tmp_path_factory.mktemp("checkpoints")

    def find(name: str) -> Path:
        path = folder / f"{name}.safetensors"
        if not path.exists():
            write_classifier(path, draw(name))
        return path

    return find


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of fifty random scenes in two subfolders, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, scene in enumerate(draw_scenes(50, 36, 30, seed=9)):
        path = folder / f"part{number % 2}" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(scene).save(path)
    (folder / "notes.txt").write_text("not a picture")
    return folder


def run(model: ClassifierModel, folder: Path, images: Any, *outputs: str) -> list[Any]:  # noqa: ANN401
    """Write a model, open it and return its outputs, by default the probabilities."""
    path = folder / "model.onnx"
    write_model(model.skeleton, model.weights, path)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    found: list[Any] = session.run(list(outputs) or ["probabilities"], {"image": images})
    return found


def ask_torch(checkpoint: ClassifierCheckpoint, images: Any) -> Any:  # noqa: ANN401
    """Return PyTorch's probabilities of bytes ``[N, H, W, C]``."""
    with torch.inference_mode():
        return checkpoint.build()(scale(checkpoint, images)).softmax(1).numpy()


def draw_bytes(checkpoint: ClassifierCheckpoint, count: int = 2) -> Any:  # noqa: ANN401
    """Return scenes as the network takes them, uint8 ``[N, H, W, C]``."""
    return np.ascontiguousarray(draw_pictures(checkpoint.input, count))
