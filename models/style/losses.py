"""The costs of style transfer, as pure functions of feature maps.

Three normalisations go by name:

========== ======================================================== =============================
name       content cost of F against P, [C, H, W] each              style cost of Grams G against A
========== ======================================================== =============================
gatys      1/2 sum (F - P)^2                                        1/(4 C^2) sum (G - A)^2
johnson    1/(C H W) sum (F - P)^2                                  1/C^2 sum (G - A)^2
relative   sum (F - P)^2 / sum P^2                                  sum (G - A)^2 / sum A^2
========== ======================================================== =============================

gatys: Gatys, Ecker and Bethge 2015, "A Neural Algorithm of Artistic Style",
equations 1 to 5. johnson: Johnson et al. 2016, section 3.2. relative: each
layer measured by its target's own energy, which puts layers whose raw costs differ by
five orders of magnitude on one scale.

Deviation: a Gram matrix is always divided by H W, so that photo and painting may
differ in size. With M = H W for both, Gatys' 1/(4 C^2 M^2) on undivided
matrices and Johnson's Gram matrices divided by C H W give the numbers above.

Half precision is widened to float32 before anything is summed; float64 stays, so that
gradients can be checked by differences.
"""

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from models.errors import ModelsError, list_nearest

Normalization = Literal["gatys", "johnson", "relative"]
NORMALIZATIONS: tuple[str, ...] = get_args(Normalization)


def gram_matrix(features: Tensor) -> Tensor:
    """Correlate channels: the mean over positions of the outer product of the feature vector.

    Args:
        features: float ``[N, C, H, W]``.

    Returns:
        float32 (float64 of float64) ``[N, C, C]``, symmetric and positive semidefinite.
    """
    n, c, h, w = features.shape
    flat = _widen(features).reshape(n, c, h * w)
    return torch.bmm(flat, flat.transpose(1, 2)) / (h * w)


def content_cost(
    features: Tensor, target: Tensor, normalization: Normalization = "relative"
) -> Tensor:
    """Compare the features of a painted photo with those of the photo.

    Args:
        features: float ``[N, C, H, W]``.
        target: float ``[N, C, H, W]``.
        normalization: see the module's table.

    Returns:
        float32 (float64 of float64) scalar, the mean over N.

    Raises:
        ModelsError: the normalisation is unknown.
    """
    scale = _find({"gatys": _half, "johnson": _per_element, "relative": _per_energy}, normalization)
    target = _widen(target)
    squared = (_widen(features) - target).square().flatten(1).sum(1)
    return (squared * scale(target)).mean()


def style_cost(gram: Tensor, target: Tensor, normalization: Normalization = "relative") -> Tensor:
    """Compare the Gram matrices of a painted photo with those of the painting.

    Args:
        gram: float32 or float64 ``[N, C, C]`` from :func:`gram_matrix`.
        target: the same, of the painting.
        normalization: see the module's table.

    Returns:
        float32 (float64 of float64) scalar, the mean over N.

    Raises:
        ModelsError: the normalisation is unknown.
    """
    scale = _find(
        {"gatys": _quarter_per_element, "johnson": _per_element, "relative": _per_energy},
        normalization,
    )
    squared = (gram - target).square().flatten(1).sum(1)
    return (squared * scale(target)).mean()


def total_variation(images: Tensor) -> Tensor:
    """Mean absolute difference of neighbours, down plus across (Rudin et al. 1992, anisotropic).

    Johnson et al. (2016, section 3.2) use it as a regulariser against grain.

    Args:
        images: float ``[N, C, H, W]``, H and W at least 2.

    Returns:
        scalar of the same type.
    """
    down = (images[:, :, 1:, :] - images[:, :, :-1, :]).abs().mean()
    across = (images[:, :, :, 1:] - images[:, :, :, :-1]).abs().mean()
    return down + across


def _widen(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _half(target: Tensor) -> Tensor:
    return torch.full_like(target[:, 0, 0, 0], 0.5)


def _per_element(target: Tensor) -> Tensor:
    flat = target.flatten(1)
    return torch.full_like(flat[:, 0], 1.0 / flat.shape[1])


def _quarter_per_element(target: Tensor) -> Tensor:
    return 0.25 * _per_element(target)


def _per_energy(target: Tensor) -> Tensor:
    return 1.0 / target.square().flatten(1).sum(1).clamp_min(torch.finfo(torch.float32).tiny)


def _find(
    scales: Mapping[str, Callable[[Tensor], Tensor]], normalization: str
) -> Callable[[Tensor], Tensor]:
    if normalization not in scales:
        known = list_nearest(normalization, scales)
        message = f"normalization {normalization!r} is unknown; choose one of {known}"
        raise ModelsError(message)
    return scales[normalization]
