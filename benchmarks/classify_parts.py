"""What `benchmarks/classify.py` runs in processes of their own: files made, one thing measured.

    python benchmarks/classify_parts.py PART VALUES

PART is the name of a function here, VALUES a JSON object of its arguments. It prints one number.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SEED = 20
PHOTO = (640, 480)
MEAN = (123.68, 116.779, 103.939)  # of photographs, red, green, blue
DISTINCT = 96  # prepared pictures that inference goes through, round and round


def draw_checkpoint(name: str, path: str) -> None:
    """Write the published network with random weights: speed does not depend on them."""
    import torch
    from torch import nn

    from models.classifiers.checkpoint import ClassifierCheckpoint, write_classifier
    from models.classifiers.networks import choose_input, choose_scaling, find_network

    torch.manual_seed(SEED)
    description = find_network(name)
    config = description.configure(None)
    net = description.build(config)
    layers = [module for module in net.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    for layer in layers:  # signals stay alive, and the classes' logits apart
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    with torch.no_grad():
        layers[-1].weight.mul_(0.01)
    checkpoint = ClassifierCheckpoint(
        name=name,
        config=config,
        input=choose_input(config),
        pixels=choose_scaling(config, MEAN),
        labels=[f"class {number}" for number in range(config.classes)],
        training={"data": "none: random weights"},
        step=0,
        net=net.state_dict(),
    )
    write_classifier(Path(path), checkpoint)


def write_digits(source: str, folder: str, count: int) -> None:
    """Write the digits of IDX files as PNG files, at most ``count``."""
    from models.classifiers.idx import read_idx
    from models.classifiers.sources import find_idx

    found = find_idx(Path(source), "train-images")
    if found is None:
        words = f"{source}: holds no train-images of MNIST"
        raise SystemExit(words)
    for number, digit in enumerate(read_idx(found, dimensions=3)[:count]):
        Image.fromarray(digit).save(Path(folder, f"{number:05d}.png"))


def cut_photos(source: str, folder: str, count: int) -> None:
    """Cut ``count`` different JPEG files of 640x480 px out of the pictures of a folder."""
    from runner.classify.jobs import list_jobs
    from runner.images import read

    generator = np.random.default_rng(SEED)
    pictures = [Image.fromarray(read(job.source).frames[0]) for job in list_jobs([Path(source)])]
    for number in range(count):
        picture = pictures[number % len(pictures)]
        side = min(picture.width / 4, picture.height / 3) * generator.uniform(0.7, 1.0)
        left = generator.uniform(0, picture.width - 4 * side)
        top = generator.uniform(0, picture.height - 3 * side)
        box = (left, top, left + 4 * side, top + 3 * side)
        crop = picture.resize(PHOTO, Image.Resampling.LANCZOS, box)
        crop.save(Path(folder, f"{number:05d}.jpg"), quality=90)


def prepare_pixels(model: str, folder: str, path: str) -> None:
    """Prepare some pictures as the network takes them."""
    from runner import Classifier

    classifier = Classifier(model, "cpu")
    files = sorted(Path(folder).iterdir())[:DISTINCT]
    np.save(path, np.stack([classifier.prepare(file) for file in files]))


def time_batches(run: Callable[[Any], object], pixels: Any, batch: int, seconds: float) -> float:  # noqa: ANN401
    """Return milliseconds per picture: the median of at least five batches after two others."""
    batches = [
        np.resize(np.roll(pixels, -batch * k, 0), (batch, *pixels.shape[1:])) for k in (0, 1)
    ]
    found: list[float] = []
    for number in range(2):
        run(batches[number])
    begun = time.perf_counter()
    while len(found) < 5 or time.perf_counter() - begun < seconds:
        before = time.perf_counter()
        run(batches[len(found) % 2])
        found.append((time.perf_counter() - before) * 1000 / batch)
    return statistics.median(found)


def time_runtime(model: str, pixels: str, batch: int, seconds: float) -> float:
    """Time ONNX Runtime as the product opens it, on all processors."""
    from runner.classify.network import Network

    return time_batches(Network(model, "cpu").predict, np.load(pixels), batch, seconds)


def time_pytorch(checkpoint: str, pixels: str, batch: int, seconds: float) -> float:
    """Time PyTorch eager in inference mode on all processors: the same bytes to probabilities."""
    import torch

    from models.classifiers.checkpoint import read_classifier
    from runner.processors import count_processors

    torch.set_num_threads(count_processors())
    saved = read_classifier(Path(checkpoint))
    net = saved.build()
    scale, shift = (
        torch.tensor(values).view(1, -1, 1, 1)
        for values in (saved.pixels.scale, saved.pixels.shift)
    )

    @torch.inference_mode()
    def run(images: Any) -> object:  # noqa: ANN401
        scaled = torch.from_numpy(images).permute(0, 3, 1, 2).float() * scale + shift
        return net(scaled).softmax(1).numpy()

    return time_batches(run, np.load(pixels), batch, seconds)


def time_decoding(model: str, folder: str) -> float:
    """Return core-seconds per picture of reading and preparing, alone on one thread."""
    from runner.classify.decoding import decode_jobs
    from runner.classify.jobs import list_jobs
    from runner.classify.network import Network

    rule = Network(model, "cpu", 1).rule
    jobs = list_jobs([Path(folder)])
    decode_jobs(jobs[:8], rule)
    return time_cores(lambda part: decode_jobs(part, rule), jobs)


def time_inference(model: str, folder: str, pixels: str) -> float:
    """Return core-seconds per picture of inference in the command's batches, on one thread."""
    from runner.classify.jobs import list_jobs
    from runner.classify.network import Network

    network = Network(model, "cpu", 1)
    count = len(list_jobs([Path(folder)]))
    prepared = np.load(pixels)
    batch = min(network.batch, count)
    images = np.resize(prepared, (batch, *prepared.shape[1:]))
    network.predict(images)
    runs = max(3, count // batch)
    before = time.process_time()
    for _ in range(runs):
        network.predict(images)
    return (time.process_time() - before) / (runs * batch)


def time_cores(work: Callable[[Any], object], jobs: list[Any]) -> float:
    """Return core-seconds per job of work on 64 at a time."""
    before = time.process_time()
    for first in range(0, len(jobs), 64):
        work(jobs[first : first + 64])
    return (time.process_time() - before) / len(jobs)


PARTS: dict[str, Callable[..., float | None]] = {
    function.__name__: function
    for function in (
        draw_checkpoint,
        write_digits,
        cut_photos,
        prepare_pixels,
        time_runtime,
        time_pytorch,
        time_decoding,
        time_inference,
    )
}


if __name__ == "__main__":
    print(PARTS[sys.argv[1]](**json.loads(sys.argv[2])) or 0.0)
