"""What a user says of a network that says nothing of itself."""

from dataclasses import dataclass
from typing import Literal

from models.classifiers.preprocessing import InputRule

Color = Literal["rgb", "bgr", "grey"]
Layout = Literal["auto", "nchw", "nhwc"]
Softmax = Literal["auto", "yes", "no"]


@dataclass(frozen=True)
class Wishes:
    """How a foreign network's input and output are to be understood.

    The network reads ``(x / scale - mean) / std`` of pixels x in 0..255.

    Attributes:
        labels: names of the K classes.
        rule: how a picture becomes pixels.
        mean: one number per channel, R, G, B also where the network reads B, G, R.
        std: the same.
        scale: largest value of a pixel becomes ``255 / scale``.
        color: order of the channels that the network reads.
        layout: where its channels lie; ``auto`` looks at the sizes.
        softmax: whether outputs are still to be made probabilities; ``auto`` tries them.
        input: name of the input; empty where there is only one.
        output: name of the output; empty where only one can be meant.
        licence: of the weights.
    """

    labels: list[str]
    rule: InputRule
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float = 255.0
    color: Color = "rgb"
    layout: Layout = "auto"
    softmax: Softmax = "auto"
    input: str = ""
    output: str = ""
    licence: str = "unstated"

    @property
    def channels(self) -> int:
        """C: 1 for grey, else 3."""
        return self.rule.channels
