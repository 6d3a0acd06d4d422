"""Batches: every picture once per epoch, the same whenever they are asked for."""

from collections import Counter

import numpy as np
import torch

from models.classifiers.augmentation import AffineJitter
from models.classifiers.batches import Batch, Batches, Samples, iterate_once, scale_pixels
from models.classifiers.networks import PixelScaling
from models.classifiers.pictures import ArrayPictures, NormalizedPictures
from models.classifiers.preprocessing import InputRule

RULE = InputRule((8, 8), "grey", {"rule": "fit", "box": [6, 6]})


def make_samples(*, jitter: bool = False) -> Samples:
    """Return ten pictures, each even in its own grey, labelled in turn."""
    images = np.repeat(np.arange(10, dtype=np.uint8) * 20, 36).reshape(10, 6, 6)
    pictures = ArrayPictures(images, np.arange(10) % 3)
    augment = AffineJitter(RULE) if jitter else None
    return Samples(NormalizedPictures(pictures, RULE), augment, seed=5)


def test_epoch_shows_every_picture_once() -> None:
    """Steps of 4, 4 and 2 pictures cover all ten, in another order each epoch."""
    batches = Batches(make_samples(), batch=4, seed=1)
    assert batches.steps_per_epoch == 3
    orders = []
    for epoch in range(3):
        shown = [batches.read(3 * epoch + i) for i in range(3)]
        assert [len(batch.labels) for batch in shown] == [4, 4, 2]
        orders.append([int(p) for batch in shown for p in batch.inputs[:, 4, 4, 0]])
        assert Counter(orders[-1]) == Counter(20 * i for i in range(10))
    assert orders[0] != orders[1] != orders[2]


def test_labels_belong_to_their_pictures() -> None:
    """However they are shuffled, picture and label stay together."""
    batch = Batches(make_samples(), batch=10, seed=3).read(0)
    greys = batch.inputs[:, 4, 4, 0].long()
    assert torch.equal(greys // 20 % 3, batch.labels)


def test_batches_do_not_depend_on_what_was_read_before() -> None:
    """Starting in the middle gives what passing through gives, augmentation included."""
    through = list(Batches(make_samples(jitter=True), batch=3, seed=2).iterate(0, 9))
    late = list(Batches(make_samples(jitter=True), batch=3, seed=2).iterate(5, 9))
    for one, other in zip(through[5:], late, strict=True):
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.labels, other.labels)


def test_augmentation_differs_between_epochs() -> None:
    """The same picture looks different the next time."""
    samples = make_samples(jitter=True)
    assert not np.array_equal(samples.draw(9, 0), samples.draw(9, 10))


def test_evaluation_keeps_the_order() -> None:
    """Every picture comes once, in its own order, whatever the batch."""
    greys = [batch.inputs[:, 4, 4, 0] for batch in iterate_once(make_samples(), 4)]
    assert torch.cat(greys).tolist() == [20 * i for i in range(10)]


def test_split_parts_are_the_batch() -> None:
    """Parts are as many as asked for or fewer, and joined they are the batch."""
    batch = Batch(torch.arange(10).reshape(5, 2), torch.arange(5))
    for pieces in (1, 2, 3, 5, 9):
        parts = batch.split(pieces)
        assert len(parts) <= pieces
        assert torch.equal(torch.cat([part.inputs for part in parts]), batch.inputs)
        assert torch.equal(torch.cat([part.labels for part in parts]), batch.labels)


def test_pixels_are_scaled_per_channel_and_channels_come_first() -> None:
    """uint8 [N, H, W, C] becomes x * scale + shift as float32 [N, C, H, W]."""
    pixels = torch.randint(0, 256, (2, 3, 4, 2), dtype=torch.uint8)
    found = scale_pixels(pixels, PixelScaling((0.5, 2.0), (-1.0, 3.0)))
    assert found.shape == (2, 2, 3, 4)
    torch.testing.assert_close(found[:, 0], pixels[..., 0].float() * 0.5 - 1)
    torch.testing.assert_close(found[:, 1], pixels[..., 1].float() * 2 + 3)
