"""What is wrong with a network or behind an error, and what mends it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from calculator.errors import CalculatorError, MisfitError
from calculator.layers.dense import Dense
from calculator.layers.joins import Add, Concat
from calculator.layers.shapes import Shape, render_shape
from calculator.network import INPUT
from calculator.reading.networks import NETWORKS, describe_network
from calculator.reading.sources import LINE, RECIPES, read_any
from calculator.reading.words import SHAPE
from calculator.summary import Report, summarize
from calculator.teaching.doctor.cases import Case, run_network
from calculator.teaching.doctor.channel_repairs import (
    find_flattened,
    guess_product,
    render_product,
)
from calculator.teaching.doctor.complaints import Complaint, recognise
from calculator.teaching.doctor.drafts import Draft, read_draft
from calculator.teaching.doctor.named_inputs import list_changes
from calculator.teaching.doctor.readings import Meaning, explain
from calculator.teaching.doctor.refusals import refuse
from calculator.teaching.doctor.remarks import Remark, list_remarks
from calculator.teaching.doctor.search import Fix, find_fixes
from calculator.teaching.doctor.sentences import FACTS, LABELS, say
from calculator.teaching.doctor.staging import Stage, guess_network, stage

LONGEST_SUGGESTION = 2_000  # characters of a line that is searched when an error is shown
SUGGESTION_EFFORT = 1_500  # layers that are run then
LONGEST_SEARCH = 12_000  # characters of a line that is searched when a diagnosis is asked for


@dataclass(frozen=True)
class Cause:
    """Why a network may fail, and what to do.

    Args:
        why: the reason.
        fix: the change.
        line: the network with the change, which fits; empty where no network is known.
        shapes: names and outputs of its layers that change the shape.
    """

    why: str
    fix: str
    line: str = ""
    shapes: tuple[tuple[str, Shape], ...] = ()

    @property
    def output(self) -> Shape | None:
        """The output of the changed network; None where no network is known."""
        return self.shapes[-1][1] if self.shapes else None


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Args:
        network: its name, ``network`` for a line; empty where there is none.
        fits: whether its layers fit; of an error without a network False.
        problem: what does not fit; empty where everything does.
        where: the layer that fails; empty where none is known.
        facts: the numbers behind the problem.
        causes: the likeliest first.
        remarks: what is valid and suspicious; only for a network that fits.
        input: shape without the batch; None where no network is known.
        output: likewise; None also where the network fails.
    """

    network: str
    fits: bool
    problem: str = ""
    where: str = ""
    facts: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    remarks: tuple[Remark, ...] = ()
    input: Shape | None = None
    output: Shape | None = None


def diagnose(
    text: str, *, network: str | None = None, input_shape: Shape | None = None
) -> Diagnosis:
    """Find out why a network does not fit, or what an error of a framework means.

    Args:
        text: a network (a name, a line, or a file), or the error, also at the end of a
            longer text.
        network: the network that the error is about, where ``text`` is one.
        input_shape: ``(channels, *sizes)`` instead of the network's own.

    Returns:
        Every cause of a network that is known was tried: its line fits.

    Raises:
        CalculatorError: the text is neither, or a network cannot be read.
    """
    complaint = recognise(text)
    if complaint is not None:
        return diagnose_complaint(complaint, network=network, input_shape=input_shape)
    refuse(text, network=network)
    return diagnose_network(text, input_shape)


def diagnose_network(text: str, input_shape: Shape | None = None) -> Diagnosis:
    """Find out why a network does not fit, or what is suspicious about it.

    Raises:
        CalculatorError: it cannot be read.
    """
    try:
        network = read_any(text, input_shape=input_shape)
    except CalculatorError as error:
        misfit = error if isinstance(error, MisfitError) else error.__cause__
        if not isinstance(misfit, MisfitError):
            raise
        draft = read_draft(misfit.line, input_shape=misfit.input_shape)
        return diagnose_case(make_case(draft, text), name=name_network(text))
    report = summarize(network)
    return diagnose_fit(report, list_changes(text, report))


def name_network(text: str) -> str:
    """Return a network's name; ``network`` for a line."""
    return "network" if LINE.search(text) else text


def make_case(draft: Draft, name: str) -> Case:
    """Run a draft that fails."""
    usual = NETWORKS[name][0] if name in NETWORKS else None
    return Case(draft, run_network(draft.network), usual)


def diagnose_fit(report: Report, changes: Iterable[Remark]) -> Diagnosis:
    """Look at a network that fits.

    Args:
        report: of the network.
        changes: what its input changes against the usual one.
    """
    output = report.rows[-1].derived.shape
    network = report.network
    remarks = (*changes, *list_remarks(report))
    return Diagnosis(network.name, True, remarks=remarks, input=network.input, output=output)  # noqa: FBT003


