"""Text in drawings: how wide it is, what of it is shown, and counts in three digits."""

from calculator.arithmetic.units import divide_rounded

# Advance widths of DejaVu Sans in thousandths of the font size. It is the widest of the
# sans-serif fonts that a browser falls back to, so text in any other one needs less room.
ADVANCES = {
    **dict.fromkeys("ijl'|", 280),
    **dict.fromkeys("ft .,:;/\\()[]!rI-J", 412),
    **dict.fromkeys("szckvxya_eo?", 616),
    **dict.fromkeys("bdghnpqu0123456789$LTFESYZ*", 637),
    **dict.fromkeys("ABCDGHKNOPQRUVX&", 788),
    **dict.fromkeys("mwMW%@+=<>~#^", 1001),
}
WIDEST = 1_400  # of a character that is not in the table
BOLD_PERCENT = 116
SCALES = ("", "K", "M", "G", "T", "P", "E")
LONGEST_NAME = 200
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def measure(text: str, size: int, *, bold: bool = False) -> int:
    """Return the width of a line of text, rather too large than too small.

    Args:
        text: one line.
        size: of the font, in units of the drawing.
        bold: whether it is set in bold.
    """
    thousandths = sum(ADVANCES.get(character, WIDEST) for character in text) * size
    return -(-thousandths * (BOLD_PERCENT if bold else 100) // 100_000)


def clean(text: str) -> str:
    """Return text of at most 200 characters that XML can hold and that reads left to right.

    Control characters, lone surrogates and marks that turn the direction become U+FFFD.
    """
    shown = text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else "\ufffd" for c in shown)


def escape(text: str) -> str:
    """Return cleaned text for an element or an attribute in double quotes."""
    return clean(text).translate(ENTITIES)


def clip(text: str, longest: int) -> str:
    """Return at most ``longest`` characters, the rest an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def shorten(value: int) -> str:
    """Return a count in three digits: ``156``, ``34.9K``, ``105M``, ``1.2e21``; halves up."""
    length = len(str(value))
    power, places = divmod(length - 1, 3)
    if power == 0:
        return str(value)
    if power < len(SCALES):
        text = divide_rounded(value, 1_000**power, digits=2 - places) + SCALES[power]
    else:
        places = 0
        text = f"{divide_rounded(value, 10 ** (length - 1), digits=1)}e{length - 1}"
    whole = text.rstrip("".join(SCALES)).partition(".")[0]
    # Rounding can add a digit: 99.95K is 100K, and 999.5K is 1.00M.
    return text if len(whole) == places + 1 else shorten(10**length)
