"""Short, unique names for layers, from what a file calls its operations and weights."""

import re
from collections import Counter
from dataclasses import dataclass

from calculator.network import Names
from calculator.reading.grammar import NAME

# the last part of a weight's name, where it says which weight of its layer it is
ROLES = re.compile(
    r"(^|[./_])(weights?(/(255|half|integers|columns|joined))*|bias|kernel|gamma|beta|W|B|w|b|Read|ReadVariableOp|_packed_params|Cast"
    r"|convolution|depthwise|MatMul|Conv2D|BiasAdd|resource|(weights?_)?(quantized|dequant))"
    r"([:_]\d+)?$"
)
# names that exporters count out, and that say no more than the kind does
COUNTED = re.compile(r"(node_.*|onnx::.*|(n|val|view|getitem|op)?[_-]?\d*([_-]\d+)*)")
SYNONYMS = {"biasadd", "conv", "matmul", "gemm", "fusedbatchnormv3", "pool", "linear"}
UNNAMED = {"quantizelinear", "dequantizelinear"}  # there are many, and their names are long
LONGEST = 40
MOST_SHARED = 5  # one in so many names may lack the part that is dropped from the others


@dataclass(frozen=True)
class Wish:
    """What a layer might be called.

    Args:
        name: empty for nothing.
        kind: of the layer.
        weighted: whether the name is that of a weight of its own.
    """

    name: str
    kind: str
    weighted: bool


class Naming:
    """Collects what the layers might be called, then decides."""

    def __init__(self) -> None:
        self.wishes: list[Wish] = []

    def choose(self) -> list[str]:
        """Return one name per layer.

        A wish that several layers have is that of the first with the weight; the others,
        and those without one, become ``conv1``.
        """
        common = find_common([wish.name for wish in self.wishes if wish.weighted])
        cleaned = [clean(wish.name, without=common) for wish in self.wishes]
        wanted = Counter(cleaned)
        taken: set[str] = set()
        chosen = []
        for name, wish in zip(cleaned, self.wishes, strict=True):
            is_free = name not in taken and (wish.weighted or wanted[name] == 1)
            chosen.append(name if is_free else "")
            taken.add(chosen[-1])
        names = Names(taken)
        return [
            name or names.choose(wish.kind) for name, wish in zip(chosen, self.wishes, strict=True)
        ]


def find_common(names: list[str]) -> str:
    """Return the first part of the names if nearly all with several parts have it, or nothing."""
    heads = Counter(
        parts[0] for parts in (re.split("[./]", name) for name in names) if len(parts) > 1
    )
    ((head, number),) = heads.most_common(1) or [("", 0)]
    return head if number > 1 and (heads.total() - number) * MOST_SHARED <= number else ""


def suggest(name: str, *, kind: str, word: str, owner: str) -> Wish:
    """Return what a layer might be called.

    Args:
        name: of its operation; parts behind the last that says more than the kind are cut.
        kind: of the layer.
        word: the operator's name.
        owner: name of its weight; empty if it has none.
    """
    if kind in UNNAMED:
        return Wish("", kind, weighted=False)
    if owner and re.search("[./]", owner) and not COUNTED.fullmatch(owner):
        return Wish(strip_roles(owner), kind, weighted=True)
    parts = [part for part in name.split("/") if part]
    if len(parts) > 1 and says_kind(parts[-1], kind, word=word):
        parts.pop()
    if len(parts) == 1 and says_kind(parts[0], kind, word=word):
        parts = []
    return Wish("/".join(parts), kind, weighted=bool(owner))


def strip_roles(owner: str) -> str:
    """Return a weight's name without what says which weight it is."""
    while (shorter := ROLES.sub("", owner)) != owner:
        owner = shorter
    return owner


def says_kind(part: str, kind: str, *, word: str) -> bool:
    """Return whether part of a name is the operator's name, perhaps with a number."""
    if COUNTED.fullmatch(part):
        return True
    bare = re.sub(r"[_-]+\d+$", "", part).lower().replace("_", "")
    forms = {bare, bare.rstrip("0123456789"), re.sub(r"[123]d$", "", bare)}
    return bool(forms & {word.lower(), kind, *SYNONYMS})


def clean(name: str, *, without: str) -> str:
    """Return a name in the grammar's letters, without what others share and what repeats."""
    if without and re.match(rf"{re.escape(without)}[./]", name):
        name = name[len(without) + 1 :]
    name = re.sub(r"[^A-Za-z0-9_.\-/]", "_", re.sub(r":\d+$", "", name))
    name = re.sub(r"(?:^|(?<=/))([^/]+)/(?=\1\.)", "", name)  # layer1/layer1.0
    parts: list[str] = []
    for part in re.split(r"(?<=[./])", name):
        word = part.strip("./")
        if parts and parts[-1].strip("./").startswith(word):
            continue  # conv1.conv
        parts.append(part)
    name = "".join(parts).strip("./")
    while len(name) > LONGEST and re.search("[./]", name):
        name = re.split("[./]", name, maxsplit=1)[1]
    return name if NAME.fullmatch(f"{name}:") and len(name) <= LONGEST else ""
