"""Painting from Python: effects, the class ``Stylizer``, batches, CUDA."""

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import ExifTags, Image, ImageCms

from runner import ImpastoError, Stylizer
from runner.errors import PictureError, ProviderError, StyleError
from runner.stylize import Effect, Painter, finish, keep_chroma

MakePhoto = Callable[..., Image.Image]
PHOTOS = hnp.arrays(np.uint8, (4, 5, 3))


@pytest.fixture(scope="module")
def stylizer() -> Stylizer:
    """Return the shipped collection on the CPU."""
    return Stylizer(provider="cpu")


def test_stylize_keeps_profile_and_exif(
    stylizer: Stylizer, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """What describes the photo's colours and its making goes on with the painting."""
    photo = make_photo(64, 48)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ansel"
    photo.save(tmp_path / "a.jpg", icc_profile=profile, exif=exif)
    painted = stylizer.stylize(tmp_path / "a.jpg")
    assert painted.info["icc_profile"] == profile
    assert painted.getexif()[ExifTags.Base.Artist] == "Ansel"


def test_style_errors_are_impasto_errors(stylizer: Stylizer, make_photo: MakePhoto) -> None:
    """One ``except ImpastoError`` catches an unknown style too."""
    with pytest.raises(ImpastoError, match="style 'cubist' is unknown"):
        stylizer.stylize(make_photo(64, 48), style="cubist")


def differ(one: Image.Image, other: Image.Image) -> int:
    """Return the largest difference of two pictures in grey levels."""
    levels = np.asarray(one).astype(int) - np.asarray(other).astype(int)
    return int(np.abs(levels).max())


def make_effect(strength: float = 1.0, *, keep_color: bool = False) -> Effect:
    """Return an effect of one style."""
    return Effect(np.ones(1, np.float32), "plain", strength, keep_color)


@given(PHOTOS, PHOTOS)
def test_finish_is_exact_at_both_ends(photo: np.ndarray, painted: np.ndarray) -> None:
    """A strength of 0 is the photo, of 1 the painting, to the last bit."""
    np.testing.assert_array_equal(finish(photo, painted, make_effect(0.0)), photo)
    np.testing.assert_array_equal(finish(photo, painted, make_effect(1.0)), painted)


@given(PHOTOS, PHOTOS, st.floats(0, 1))
def test_finish_mixes_linearly(photo: np.ndarray, painted: np.ndarray, strength: float) -> None:
    """In between every channel is the rounded weighted mean of photo and painting."""
    exact = (1 - strength) * photo.astype(float) + strength * painted.astype(float)
    mixed = finish(photo, painted, make_effect(strength))
    assert np.abs(mixed - exact).max() <= 0.5001
    assert mixed.dtype == np.uint8


@settings(max_examples=200)
@given(PHOTOS, PHOTOS)
def test_keep_chroma_keeps_cb_and_cr(photo: np.ndarray, painted: np.ndarray) -> None:
    """Where RGB has room for it, luma is the painting's, Cb and Cr are the photo's (JFIF 1.02)."""
    matrix = np.array(
        [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
    )
    result = keep_chroma(photo, painted)
    wanted = photo @ matrix.T
    wanted[..., 0] = (painted @ matrix.T)[..., 0]
    exact = wanted @ np.linalg.inv(matrix).T
    inside = ((exact > 2) & (exact < 253)).all(axis=-1)
    assert np.abs((result @ matrix.T - wanted)[inside]).max(initial=0) <= 2


def test_stylizer_lists_its_styles(stylizer: Stylizer) -> None:
    """The default comes first; the catalogue knows the paintings."""
    assert stylizer.styles[0] == "starry_night"
    assert [style.name for style in stylizer.catalogue] == list(stylizer.styles)
    first = stylizer.catalogue[0]
    assert (first.title, first.artist, first.year) == ("The Starry Night", "Vincent van Gogh", 1889)


def test_stylize_paints_an_image_and_a_path_alike(
    stylizer: Stylizer, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """An image, a path and a path as text give one painting, of the same size."""
    make_photo().save(tmp_path / "ü.png")
    painted = stylizer.stylize(make_photo())
    assert (painted.size, painted.mode) == ((64, 48), "RGB")
    assert differ(painted, make_photo()) > 30
    assert differ(stylizer.stylize(tmp_path / "ü.png"), painted) == 0
    assert differ(stylizer.stylize(str(tmp_path / "ü.png")), painted) == 0


def test_stylize_paints_every_style_and_blend(stylizer: Stylizer, make_photo: MakePhoto) -> None:
    """All styles differ from each other, and a blend differs from its parts."""
    names = [*stylizer.styles, ",".join(stylizer.styles[:2])]
    painted = [stylizer.stylize(make_photo(), name) for name in names]
    for one, other in itertools.combinations(painted, 2):
        assert differ(one, other) > 10
    assert differ(stylizer.stylize(make_photo()), painted[0]) == 0


def test_stylize_applies_strength_and_color(stylizer: Stylizer, make_photo: MakePhoto) -> None:
    """Strength 0 is the photo; half is the mean; kept colour has the photo's chroma."""
    photo = make_photo()
    painted = np.asarray(stylizer.stylize(photo)).astype(float)
    assert differ(stylizer.stylize(photo, strength=0), photo) == 0
    half = np.asarray(stylizer.stylize(photo, strength=0.5)).astype(float)
    assert np.abs(half - (painted + np.asarray(photo)) / 2).max() <= 0.5
    kept = np.asarray(stylizer.stylize(photo, keep_color=True))
    np.testing.assert_array_equal(kept, keep_chroma(np.asarray(photo), painted.astype(np.uint8)))


def test_stylize_keeps_the_mask(stylizer: Stylizer, make_photo: MakePhoto) -> None:
    """A picture with transparency is painted, and its mask is its own."""
    photo = make_photo()
    photo.putalpha(make_photo(seed=1).convert("L"))
    painted = stylizer.stylize(photo)
    assert painted.mode == "RGBA"
    assert differ(painted.getchannel("A"), photo.getchannel("A")) == 0
    assert differ(painted.convert("RGB"), stylizer.stylize(make_photo())) == 0


def test_stylize_paints_one_frame_of_an_animation(
    stylizer: Stylizer, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """Of an animation file the first frame is painted; an image keeps the frame it shows."""
    path = tmp_path / "a.png"
    frames = [make_photo(seed=i) for i in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert differ(stylizer.stylize(path), stylizer.stylize(frames[0])) == 0
    with Image.open(path) as image:
        image.seek(2)
        assert differ(stylizer.stylize(image), stylizer.stylize(frames[2])) == 0
        assert image.tell() == 2


def test_stylize_explains_what_it_cannot_paint(
    stylizer: Stylizer, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """A picture that is missing, none or too small is named with the reason."""
    (tmp_path / "a.jpg").write_text("Dear diary,")
    with pytest.raises(PictureError, match=r"a\.jpg: not a picture"):
        stylizer.stylize(tmp_path / "a.jpg")
    with pytest.raises(ImpastoError, match=r"b\.jpg: cannot be read \(No such file"):
        stylizer.stylize(tmp_path / "b.jpg")
    with pytest.raises(PictureError, match=r"12x9 px is smaller than the 32 px this network needs"):
        stylizer.stylize(make_photo(12, 9))


def test_stylize_refuses_options_that_make_no_sense(
    stylizer: Stylizer, make_photo: MakePhoto
) -> None:
    """Unknown styles, impossible strengths and unknown providers are named."""
    with pytest.raises(StyleError, match=r"'the_screm' is unknown; the model has the_scream, "):
        stylizer.stylize(make_photo(), "the_screm")
    for strength in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"must lie between 0 \(the photo\) and 1"):
            stylizer.stylize(make_photo(), strength=strength)
    with pytest.raises(ProviderError, match=r"provider 'gpu' is unknown"):
        Stylizer(provider="gpu")


def test_stylize_many_paints_in_order(stylizer: Stylizer, make_photo: MakePhoto) -> None:
    """Pictures of changing sizes come back in the order of the input, painted as by stylize."""
    photos = [make_photo(*[(64, 48), (300, 200), (40, 33)][i % 3], i) for i in range(14)]
    options = {"strength": 0.8, "keep_color": True}
    painted = list(stylizer.stylize_many(photos, "great_wave", strength=0.8, keep_color=True))
    assert [image.size for image in painted] == [photo.size for photo in photos]
    for photo, image in zip(photos, painted, strict=True):
        alone = stylizer.stylize(photo, "great_wave", **options)  # type: ignore[arg-type]
        assert differ(image, alone) <= 1


def test_stylize_many_is_lazy(stylizer: Stylizer, make_photo: MakePhoto) -> None:
    """From endless input a few paintings can be taken, and nothing runs on behind them."""
    taken = 0

    def photos() -> Iterator[Image.Image]:
        nonlocal taken
        while True:
            taken += 1
            yield make_photo(seed=taken % 4)

    before = threading.active_count()
    painted = stylizer.stylize_many(photos())
    assert taken == 0
    assert len(list(itertools.islice(painted, 3))) == 3
    assert taken < 50
    del painted
    assert threading.active_count() == before


def test_stylize_many_takes_one_lazy_image_many_times(
    stylizer: Stylizer, make_photo: MakePhoto, tmp_path: Path
) -> None:
    """An image that Pillow has only opened may stand in the list more than once."""
    make_photo(400, 300).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        painted = list(stylizer.stylize_many([image] * 6))
    assert all(differ(one, painted[0]) == 0 for one in painted)


def test_stylize_many_stops_at_a_failure(stylizer: Stylizer, make_photo: MakePhoto) -> None:
    """The pictures before a bad one come out, then its error, and no thread stays."""
    before = threading.active_count()
    painted = stylizer.stylize_many([make_photo(), make_photo(5, 5), make_photo()])
    assert next(painted).size == (64, 48)
    with pytest.raises(PictureError, match=r"5x5 px is smaller than the 32 px"):
        next(painted)
    assert threading.active_count() == before


def test_stylize_many_refuses_an_unknown_style_at_once(stylizer: Stylizer) -> None:
    """Wrong options are told when they are given, not when the first picture is taken."""
    with pytest.raises(StyleError, match=r"'nobody' is unknown"):
        stylizer.stylize_many([], "nobody")


@pytest.mark.parametrize("size", [(64, 48), (33, 47), (32, 500)])
def test_paint_does_not_depend_on_the_batch(
    size: tuple[int, int], painter: Painter, make_photo: MakePhoto
) -> None:
    """A photo in a batch of others is painted as if alone, to one grey level."""
    photos = [np.asarray(make_photo(*size, seed)) for seed in range(5)]
    effect = painter.choose("the_scream:0.6,udnie:0.4")
    for photo, together in zip(photos, painter.paint(photos, effect), strict=True):
        assert together.shape == photo.shape
        alone = painter.paint([photo], effect)[0]
        assert np.abs(together.astype(int) - alone).max() <= 1


def test_paint_does_not_depend_on_the_threads(painter: Painter, make_photo: MakePhoto) -> None:
    """Two threads paint as one does, to one grey level."""
    photo, effect = np.asarray(make_photo(200, 150)), painter.choose()
    two = Painter(provider="cpu", threads=2).paint([photo], effect)[0]
    assert np.abs(two.astype(int) - painter.paint([photo], effect)[0]).max() <= 1


@pytest.mark.cuda
@pytest.mark.skipif(
    "CUDAExecutionProvider" not in ort.get_available_providers(),
    reason="needs an NVIDIA GPU and onnxruntime-gpu: this runtime has no CUDA provider",
)
def test_cuda_paints_like_the_cpu(
    painter: Painter, impasto: Callable[..., object], make_photo: MakePhoto, tmp_path: Path
) -> None:
    """A GPU gives the CPU's paintings to one grey level, also in batches."""
    photos = [make_photo(120, 90, seed) for seed in range(6)]
    (tmp_path / "in").mkdir()
    for seed, photo in enumerate(photos):
        photo.save(tmp_path / "in" / f"{seed}.png")
    impasto("stylize", "in", "-o", "out", "--provider", "cuda", "--batch", 4)
    effect = painter.choose()
    for seed, photo in enumerate(photos):
        with Image.open(tmp_path / "out" / f"{seed}.png") as painted:
            expected = painter.paint([np.asarray(photo)], effect)[0]
            assert differ(painted, Image.fromarray(expected)) <= 1
