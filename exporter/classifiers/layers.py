"""The layers of the classifiers as ONNX nodes, written straight from the modules.

Each of PyTorch's modules here is one node of the same meaning, or two to four where ONNX has
none. Two ways were open. Tracing with torch's exporter (as :mod:`exporter.trunk` does for
the style networks) takes local response normalisation apart into squares, pools and powers,
names tensors by their number, and copies every weight. The classifiers are plain chains, so
writing them needs no trace: what a layer is stays one node with the layer's name.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from torch import Tensor, nn

from exporter.classifiers.geometry import Pair, Window
from exporter.classifiers.writing import Writing
from exporter.errors import ExportError
from models.classifiers.lenet5 import LinkedConv2d, RadialBasis, ScaledTanh, Subsampling

Write = Callable[[Writing, str, Any], None]


def write_layer(writing: Writing, name: str, module: nn.Module) -> None:
    """Add the nodes of one module.

    Args:
        writing: grows.
        name: of the layer.
        module: in evaluation mode.

    Raises:
        ExportError: there is no way to write this kind of module.
    """
    for kind, write in WRITERS.items():
        if isinstance(module, kind):
            write(writing, name, module)
            return
    message = (
        f"layer {name!r} is a {type(module).__name__}, which has no form in ONNX here; there are "
        f"{', '.join(known.__name__ for known in WRITERS)}"
    )
    raise ExportError(message)


def write_conv(writing: Writing, name: str, module: nn.Conv2d) -> None:
    """Write a convolution."""
    if isinstance(module.padding, str) or module.padding_mode != "zeros":
        message = f"layer {name!r} pads {module.padding} with {module.padding_mode}; give zeros"
        raise ExportError(message)
    window = Window(
        to_pair(module.kernel_size),
        to_pair(module.stride),
        to_pair(module.padding),
        to_pair(module.dilation),
    )
    append_conv(writing, name, window, weight=module.weight, bias=module.bias, groups=module.groups)


def write_linked_conv(writing: Writing, name: str, module: LinkedConv2d) -> None:
    """Write LeNet-5's C3: a full convolution with zeros where its table has no connection."""
    weight = module.expand_kernels()
    window = Window(to_pair(weight.shape[2:]))
    append_conv(writing, name, window, weight=weight, bias=module.bias)


def append_conv(
    writing: Writing,
    name: str,
    window: Window,
    *,
    weight: Tensor,
    bias: Tensor | None,
    groups: int = 1,
) -> None:
    """Add a ``Conv`` node and the tap of its layer."""
    writing.use_preferred(name)
    names = [writing.store(f"{name}.weight", view(weight))]
    names += [] if bias is None else [writing.store(f"{name}.bias", view(bias))]
    writing.append(
        "Conv",
        name,
        *names,
        kernel_shape=window.kernel,
        strides=window.stride,
        pads=[*window.padding, *window.padding],
        dilations=window.dilation,
        group=groups,
    )
    writing.geometry = writing.geometry.slide(window, channels=len(weight))
    writing.begin_tap(name, "conv")


def write_linear(writing: Writing, name: str, module: nn.Linear) -> None:
    """Write a dense layer as a ``Gemm``."""
    writing.use_preferred(name)
    names = [writing.store(f"{name}.weight", view(module.weight))]
    names += [] if module.bias is None else [writing.store(f"{name}.bias", view(module.bias))]
    writing.append("Gemm", name, *names, transB=1)
    writing.geometry = writing.geometry.flatten(module.out_features)
    writing.begin_tap(name, "fc")


def write_batch_norm(writing: Writing, name: str, module: nn.BatchNorm2d) -> None:
    """Write batch normalisation with its running statistics, in float32."""
    stored = (module.weight, module.bias, module.running_mean, module.running_var)
    if any(tensor is None for tensor in stored):
        message = f"layer {name!r} lacks a scale, a shift or running statistics; train it with them"
        raise ExportError(message)
    writing.use_float(name)
    roles = ("weight", "bias", "running_mean", "running_var")
    names = [
        writing.store(f"{name}.{role}", view(tensor))
        for role, tensor in zip(roles, stored, strict=True)
        if tensor is not None
    ]
    writing.append("BatchNormalization", name, *names, epsilon=module.eps)
    writing.extend_tap()


def write_response_norm(writing: Writing, name: str, module: nn.LocalResponseNorm) -> None:
    """Write local response normalisation as one ``LRN`` node, in float32.

    ONNX's operator divides alpha by the number of channels, as PyTorch's does.
    """
    writing.use_float(name)
    writing.append(
        "LRN", name, size=module.size, alpha=module.alpha, beta=module.beta, bias=module.k
    )


def write_relu(writing: Writing, name: str, _: nn.ReLU) -> None:
    """Write a rectifier."""
    writing.append("Relu", name)
    writing.extend_tap()


def write_tanh(writing: Writing, name: str, _: nn.Tanh) -> None:
    """Write a hyperbolic tangent."""
    writing.append("Tanh", name)
    writing.extend_tap()


def write_scaled_tanh(writing: Writing, name: str, _: ScaledTanh) -> None:
    """Write 1.7159 tanh(2x/3), LeCun et al. 1998, appendix A."""
    inner = writing.store(f"{name}/slope", np.array(2.0 / 3.0, np.float32))
    outer = writing.store(f"{name}/amplitude", np.array(1.7159, np.float32))
    writing.append("Mul", f"{name}/scaled", inner)
    writing.append("Tanh", name)
    writing.append("Mul", f"{name}/stretched", outer)
    writing.extend_tap()


