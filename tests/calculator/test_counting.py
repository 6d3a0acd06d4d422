"""Counting conventions behind numbers that are seen elsewhere."""

import pytest
from click.testing import CliRunner

from calculator import CalculatorError, parse, summarize
from calculator.cli.why import why
from calculator.teaching.counting import find_conventions, list_conventions

SMALL = "1x6x6 | conv 2@3 | relu | pool 3 s1 | flatten | fc 3"


def explain_number(network: str, number: str) -> list[str]:
    """Return the conventions that fit."""
    matches = find_conventions(summarize(parse(network)), number)
    return [one.convention.words for one in matches if one.fits]


@pytest.mark.parametrize(
    ("network", "number", "words"),
    [
        ("vgg16", "138.4M", "parameters"),
        ("vgg16", "138,357,544", "parameters"),
        ("vgg16", "131.95M", "parameters"),
        ("vgg16", "30.97G", "operations (2 per multiply-add) and biases, biases twice"),
        ("vgg16", "15.47G", "multiply-adds"),
        ("vgg16", "15.5b", "multiply-adds"),
        ("vgg16", "14.71M", "parameters without dense layers"),
        ("vgg16", "527.8M", "bytes of parameters, 4 each"),
        ("vgg16-bn", "138,374,440", "parameters and buffers"),
        ("lenet5", "61,470", "parameters without biases"),
    ],
)
def test_known_number_is_explained(network: str, number: str, words: str) -> None:
    """The simplest convention that makes the number comes first."""
    assert explain_number(network, number)[0] == words


def test_every_convention_is_counted_by_hand() -> None:
    """Each way of counting a small network, worked out by hand."""
    values = {one.words: one.value for one in list_conventions(summarize(parse(SMALL)))}
    macs, dense, biases, functions, pooling = 288 + 24, 24, 32 + 3, 32, 72
    expected = {
        "parameters": 20 + 27,
        "parameters without biases": 18 + 24,
        "parameters without dense layers": 20,
        "parameters of dense layers": 27,
        "multiply-adds": macs,
        "multiply-adds and biases": macs + biases,
        "multiply-adds and activation functions": macs + functions,
        "multiply-adds and biases and pooling": macs + biases + pooling,
        "multiply-adds without dense layers": macs - dense,
        "operations (2 per multiply-add)": 2 * macs,
        "operations (2 per multiply-add) and biases, biases twice": 2 * (macs + biases),
    }
    assert {words: values[words] for words in expected} == expected
    assert len(set(values.values())) == len(values)


def test_global_pooling_reads_its_whole_input() -> None:
    """One operation per value read."""
    values = [one.value for one in list_conventions(summarize(parse("2x5x5 | globalavgpool")))]
    assert 50 in values


def test_unexplained_number_names_the_nearest() -> None:
    """Where nothing fits, three conventions are named."""
    result = CliRunner().invoke(why, ["lenet5", "61.9K"])
    assert result.exit_code == 0
    first, *rest = result.output.splitlines()
    assert first == "no convention makes 61.9K; the nearest:"
    assert len(rest) == 3
    assert rest[0] == "61.7: parameters (61,706)"


def test_binary_units_are_told() -> None:
    """2^20 is said where it is meant."""
    result = CliRunner().invoke(why, ["vgg16", "131.95M"])
    assert result.output == "131.95: parameters (138,357,544, in powers of 1024)\n"


@pytest.mark.parametrize("number", ["", "many", "1.M", "-3M", "12,34", "3 apples"])
def test_text_that_is_no_number_is_refused(number: str) -> None:
    """The message shows what can be asked."""
    with pytest.raises(CalculatorError, match=r"is no number; ask about one such as 138\.4M"):
        find_conventions(summarize(parse(SMALL)), number)
