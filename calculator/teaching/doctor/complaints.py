"""The errors of PyTorch, TensorFlow, Keras and ONNX Runtime about shapes, and their numbers."""

import re
from dataclasses import dataclass
from functools import cache

LONGEST_MESSAGE = 20_000  # characters from the end of a traceback that are looked at
LAYER_NAME = 90  # characters in front of an error in which Keras names the layer

# {name} is a number, {name*} several between brackets, < and > the brackets of a shape, ~ a few
# characters that differ between versions. A name may have several forms.
FORMS: tuple[tuple[str, str], ...] = (
    ("product", "mat1 and mat2 shapes cannot be multiplied ({given*} and {weight*})"),
    ("product", "size mismatch, m1: [{given*}], m2: [{weight*}]"),
    ("product", "Matrix size-incompatible: In[0]: [{given*}], In[1]: [{weight*}]"),
    (
        "axis",
        (
            "expected axis -1 of input shape to have value {wanted}~received input with shape "
            "<{given*}>"
        ),
    ),
    (
        "channels",
        (
            "weight of size [{weight*}], expected input[{given*}] to have {wanted} channels, "
            "but got {arriving} channels instead"
        ),
    ),
    (
        "window",
        (
            "Calculated padded input size per channel: ({size*}). Kernel size: ({kernel*}). Kernel "
            "size can't be greater"
        ),
    ),
    ("window", "Negative dimension size caused by subtracting {kernel} from {size}"),
    (
        "pool",
        "Given input size: ({given*}). Calculated output size: ({made*}). Output size is too small",
    ),
    ("rank", "or {axes}D (batched) input to conv~, but got input of size: [{given*}]"),
    ("rank", "expected {axes}D input (got {dimensions}D input)"),
    (
        "rank",
        "{axes}-dimensional weight~, but got {dimensions}-dimensional input of size [{given*}]",
    ),
    ("layer_rank", "ndim={axes}, found ndim={dimensions}. Full shape received: <{given*}>"),
    ("file_rank", "Invalid rank for input: ~ Got: {dimensions} Expected: {axes}"),
    (
        "sum",
        (
            "The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton "
            "dimension {axis}"
        ),
    ),
    (
        "concat",
        (
            "Sizes of tensors must match except in dimension {joined}. Expected size {a} but got "
            "size {b} for tensor number {branch}"
        ),
    ),
    ("norm", "running_mean should contain {arriving} elements not {stated}"),
    (
        "single",
        (
            "Expected more than 1 value per channel when training, got input size "
            "torch.Size([{given*}])"
        ),
    ),
    (
        "single",
        (
            "Expected more than 1 spatial element when training, got input size "
            "torch.Size([{given*}])"
        ),
    ),
    (
        "reflection",
        (
            "Padding size should be less than the corresponding input dimension, but got: padding "
            "({padding*}) at dimension {axis} of input [{given*}]"
        ),
    ),
    (
        "pool_padding",
        (
            "pad should be at most half of effective kernel size, but got pad={padding}, "
            "kernel_size={kernel}"
        ),
    ),
    (
        "pool_padding",
        "pad should be at most half of kernel size, but got pad={padding}, kernel_size={kernel}",
    ),
    ("view", "shape '[{wanted*}]' is invalid for input of size {values}"),
    (
        "batches",
        "Expected input batch_size ({given}) to match target batch_size ({target})",
    ),
    ("label", "Target {label} is out of bounds"),
    ("loss", "Shapes ({labels*}) and ({outputs*}) are incompatible"),
    (
        "checkpoint",
        (
            "copying a param with shape torch.Size([{saved*}]) from checkpoint, the shape in "
            "current model is torch.Size([{wanted*}])"
        ),
    ),
    ("groups", "channels must be divisible by groups"),
    ("shuffle", "but input.size(-3)={channels} is not divisible by {block}"),
    (
        "file",
        "for the following indices index: {index} Got: {got} Expected: {expected}",
    ),
)
HOLES = {"~": ".{1,40}?", "<": r"[A-Za-z.]{0,20}[(\[]{1,2}", ">": r"[)\]]"}
# a number that goes on to the left or right is another number: it is not cut
NUMBER = r"(?<![\d.])\d{1,9}(?!\d|\.\d)"
NUMBERS = r"[^\[\]()]{1,80}"
UNREADABLE = re.compile(r"\d{10}|\d\.\d")


@cache
def compile_form(form: str) -> re.Pattern[str]:
    """Return the pattern of a form."""
    parts = re.split(r"([~<>]|\{\w+\*?\})", form)
    return re.compile("".join(compile_hole(part) or re.escape(part) for part in parts))


def compile_hole(part: str) -> str:
    """Return the pattern of one hole, and nothing for plain text."""
    if part in HOLES:
        return HOLES[part]
    match = re.fullmatch(r"\{(\w+)(\*?)\}", part)
    return f"(?P<{match[1]}>{NUMBERS if match[2] else NUMBER})" if match else ""


@dataclass(frozen=True)
class Complaint:
    """An error of a framework.

    Args:
        name: which error, a key of ``MEANINGS``.
        text: the sentence of the error that was recognised.
        numbers: by name, those of its shapes; empty where a form does not have them.
        words: by name, the same as text.
        keras: whether it is of Keras or TensorFlow, which have the channels last.
    """

    name: str
    text: str
    numbers: dict[str, tuple[int, ...]]
    words: dict[str, str]
    keras: bool = False

    def get(self, name: str) -> int:
        """Return the last number under a name; 0 where there is none."""
        return self.numbers.get(name, (0,))[-1]

    @property
    def is_empty(self) -> bool:
        """Whether one sample of a tensor of the error holds no values."""
        given = self.numbers.get("given", ())
        names = ("arriving", "a", "b", "values")
        return 0 in (given[1:] or given) or any(0 in self.numbers.get(name, ()) for name in names)


def recognise(text: str) -> Complaint | None:
    """Find the last error in a text, which may be a whole traceback; None where none is known."""
    text = " ".join(text[-LONGEST_MESSAGE:].split())
    found: Complaint | None = None
    last = -1
    for name, form in FORMS:
        for match in compile_form(form).finditer(text):
            complaint = read_complaint(name, match)
            if complaint is not None and match.start() > last:
                last, found = match.start(), complaint
    return found


def read_complaint(name: str, match: re.Match[str]) -> Complaint | None:
    """Return a recognised error with its numbers; None where they cannot be read."""
    words = {key: value for key, value in match.groupdict().items() if value is not None}
    numbers = {key: read_numbers(value) for key, value in words.items()}
    if any(UNREADABLE.search(value) for value in words.values()) or not all(numbers.values()):
        return None
    keras = name in ("axis", "layer_rank", "loss") or "In[0]" in match[0]
    if name == "axis":
        name = "channels" if is_spatial(match, words["given"]) else "product"
        numbers["weight"] = numbers["wanted"]
        numbers["arriving"] = numbers["given"][-1:]
    return Complaint(name, match[0], numbers, words, keras)


def read_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a shape, those that it leaves open left out."""
    return tuple(int(digits) for digits in re.findall(r"-?\d+", text))


def is_spatial(match: re.Match[str], given: str) -> bool:
    """Return whether an error about the last axis is of a layer that slides over a picture.

    The layer's name stands in front; without one, a picture has four axes.
    """
    layer = match.string[max(0, match.start() - LAYER_NAME) : match.start()].lower()
    return "dense" not in layer and given.strip(", ").count(",") == 3