def diagnose_case(
    case: Case, *, name: str, problem: str = "", facts: tuple[str, ...] = ()
) -> Diagnosis:
    """Search what makes a network fit that does not.

    Args:
        case: the network and where it fails.
        name: what to call it.
        problem: in the words of an error; empty for those of the layer.
        facts: what is known beside the numbers of the layer.
    """
    fixes: list[Fix] = []
    if (length := len(case.draft.text)) <= LONGEST_SEARCH:
        fixes = find_fixes(case.draft, case.trial, usual=case.usual)
    else:
        facts = (*facts, say(LABELS["long_search"], length=length, most=LONGEST_SEARCH))
    return Diagnosis(
        network=name,
        fits=False,
        problem=problem or case.trial.message,
        where=case.node.name,
        facts=tuple(dict.fromkeys((*facts, *list_facts(case)))),
        causes=tuple(make_cause(fix) for fix in fixes),
        input=case.draft.network.input,
    )


def make_cause(fix: Fix) -> Cause:
    """Return a fix with its sentences and the shapes it leads to."""
    network, shapes = fix.draft.network, fix.trial.shapes
    changing = tuple(
        (node.name, shapes[position])
        for position, node in enumerate(network.nodes)
        if shapes[position] != shapes[node.inputs[0]] or position == len(network.nodes) - 1
    )
    first, *others = fix.repairs
    more = "".join(say(LABELS["then"], why=other.why, fix=other.fix) for other in others)
    return Cause(first.why, first.fix + more, fix.draft.text, changing)


def list_facts(case: Case) -> Iterator[str]:
    """Yield how the numbers of a failure come about."""
    flattened = find_flattened(case)
    if isinstance(case.layer, Dense) and case.stated is not None and flattened is not None:
        values: dict[str, object] = {
            "arriving": case.inputs[0][0],
            "arrived": render_product(flattened),
            "stated": case.stated,
            "expected": guess_product(case.stated, flattened),
        }
        yield say(FACTS["features" if values["expected"] else "arriving"], **values)
    if isinstance(case.layer, (Add, Concat)) or case.stated is not None:
        return
    sizes = [case.trial.shapes[INPUT], *(case.trial.shapes[i] for i in case.path[:-1])]
    maps = dict.fromkeys(render_shape(shape[1:]) for shape in sizes if len(shape) > 1)
    if len(maps) > 1:
        yield say(FACTS["sizes"], sizes=", ".join(maps))


def diagnose_complaint(
    complaint: Complaint, *, network: str | None, input_shape: Shape | None
) -> Diagnosis:
    """Explain an error, with the network where it is known or can be guessed."""
    meaning = explain(complaint)
    causes = tuple(Cause(why, fix) for why, fix in meaning.causes)
    plain = Diagnosis("", False, meaning.problem, facts=meaning.facts, causes=causes)  # noqa: FBT003
    if network is None:
        guessed = guess_network(complaint)
        if guessed is None:
            return plain
        return diagnose_stage(guessed[1], name=guessed[0], meaning=meaning)
    draft = read_named(network, input_shape)
    found = stage(complaint, draft)
    name = name_network(network)
    if found is None:
        facts = (*meaning.facts, say(LABELS["unstaged"], network=name))
        return Diagnosis(name, False, meaning.problem, facts=facts, causes=causes)  # noqa: FBT003
    return diagnose_stage(found, name=name, meaning=meaning)


def diagnose_stage(found: Stage, *, name: str, meaning: Meaning) -> Diagnosis:
    """Search what mends a network that was made to fail as an error says."""
    case = found.case
    key = ("staged" if case.stated else "staged_bare") + "_input" * found.input_given
    shape = render_shape(case.draft.network.input)
    values = {"network": name, "layer": case.node.name, "stated": case.stated, "input": shape}
    facts = (say(LABELS[key], **values), *meaning.facts)
    return diagnose_case(case, name=name, problem=meaning.problem, facts=facts)


def read_named(text: str, input_shape: Shape | None) -> Draft:
    """Read a line, a named network, or a recipe as a draft.

    Raises:
        CalculatorError: it is none of them.
    """
    if "|" not in text and Path(text).suffix.lower() in RECIPES:
        from calculator.reading.recipes import join_sequence, load_plain  # noqa: PLC0415 - PyYAML

        read_any(text, input_shape=input_shape)
        recipe = load_plain(Path(text))
        layers = recipe["layers"] if isinstance(recipe, dict) else []
        given = recipe.get("input", "") if isinstance(recipe, dict) else ""
        head = "x".join(map(str, given)) if isinstance(given, list) else str(given)
        line = f"{head} | {join_sequence(layers, Path(text))}"
        return read_draft(line, input_shape=input_shape)
    if LINE.search(text) or SHAPE.fullmatch(text):
        return read_draft(text, input_shape=input_shape)
    return read_draft(describe_network(text, input_shape))


def suggest_fix(line: str, *, input_shape: Shape | None = None) -> str:
    """Return the likeliest fix of a line that does not fit, for the end of its error.

    Args:
        line: of the grammar; longer ones than ``LONGEST_SUGGESTION`` are not searched.
        input_shape: replaces the shape that the line starts with.

    Returns:
        A line break and one sentence; nothing where no fix is found.
    """
    if len(line) > LONGEST_SUGGESTION:
        return ""
    try:
        draft = read_draft(line, input_shape=input_shape)
    except CalculatorError:
        return ""
    trial = run_network(draft.network)
    if trial.failed is None:
        return ""
    fixes = find_fixes(draft, trial, effort=SUGGESTION_EFFORT)
    if not fixes:
        return ""
    return "\n  " + say(LABELS["suggestion"], fix=make_cause(fixes[0]).fix)
