"""How much memory the export of a classifier takes, against the size of its weights.

python benchmarks/export_memory.py --network vgg16 --precisions fp32 fp16 int8
"""

import argparse
import tempfile
from multiprocessing import get_context
from pathlib import Path

from measuring import describe_machine, run_process

PRECISIONS = ("fp32", "fp16", "int8")
PICTURES = 25  # a fifth of them held back


def write_random(name: str, path: Path) -> None:
    """Write a network with random weights.

    In a process of its own: Linux counts what a process held when it started another one
    into the other's peak.
    """
    import torch

    from models.classifiers.checkpoint import ClassifierCheckpoint, write_classifier
    from models.classifiers.networks import choose_input, choose_scaling, find_network

    description = find_network(name)
    config = description.configure(None)
    torch.manual_seed(0)
    net = description.build(config)
    net.initialize()
    checkpoint = ClassifierCheckpoint(
        name=name,
        config=config,
        input=choose_input(config),
        pixels=choose_scaling(config, (123.68, 116.779, 103.939)),
        labels=[f"class {number}" for number in range(config.classes)],
        training={},
        step=0,
        net=net.state_dict(),
    )
    write_classifier(path, checkpoint)


def draw_photos(folder: Path) -> None:
    """Write random scenes to calibrate on; how many does not change the memory."""
    from PIL import Image

    from exporter.scenes import draw_scenes

    folder.mkdir()
    for number, scene in enumerate(draw_scenes(PICTURES, 256, 256, seed=1)):
        Image.fromarray(scene).save(folder / f"{number}.png")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--network", default="vgg16")
    parser.add_argument("--precisions", nargs="+", default=["fp32"], choices=PRECISIONS)
    args = parser.parse_args()
    print(describe_machine(["torch", "onnx", "onnxruntime", "safetensors"]))
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint, output = Path(scratch, "it.safetensors"), Path(scratch, "it.onnx")
        photos = Path(scratch, "photos")
        writer = get_context("spawn").Process(target=write_random, args=(args.network, checkpoint))
        writer.start()
        writer.join()
        draw_photos(photos)
        # classes of a random network lie so close that rounding changes them
        calibrate = ["--calibrate", str(photos), "--min-agreement", "0"]
        weights_bytes = checkpoint.stat().st_size
        for precision in args.precisions:
            command = ["impasto", "export", str(checkpoint), "-o", str(output), "--overwrite"]
            more = calibrate if precision == "int8" else []
            run = run_process([*command, "--precision", precision, *more])
            peak_bytes = run.peak_mib * 2**20
            print(
                f"{args.network} {precision}: weights {weights_bytes / 1e6:,.0f} MB, peak "
                f"{peak_bytes / 1e6:,.0f} MB ({peak_bytes / weights_bytes:.2f}x), "
                f"{run.wall_s:.0f} s"
            )


if __name__ == "__main__":
    main()
