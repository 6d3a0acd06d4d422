"""What a painting makes of its order before the first step."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.optimize import Recipe
from models.painting.arguments import Stage
from models.painting.order import Order
from models.painting.pictures import take_light
from models.painting.work import Painting


@pytest.fixture
def order(photo: Path, mill: Path, vgg_file: Path) -> Order:
    """Return the order of one tiny painting."""
    return Order(
        content=photo,
        styles=((mill, 1.0),),
        vgg=vgg_file,
        stages=(Stage(32, 1),),
        recipe=Recipe((("relu2_1", 1.0),), (("relu2_1", 1.0),)),
    )


def test_feature_network_sees_no_frame(order: Order) -> None:
    """A plain picture has plain features up to its border: no frame will be painted."""
    features = Painting(order, torch.device("cpu")).vgg(torch.full((1, 3, 16, 16), 0.9))["relu2_1"]
    torch.testing.assert_close(features, features[:, :, 4:5, 4:5].expand_as(features))


def test_kept_colours_match_the_paintings_light(order: Order) -> None:
    """With colours kept, the painting is seen in the photo's brightness and contrast."""
    painting = Painting(replace(order, keep_color=True), torch.device("cpu"))
    style, photo = painting._read_style(0), take_light(painting.photo)
    assert style.shape[1] == 1
    torch.testing.assert_close(style.mean(), photo.mean(), rtol=0, atol=0.02)
    torch.testing.assert_close(style.std(), photo.std(), rtol=0, atol=0.02)
