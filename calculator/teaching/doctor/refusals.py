"""What a text that is neither a network nor a known error is answered."""

from pathlib import Path

from calculator.errors import CalculatorError
from calculator.reading.networks import NETWORKS
from calculator.reading.sources import LINE, MODELS, RECIPES
from calculator.reading.words import SHAPE

LONGEST_QUOTE = 60  # characters of a text that an error repeats
LONGEST_PATH = 1_000  # characters that are looked up as a file
KINDS = (
    "layers or checkpoints made for other sizes, too small maps, missing axes, branches or labels "
    "that do not match, padding, view, groups"
)


def quote(text: str) -> str:
    """Return the start of a text in quotes, with dots where it goes on."""
    return repr(text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE].rstrip() + "...")


def is_prose(text: str) -> bool:
    """Return whether a text has the words of a sentence rather than the bars of a line."""
    words = text.split()
    return len(words) > 1 and "|" not in text and not SHAPE.fullmatch(words[0])


def is_file(text: str) -> bool:
    """Return whether a text names a file that is there."""
    try:
        return 0 < len(text) <= LONGEST_PATH and Path(text).is_file()
    except (OSError, ValueError):  # a null character, or a name too long for the system
        return False


def refuse(text: str, *, network: str | None) -> None:
    """Refuse a text that is no error and cannot be a network.

    Args:
        text: in which no error was recognised.
        network: what the error should have been about; None where nothing was said of one.

    Raises:
        CalculatorError: it is empty, prose, a file of another kind, or stands beside a network.
    """
    if not text.strip():
        message = (
            "the text is empty; give a network or the error of a framework (a traceback goes to "
            "standard input, as in 'python train.py 2>&1 | impasto doctor -')"
        )
        raise CalculatorError(message)
    if network is not None and (text in NETWORKS or (LINE.search(text) and not is_prose(text))):
        message = (
            f"{quote(text)} is a network and no error; --network goes with the error of a "
            f"framework that is about it: leave --network {quote(network)} out"
        )
        raise CalculatorError(message)
    if is_file(text) and Path(text).suffix.lower() not in RECIPES | MODELS:
        message = (
            f"{quote(text)} is a file and no network; where an error stands in it, give it to "
            f"standard input: impasto doctor - < {text}"
        )
        raise CalculatorError(message)
    if network is not None or is_prose(text):
        message = (
            f"{quote(text)} is no network and no error that is known; give a line such as "
            "'1x28x28 | conv 6@5x5 | flatten | fc 10', a name, a file, or an error of PyTorch, "
            f"Keras, TensorFlow or ONNX Runtime about shapes ({KINDS}), whole and unchanged"
        )
        raise CalculatorError(message)
