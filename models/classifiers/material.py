"""What a run works on: a network with its first weights, and pictures ready to be shown."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.classifiers.augmentation import choose_augmentation
from models.classifiers.batches import (
    AnySamples,
    FeatureSamples,
    Samples,
    iterate_once,
    scale_pixels,
)
from models.classifiers.classifier import Classifier
from models.classifiers.finetuning import Base
from models.classifiers.networks import (
    PixelScaling,
    choose_input,
    choose_scaling,
    find_network,
)
from models.classifiers.pictures import NormalizedPictures, Part, Pictures, measure_colors
from models.classifiers.preprocessing import InputRule, as_pixels, resize
from models.classifiers.settings import ClassifierSettings
from models.classifiers.sources import DataSet

MEASURED_PICTURES = 2000  # for mean and principal colours
JUDGED_PICTURES = 10_000  # of the training set, without augmentation, at the end
SETTLED_PICTURES = 32  # for the scale of a fresh layer
COMPUTED_TOGETHER = 32  # pictures per forward pass
CACHED_FEATURES = 2**30  # values, 4 GiB


@dataclass
class Material:
    """A network and what it is shown.

    Attributes:
        net: the network, on its device.
        device: where it is.
        rule: how pictures become pixels.
        scaling: how pixels become the network's numbers.
        labels: names of the classes.
        training: what steps are made of, augmented if asked for.
        judged: training pictures without augmentation, for the final figures.
        validation: what epochs are compared on, if anything.
        test: what the final classifier is judged on, if anything.
        data: digests and numbers of pictures, as JSON values.
        origin: where the first weights come from, as JSON values.
        initial: the first layer's weight before training, by name.
        cached: whether the samples are features.
    """

    net: Classifier
    device: torch.device
    rule: InputRule
    scaling: PixelScaling
    labels: tuple[str, ...]
    training: AnySamples
    judged: AnySamples
    validation: AnySamples | None
    test: AnySamples | None
    data: dict[str, Any]
    origin: dict[str, Any]
    initial: dict[str, Tensor]
    cached: bool = False

    def forward(self, inputs: Tensor) -> Tensor:
        """Map uint8 pictures ``[N, H, W, C]``, or cached features, to logits ``[N, K]``."""
        inputs = inputs.to(self.device)
        if self.cached:
            return self.net.classifier(inputs)  # type: ignore[no-any-return]
        return self.net(scale_pixels(inputs, self.scaling))  # type: ignore[no-any-return]

    def count_features(self) -> tuple[int, int]:
        """Return of how many pictures :meth:`cache_features` would keep how many values."""
        first = next(p for p in self.net.classifier.parameters() if p.ndim == 2)
        parts = {id(p): p for p in (self.training, self.judged, self.validation, self.test)}
        pictures = sum(len(part) for part in parts.values() if part is not None)
        return pictures, pictures * first.shape[1]

    @torch.no_grad()
    def settle_fresh_layer(self) -> None:
        """Divide a fresh first dense layer by the root mean square of the features it will see.

        Initialisations are made for inputs near 1; published features may be ten times larger,
        and their dense layers then begin with huge losses (Mishkin and Matas 2016).
        """
        name = next(n for n, p in self.net.classifier.named_parameters() if p.ndim > 1)
        if f"classifier.{name}" not in self.origin.get("fresh", ()):
            return
        self.net.eval()
        numbers = space_evenly(len(self.judged), SETTLED_PICTURES)
        pixels = self.judged.take(numbers, 0).inputs.to(self.device)
        features = self.net.features(scale_pixels(pixels, self.scaling))
        root = float(features.float().square().mean().sqrt())
        if root > 0:
            self.net.classifier.get_parameter(name).div_(root)

    @torch.no_grad()
    def cache_features(self, precision: str, report: Callable[[int], None]) -> None:
        """Compute every picture's features once; only for frozen features, unaugmented.

        Args:
            precision: ``fp32`` or ``bf16``.
            report: called with the number of pictures of each batch that is done.
        """
        self.net.eval()
        same = self.judged is self.training
        self.training = self.compute_features(self.training, precision, report)
        self.judged = (
            self.training if same else self.compute_features(self.judged, precision, report)
        )
        if self.validation is not None:
            self.validation = self.compute_features(self.validation, precision, report)
        if self.test is not None:
            self.test = self.compute_features(self.test, precision, report)
        self.cached = True

    def compute_features(
        self, samples: AnySamples, precision: str, report: Callable[[int], None]
    ) -> FeatureSamples:
        """Return the features of every sample, float32 ``[N, F]``, in memory."""
        parts, labels = [], []
        for batch in iterate_once(samples, COMPUTED_TOGETHER):
            with use_precision(self.device, precision):
                pixels = scale_pixels(batch.inputs.to(self.device), self.scaling)
                parts.append(self.net.features(pixels).float().cpu())
            labels.append(batch.labels)
            report(len(batch.labels))
        return FeatureSamples(torch.cat(parts), torch.cat(labels).numpy())


def prepare_material(
    settings: ClassifierSettings,
    data: DataSet,
    *,
    device: torch.device,
    base: Base | None = None,
) -> Material:
    """Build the network, measure the training pictures, and set out the samples.

    Args:
        settings: of the run.
        data: labelled pictures.
        device: where to train.
        base: weights to begin from; fresh ones when None.

    Raises:
        ModelsError: the base does not fit the network, or a picture cannot be decoded.
    """
    description = find_network(settings.network)
    config = description.restore_config(settings.config)
    torch.manual_seed(settings.seed)
    net = description.build(config)
    net.initialize()
    rule = base.rule if base and base.rule else choose_input(config)
    pictures = NormalizedPictures(data.training, rule)
    mean, covariance = measure_pictures(pictures) if rule.color == "RGB" else ((0.0,), None)
    scaling = base.scaling if base else choose_scaling(config, mean)
    origin = base.load_into(net, data.labels) if base else {}
    if settings.freeze:
        net.features.requires_grad_(requires_grad=False)
    augment = choose_augmentation(settings.augmentation, rule, covariance)
    training = Samples(pictures, augment, settings.seed)
    material = Material(
        net=net.to(device),
        device=device,
        rule=rule,
        scaling=scaling,
        labels=data.labels,
        training=training,
        judged=choose_judged(training, data.training),
        validation=show_plain(data.validation, rule),
        test=show_plain(data.test, rule),
        data=describe_data(data),
        origin=origin,
        initial=copy_first_weight(net),
    )
    material.settle_fresh_layer()
    return material


def measure_pictures(
    pictures: NormalizedPictures,
) -> tuple[tuple[float, ...], NDArray[np.float64]]:
    """Return mean and covariance of colours over :data:`MEASURED_PICTURES`, evenly spaced."""
    numbers = space_evenly(len(pictures), MEASURED_PICTURES)
    rule = pictures.rule
    return measure_colors(as_pixels(resize(pictures.read(int(n)), rule)) for n in numbers)


def space_evenly(count: int, most: int) -> NDArray[np.int64]:
    """Return at most ``most`` of ``count`` numbers, evenly spaced, ascending."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)


