"""Painting from Python: the class ``Stylizer``."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from PIL import Image

from runner.images import Picture, Source, read
from runner.model import Style
from runner.processors import count_processors
from runner.stylize.painter import Painter, finish
from runner.stylize.pipeline import Pipeline, Stages, Task


class Stylizer:
    """Paint photographs from Python.

    ::

        from runner import Stylizer

        stylizer = Stylizer()
        stylizer.stylize("photo.jpg", style="starry_night").save("painted.jpg")

    Args:
        model: ONNX file that ``impasto export`` wrote; the shipped collection when None.
        provider: ``auto`` (CUDA where it works, else the CPU), ``cpu``, ``cuda`` or
            ``openvino``.
        precision: ``fp32``, ``int8``, ``fp16``, ``bf16``, or ``auto``: the fastest that this
            processor is good at and that lies beside the model.

    Raises:
        ModelError: the file is missing, damaged, made for something else, or not there in this
            precision.
        ProviderError: the provider cannot be used, or has not this precision.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        provider: str = "auto",
        *,
        precision: str = "auto",
    ) -> None:
        self._model = Path(model) if model is not None else None
        self._provider = provider
        self._painter = Painter(self._model, provider, precision=precision)
        self._parallel: Painter | None = None

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the styles, the default first."""
        return self._painter.names

    @property
    def provider(self) -> str:
        """Where it runs: ``cpu``, ``cuda`` or ``openvino``."""
        return self._painter.provider

    @property
    def precision(self) -> str:
        """In which it computes: ``fp32``, ``int8``, ``fp16`` or ``bf16``."""
        return self._painter.precision

    @property
    def catalogue(self) -> tuple[Style, ...]:
        """The styles with title, artist, year and licence of their paintings."""
        return self._painter.card.styles

    def stylize(
        self,
        image: Source,
        style: str | None = None,
        *,
        strength: float = 1.0,
        keep_color: bool = False,
    ) -> Image.Image:
        """Paint one picture; of an animation, its first frame.

        Args:
            image: Pillow image, or path of a picture file.
            style: name or blend such as ``"starry_night:0.7,the_scream:0.3"``; the
                file's first style when None.
            strength: 0 (the photo) to 1 (the painting), linear per pixel.
            keep_color: keep the photo's colours, take only the painting's luma.

        Returns:
            ``RGB`` of the same size, or ``RGBA`` with the picture's own mask.

        Raises:
            PictureError: the picture cannot be read or is too small.
            StyleError: a style is unknown.
            ValueError: ``strength`` lies outside 0 to 1.
        """
        effect = self._painter.choose(style, strength=strength, keep_color=keep_color)
        picture = read(image)
        self._painter.check(picture)
        photo = picture.frames[0]
        painted = finish(photo, self._painter.paint([photo], effect)[0], effect)
        return picture.with_frames((painted,)).to_image()

    def stylize_many(
        self,
        images: Iterable[Source],
        style: str | None = None,
        *,
        strength: float = 1.0,
        keep_color: bool = False,
    ) -> Iterator[Image.Image]:
        """Paint many pictures in parallel, lazily, in the order of ``images``.

        At most a few pictures per processor are in memory at once. Arguments are those of
        :meth:`stylize`, and so are the results.

        Raises:
            PictureError: when the iteration reaches a picture that cannot be painted.
        """
        if self._parallel is None:
            self._parallel = Painter(
                self._model,
                self._provider,
                threads=1,
                precision=self._painter.precision,
                runs=count_processors(),
            )
        painter = self._parallel
        effect = painter.choose(style, strength=strength, keep_color=keep_color)
        stages = Stages[Source, Image.Image](
            decode=lambda source: _read_checked(source, painter),
            paint=lambda photos: painter.paint(photos, effect),
            encode=lambda _, picture, painted: picture.with_frames(
                (finish(picture.frames[0], painted[0], effect),)
            ).to_image(),
        )
        pipeline = Pipeline(stages, workers=count_processors())
        return _unwrap(pipeline.run(images, ordered=True))


def _read_checked(source: Source, painter: Painter) -> Picture:
    picture = read(source)
    painter.check(picture)
    return picture


def _unwrap(tasks: Generator[Task[Source, Image.Image], None, None]) -> Iterator[Image.Image]:
    with closing(tasks):  # ends the threads, also when a picture fails or nobody reads on
        for task in tasks:
            if task.error is not None:
                raise task.error
            if task.result is not None:
                yield task.result
