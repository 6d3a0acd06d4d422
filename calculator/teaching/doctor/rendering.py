"""A diagnosis as text and as JSON."""

from collections.abc import Iterator
from textwrap import fill

from calculator.layers.shapes import Shape, render_shape
from calculator.reading.networks import NETWORKS, describe_network
from calculator.reports.rendering import WIDTH
from calculator.teaching.doctor.diagnosis import Cause, Diagnosis
from calculator.teaching.doctor.sentences import LABELS, say

LONGEST_LINE = 600  # characters that the text shows
MOST_SHAPES = 8  # of one cause


def render_diagnosis(diagnosis: Diagnosis) -> str:
    """Return a diagnosis as text, its sentences at most 80 characters wide.

    Lines that run, and only those, may be longer.
    """
    blocks = render_fit(diagnosis) if diagnosis.fits else render_misfit(diagnosis)
    return "\n".join(blocks)


def render_fit(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield that a network fits, and what is suspicious about it."""
    shapes = {"input": show(diagnosis.input), "output": show(diagnosis.output)}
    yield wrap(say(LABELS["fits"], network=diagnosis.network, **shapes))
    yield say(LABELS["remarks" if diagnosis.remarks else "nothing"])
    for remark in diagnosis.remarks:
        yield wrap(f"- {remark.sentence}", hang=2)


def show(shape: Shape | None) -> str:
    """Return a shape, or nothing for none."""
    return "" if shape is None else render_shape(shape)


def render_misfit(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield what does not fit, and the causes."""
    where = f"{diagnosis.where}: " if diagnosis.where else ""
    yield wrap(f"{where}{diagnosis.problem}")
    for fact in diagnosis.facts:
        yield wrap(f"  {fact}", hang=2)
    yield ""
    tried = any(cause.line for cause in diagnosis.causes)
    if not diagnosis.causes:
        yield wrap(say(LABELS["causeless"], layer=diagnosis.where))
        return
    yield say(LABELS["causes" if tried else "meaning"])
    for number, cause in enumerate(diagnosis.causes, start=1):
        yield wrap(f"{number}. {cause.why}: {cause.fix}", hang=3)
        if cause.line:
            yield f"   {render_command(cause.line)}"
            yield render_shapes(cause)


def render_command(line: str) -> str:
    """Return the command that shows a fixed network; a named one by its name."""
    shape, _, layers = line.partition(" | ")
    for name, (usual, _) in NETWORKS.items():
        if line == describe_network(name):
            return f"impasto shapes {name}"
        if describe_network(name).endswith(f" | {layers}") and shape.count("x") == len(usual) - 1:
            return f"impasto shapes {name} --input {shape}"
    if len(line) > LONGEST_LINE:
        return say(LABELS["long"], length=len(line))
    return f'impasto shapes "{line}"'


def render_shapes(cause: Cause) -> str:
    """Return the shapes that a fix leads to, those in the middle left out where there are many."""
    shapes = [f"{name}\0{render_shape(shape)}" for name, shape in cause.shapes]
    if len(shapes) > MOST_SHAPES:
        shapes = [*shapes[: MOST_SHAPES - 3], "...", *shapes[-2:]]
    return wrap(f"   {', '.join(shapes)}", hang=3).replace("\0", " ")  # a pair is not broken


def wrap(text: str, *, hang: int = 0) -> str:
    """Return a sentence in lines of at most 80 characters."""
    return fill(text, WIDTH, subsequent_indent=" " * hang, break_long_words=False)


def render_json(diagnosis: Diagnosis) -> str:
    """Return a diagnosis as JSON.

    Keys: ``network``, ``fits``, ``input``, ``output``, ``problem``, ``where``, ``facts``,
    ``causes`` (each with ``why``, ``fix``, ``line``, ``output``) and ``remarks`` (``name``,
    ``layers``, ``sentence``). Shapes are lists; what is not known is null.
    """
    import json  # noqa: PLC0415 - only for this form

    def to_list(shape: Shape | None) -> list[int] | None:
        return None if shape is None else list(shape)

    causes = [
        {
            "why": cause.why,
            "fix": cause.fix,
            "line": cause.line or None,
            "output": to_list(cause.output),
        }
        for cause in diagnosis.causes
    ]
    remarks = [
        {"name": remark.name, "layers": list(remark.layers), "sentence": remark.sentence}
        for remark in diagnosis.remarks
    ]
    document = {
        "network": diagnosis.network or None,
        "fits": diagnosis.fits,
        "input": to_list(diagnosis.input),
        "output": to_list(diagnosis.output),
        "problem": diagnosis.problem or None,
        "where": diagnosis.where or None,
        "facts": list(diagnosis.facts),
        "causes": causes,
        "remarks": remarks,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