def write_max_pool(writing: Writing, name: str, module: nn.MaxPool2d) -> None:
    """Write max pooling."""
    window = read_pool(name, module)
    writing.append("MaxPool", name, **list_pool(window), dilations=window.dilation)
    writing.geometry = writing.geometry.slide(window)
    writing.begin_tap(name, "maxpool")


def write_avg_pool(writing: Writing, name: str, module: nn.AvgPool2d) -> None:
    """Write average pooling."""
    window = read_pool(name, module)
    counts_padding = int(bool(module.count_include_pad))
    writing.append("AveragePool", name, **list_pool(window), count_include_pad=counts_padding)
    writing.geometry = writing.geometry.slide(window)
    writing.begin_tap(name, "avgpool")


def read_pool(name: str, module: nn.MaxPool2d | nn.AvgPool2d) -> Window:
    """Return the window of a pooling.

    Raises:
        ExportError: it rounds sizes up, or divides by a number of its own.
    """
    if module.ceil_mode or getattr(module, "divisor_override", None) is not None:
        message = f"layer {name!r} rounds sizes up or has its own divisor; no network here does"
        raise ExportError(message)
    dilation = getattr(module, "dilation", 1)
    return Window(
        *(to_pair(v) for v in (module.kernel_size, module.stride, module.padding, dilation))
    )


def list_pool(window: Window) -> dict[str, Any]:
    """Return a window as the attributes of a pooling node."""
    pads = [*window.padding, *window.padding]
    return {"kernel_shape": window.kernel, "strides": window.stride, "pads": pads}


def write_adaptive_pool(writing: Writing, name: str, module: nn.AdaptiveAvgPool2d) -> None:
    """Leave out a pooling to the size that is there already, as in torchvision's AlexNet.

    Raises:
        ExportError: it would change the size.
    """
    if to_pair(module.output_size) != writing.geometry.shape[1:]:
        message = (
            f"layer {name!r} pools {writing.geometry.shape[1:]} to {module.output_size}; only the "
            "size that is there already can be exported"
        )
        raise ExportError(message)


def write_subsampling(writing: Writing, name: str, module: Subsampling) -> None:
    """Write LeNet-5's trainable subsampling: the mean, times four coefficients, plus a bias."""
    writing.use_preferred(name)
    window = Window((2, 2), (2, 2))
    coefficient = writing.store(f"{name}.weight", view(4.0 * module.weight[:, None, None]))
    bias = writing.store(f"{name}.bias", view(module.bias[:, None, None]))
    writing.append("AveragePool", name, **list_pool(window))
    writing.append("Mul", f"{name}/weighted", coefficient)
    writing.append("Add", f"{name}/shifted", bias)
    writing.geometry = writing.geometry.slide(window)
    writing.begin_tap(name, "subsample")


def write_flatten(writing: Writing, name: str, _: nn.Flatten) -> None:
    """Write all values of a picture in one row."""
    writing.append("Flatten", name, axis=1)
    writing.geometry = writing.geometry.flatten(int(np.prod(writing.geometry.shape)))


def write_radial_basis(writing: Writing, name: str, module: RadialBasis) -> None:
    """Write minus the squared distances to the centres (LeCun et al. 1998, eq. 7).

    In float64: distances are near 200 and decide by their differences, where float32's sums of
    84 squares would move a probability by 1e-5.
    """
    writing.cast(f"{name}/row", TensorProto.DOUBLE)
    axis = writing.store_integers(f"{name}/axis", 1)
    centers = writing.store(f"{name}.centers", view(module.centers))
    writing.append("Unsqueeze", f"{name}/row", axis)
    writing.append("Sub", f"{name}/differences", centers)
    writing.append("ReduceSumSquare", f"{name}/distances", axes=[2], keepdims=0)
    writing.append("Neg", name)
    writing.geometry = writing.geometry.flatten(len(module.centers))


def skip(writing: Writing, name: str, module: nn.Module) -> None:
    """Write nothing: dropout does nothing outside training."""


def view(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor's own memory as an array."""
    array: NDArray[Any] = tensor.detach().numpy()
    return array


def to_pair(value: Any) -> Pair:  # noqa: ANN401 - PyTorch takes an integer or two
    """Return ``(height, width)`` of a setting that may be one number for both."""
    height, width = (value, value) if isinstance(value, int) else value
    return int(height), int(width)


WRITERS: Mapping[type[nn.Module], Write] = {
    nn.Conv2d: write_conv,
    LinkedConv2d: write_linked_conv,
    nn.Linear: write_linear,
    nn.BatchNorm2d: write_batch_norm,
    nn.LocalResponseNorm: write_response_norm,
    nn.ReLU: write_relu,
    nn.Tanh: write_tanh,
    ScaledTanh: write_scaled_tanh,
    nn.MaxPool2d: write_max_pool,
    nn.AvgPool2d: write_avg_pool,
    nn.AdaptiveAvgPool2d: write_adaptive_pool,
    Subsampling: write_subsampling,
    nn.Flatten: write_flatten,
    RadialBasis: write_radial_basis,
    nn.Dropout: skip,
}