def choose_judged(training: Samples, pictures: Pictures) -> Samples:
    """Return training pictures as they are, :data:`JUDGED_PICTURES` at most, evenly spaced."""
    if training.augment is None and len(training) <= JUDGED_PICTURES:
        return training
    part = Part(pictures, space_evenly(len(training), JUDGED_PICTURES))
    return Samples(NormalizedPictures(part, training.pictures.rule), None, 0)


def show_plain(pictures: Pictures | None, rule: InputRule) -> Samples | None:
    """Return pictures as they are, without augmentation."""
    return None if pictures is None else Samples(NormalizedPictures(pictures, rule), None, 0)


def describe_data(data: DataSet) -> dict[str, Any]:
    """Return digest and number of pictures per part, as JSON values."""
    parts = {"training": data.training, "validation": data.validation, "test": data.test}
    digests = data.identify()
    return {
        name: {"pictures": len(part.labels), "sha256": digests[name]}
        for name, part in parts.items()
        if part is not None
    }


def use_precision(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return the context in which a network is called: ``fp32`` or ``bf16``."""
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def copy_first_weight(net: Classifier) -> dict[str, Tensor]:
    """Return the first layer's weight by name, as it is now."""
    name, parameter = next(iter(net.named_parameters()))
    return {name: parameter.detach().cpu().clone()}
