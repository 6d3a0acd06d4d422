"""How a picture is to be painted or classified: the parameters of the two pages."""

from dataclasses import dataclass
from typing import Any

from runner.errors import StyleError
from runner.formats import CHOICES, FORMATS
from runner.service.engine.files import COLLECTION_NAME
from runner.service.engine.served import ServedModel
from runner.service.errors import BadRequest
from runner.service.parameters import Choice, Parameter, Real, Truth, Whole
from runner.stylize.blend import format_blend, parse_blend
from runner.stylize.painter import Effect

LONGEST_SIDE = 65_535  # pixels; JPEG holds no more
SAME = "same"
MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}

STYLIZE = (
    Parameter(
        name="style",
        description="A style, or a blend of styles; see /v1/styles. [default: the model's first]",
        example="starry_night:0.7,the_scream:0.3",
        longest=2000,
    ),
    Real(
        name="strength",
        description="Mix of photo (0) and painting (1).",
        default=1.0,
        least=0,
        most=1,
        example=0.8,
    ),
    Truth(
        name="keep_color",
        description="Keep the photo's colours, paint only light and shade.",
        example="1",
    ),
    Whole(
        name="size",
        description="Reduce a larger picture to this long side, in pixels.",
        least=1,
        most=LONGEST_SIDE,
        example=1024,
    ),
    Choice(
        name="format",
        description="Of the painting; same is that of the picture.",
        default=SAME,
        words=(SAME, *CHOICES),
        example="jpeg",
    ),
    Whole(
        name="quality", description="Of JPEG and WebP.", default=90, least=1, most=100, example=90
    ),
    Parameter(
        name="model",
        description="A model that stylizes; see /v1/models.",
        default=COLLECTION_NAME,
        longest=64,
        example=COLLECTION_NAME,
    ),
)
CLASSIFY = (
    Parameter(
        name="model",
        description="A model that classifies; see /v1/models.",
        default="lenet5",
        longest=64,
        example="lenet5",
    ),
    Whole(
        name="top",
        description="Classes to tell. [default: 5, or all where there are fewer]",
        least=1,
        most=100_000,
        example=3,
    ),
)
STYLES = (
    Parameter(
        name="model",
        description="A model that stylizes; see /v1/models.",
        default=COLLECTION_NAME,
        longest=64,
        example=COLLECTION_NAME,
    ),
)


@dataclass(frozen=True)
class Painting:
    """How one picture is painted.

    Attributes:
        effect: blend, strength and colour.
        long_side: cap on the longer side in pixels, or None.
        format: ``same``, ``png``, ``jpeg`` or ``webp``.
        quality: 1 to 100.
    """

    effect: Effect
    long_side: int | None
    format: str
    quality: int

    def choose_format(self, format_name: str) -> str:
        """Return Pillow's name of the painting's format.

        Args:
            format_name: Pillow's name of the picture's.
        """
        return format_name if self.format == SAME else FORMATS[CHOICES[self.format]]


def plan_painting(model: ServedModel, values: dict[str, Any]) -> Painting:
    """Return how to paint, from the values of ``STYLIZE``.

    Raises:
        BadRequest: the model does not stylize, or has not this style.
    """
    require_task(model, "stylize")
    names = [style.name for style in model.card.styles]
    try:
        weights = parse_blend(values["style"], names)
    except StyleError as error:
        raise BadRequest(error.message) from None
    effect = Effect(weights, format_blend(weights, names), values["strength"], values["keep_color"])
    return Painting(effect, values["size"], values["format"], values["quality"])


def require_task(model: ServedModel, task: str) -> None:
    """Stop where a model is made for something else.

    Raises:
        BadRequest: it is.
    """
    if model.card.task != task:
        made_for = f"made for {model.card.task!r}" if model.card.task else "a foreign file"
        message = (
            f"model {model.name!r} is {made_for}, not {task!r}; choose another of /v1/models, or "
            f"use /v2/models/{model.name}/infer"
        )
        raise BadRequest(message)
