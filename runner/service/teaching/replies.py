"""Answers of the calculator as JSON; run where hostile questions can be ended, in the worker.

A network is a name or a line, read by :func:`calculator.parse`, which opens no file and imports
nothing that the text names.
"""

import json
from collections.abc import Callable
from secrets import randbelow
from typing import Any

from calculator import Report, compare, explain, parse, parse_shape, solve, summarize
from calculator.errors import CalculatorError
from calculator.reports.rendering import render_json
from calculator.summary import CONVENTION
from calculator.symbolic.answers import answer_symbolic
from calculator.symbolic.letters import is_symbolic
from calculator.teaching.comparison import Comparison, Difference
from calculator.teaching.explanation import Explanation
from calculator.teaching.language import EXPLANATION, to_language
from calculator.teaching.quiz import sheets
from calculator.teaching.quiz.levels import make_quiz
from calculator.teaching.solving import Answer

Values = dict[str, Any]
MOST_SAMPLES = 1_000_000_000
COUNTS = ("params", "buffers", "macs")


def read_report(network: str, input_text: str | None, batch: int = 1) -> Report:
    """Read a network and count everything.

    Raises:
        CalculatorError: a text cannot be read, or the layers do not fit.
    """
    shape = None if input_text is None else parse_shape(input_text)
    return summarize(parse(network, input_shape=shape), batch=batch)


def answer_shapes(values: Values) -> str:
    """Return what ``impasto shapes --format json`` prints."""
    network, input_text, batch = values["net"], values["input"], values["batch"]
    if is_symbolic(network, input_text, batch):
        return answer_symbolic(network, input_text, batch, form="json", read=parse)
    if not (batch.isascii() and batch.isdigit() and 1 <= int(batch) <= MOST_SAMPLES):
        message = f"batch {batch!r} must be a number from 1 to {MOST_SAMPLES} or a capital letter"
        raise CalculatorError(message)
    return render_json(read_report(network, input_text, int(batch)))


def answer_explain(values: Values) -> str:
    """Return the work behind the numbers of one layer, or of all and the totals."""
    language = to_language(values["lang"])
    report = read_report(values["net"], values["input"])
    found = explain(report, values["layer"], language=language)
    return write(
        {
            "network": report.network.name,
            "input": list(report.network.input),
            "explanations": [describe_explanation(one) for one in found],
            "convention": EXPLANATION["convention"].say(language),
        }
    )


def describe_explanation(explanation: Explanation) -> Values:
    """Return one explanation as plain values."""
    return {"title": explanation.title, "lines": list(explanation.lines)}


def answer_compare(values: Values) -> str:
    """Return where two networks differ; the changes sum exactly to those of the totals."""
    reports = [read_report(values[name], values["input"]) for name in ("a", "b")]
    return write(describe_comparison(compare(*reports)))


def describe_comparison(comparison: Comparison) -> Values:
    """Return a comparison as plain values."""
    return {
        "first": describe_side(comparison.first),
        "second": describe_side(comparison.second),
        "differences": [describe_difference(one) for one in comparison.differences],
        "alike": comparison.alike,
        "convention": CONVENTION,
    }


def describe_side(report: Report) -> Values:
    """Return one of two networks, with its totals."""
    totals = {count: getattr(report, count) for count in COUNTS}
    return {"network": report.network.name, "input": list(report.network.input), **totals}


def describe_difference(difference: Difference) -> Values:
    """Return one difference; its counts are the second's less the first's."""
    return {
        "first": [row.node.name for row in difference.first],
        "second": [row.node.name for row in difference.second],
        "reasons": list(difference.reasons),
        "cause": difference.cause or None,
        **{count: difference.change(count) for count in COUNTS},
    }


def answer_solve(values: Values) -> str:
    """Return the settings that lead to a size; where there are none, the reason."""
    return write(describe_answer(solve(values["q"])))


def describe_answer(answer: Answer) -> Values:
    """Return an answer as plain values."""
    return {
        "question": answer.question,
        "solutions": [
            {"settings": dict(one.settings), "shown": one.shown, "dropped": one.dropped}
            for one in answer.solutions
        ],
        "reason": answer.reason or None,
    }


def answer_quiz(values: Values) -> str:
    """Return what ``impasto quiz --format json`` prints."""
    seed = randbelow(1_000_000) if values["seed"] is None else values["seed"]
    language = to_language(values["lang"])
    made = make_quiz(seed, level=values["level"], count=values["count"], language=language)
    return sheets.render_json(made)


def write(values: Values) -> str:
    """Return values as JSON."""
    return json.dumps(values, ensure_ascii=False)


REPLIES: dict[str, Callable[[Values], str]] = {
    "shapes": answer_shapes,
    "explain": answer_explain,
    "compare": answer_compare,
    "solve": answer_solve,
    "quiz": answer_quiz,
}
