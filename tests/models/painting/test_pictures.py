"""Pictures in and out, light and colour, and the VGG that averages."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.errors import DataError
from models.painting.pictures import (
    AveragingVGG,
    change_light,
    encode,
    enlarge,
    find_least_side,
    make_noise,
    match_light,
    read_resized,
    take_light,
    to_image,
)
from models.style.perceptual import VGGFeatures, read_vgg


def make_picture(seed: int, *shape: int) -> torch.Tensor:
    """Return a random picture in [0, 1]."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("size", "shape"), [(24, (18, 24)), (48, (36, 48)), (96, (72, 96))])
def test_long_side_becomes_what_was_asked(size: int, shape: tuple[int, int], photo: Path) -> None:
    """A picture is reduced or enlarged to the size, and keeps its shape."""
    assert read_resized(photo, size, ("relu1_1",)).shape == (1, 3, *shape)


def test_orientation_is_followed(photo: Path, tmp_path: Path) -> None:
    """A photo whose EXIF says that it lies on its side stands upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(photo) as picture:
        picture.save(tmp_path / "turned.jpg", exif=exif)
    assert read_resized(tmp_path / "turned.jpg", 48, ("relu1_1",)).shape == (1, 3, 48, 36)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_kinds_of_pictures_become_rgb(mode: str, photo: Path, tmp_path: Path) -> None:
    """Grey, palette, transparent and CMYK pictures are read as three channels in [0, 1]."""
    path = tmp_path / f"photo.{'tif' if mode == 'CMYK' else 'png'}"
    with Image.open(photo) as picture:
        picture.convert("L").convert("LA").save(path) if mode == "LA" else picture.convert(
            mode
        ).save(path)
    read = read_resized(path, 48, ("relu1_1",))
    assert read.shape == (1, 3, 36, 48)
    assert 0.0 <= float(read.min()) < float(read.max()) <= 1.0


def test_picture_too_small_for_its_layers_is_refused(tmp_path: Path) -> None:
    """A narrow picture is answered with its size, the layer and the least side."""
    Image.new("RGB", (400, 40)).save(tmp_path / "wide.png")
    message = r"wide\.png: 400x40 px becomes 200x20 px, but relu5_1 needs 32 px each way"
    with pytest.raises(DataError, match=message):
        read_resized(tmp_path / "wide.png", 200, ("relu1_1", "relu5_1"))


@pytest.mark.parametrize("layer", ["relu1_2", "relu3_3", "relu5_3"])
def test_least_side_is_what_the_network_can_reflect(layer: str, vgg_file: Path) -> None:
    """The least side passes the network, and one pixel less in the last block does not."""
    vgg = VGGFeatures(read_vgg(vgg_file), [layer], padding_mode="reflect")
    least = find_least_side((layer,))
    assert min(vgg(torch.zeros(1, 3, least, least))[layer].shape[2:]) == 2
    with pytest.raises(RuntimeError, match=r"[Pp]adding size"):
        vgg(torch.zeros(1, 3, least - 1, least - 1))


def test_averaging_takes_means_where_the_published_network_takes_maxima(vgg_file: Path) -> None:
    """Before the first pooling both agree; of a plain picture they agree everywhere."""
    tensors, layers = read_vgg(vgg_file), ["relu1_2", "relu2_2"]
    averaging = AveragingVGG(tensors, layers, padding_mode="reflect")
    published = VGGFeatures(tensors, layers, padding_mode="reflect")
    picture, plain = make_picture(1, 1, 3, 16, 16), torch.full((1, 3, 16, 16), 0.7)
    assert torch.equal(averaging(picture)["relu1_2"], published(picture)["relu1_2"])
    assert not torch.equal(averaging(picture)["relu2_2"], published(picture)["relu2_2"])
    torch.testing.assert_close(averaging(plain)["relu2_2"], published(plain)["relu2_2"])
    assert list(averaging(picture, "relu1_2")) == ["relu1_2"]


def test_light_changes_and_colour_stays() -> None:
    """With another luma the chroma of the photo stays, where nothing leaves the range."""
    photo = make_picture(1, 1, 3, 8, 8) * 0.4 + 0.3
    light = take_light(photo) + 0.1
    changed = change_light(photo, light)
    torch.testing.assert_close(take_light(changed), light)
    before, after = (
        np.asarray(to_image(x).convert("YCbCr"), np.int16)[..., 1:] for x in (photo, changed)
    )
    assert abs(before - after).max() <= 1


def test_matched_light_has_the_targets_mean_and_deviation() -> None:
    """A dark, flat painting gets the photo's brightness and contrast."""
    target = make_picture(1, 1, 1, 16, 16) * 0.4 + 0.3
    matched = match_light(make_picture(2, 1, 1, 9, 9) * 0.1, target)
    torch.testing.assert_close(matched.mean(), target.mean(), rtol=0, atol=0.01)
    torch.testing.assert_close(matched.std(), target.std(), rtol=0, atol=0.01)
    assert bool(match_light(torch.zeros(1, 1, 4, 4), target).isfinite().all())


def test_noise_is_a_function_of_its_seed() -> None:
    """One seed gives one noise, another seed another, and it fills the range."""
    like = torch.zeros(1, 3, 20, 20)
    assert torch.equal(make_noise(like, 3), make_noise(like, 3))
    assert not torch.equal(make_noise(like, 3), make_noise(like, 4))
    assert float(make_noise(like, 3).std()) == pytest.approx(12**-0.5, abs=0.02)


def test_enlarging_stays_in_range() -> None:
    """Bicubic overshoots are cut; a picture of the size already is left as it is."""
    picture = make_picture(1, 1, 3, 6, 6).round()
    large = enlarge(picture, (13, 11))
    assert large.shape == (1, 3, 13, 11)
    assert 0.0 <= float(large.min()) <= float(large.max()) <= 1.0
    torch.testing.assert_close(enlarge(picture, (6, 6)), picture)


@pytest.mark.parametrize(
    ("name", "kind"), [("a.PNG", "PNG"), ("a.jpeg", "JPEG"), ("a.webp", "WEBP")]
)
def test_suffix_decides_the_kind(name: str, kind: str) -> None:
    """PNG keeps every pixel; JPEG and WebP come close."""
    picture = to_image(enlarge(make_picture(1, 1, 3, 4, 4), (16, 16)))
    with Image.open(io.BytesIO(encode(picture, Path(name)))) as read:
        assert read.format == kind
        difference = abs(np.asarray(read, np.int16) - np.asarray(picture, np.int16))
    assert difference.mean() <= (0 if kind == "PNG" else 8)
