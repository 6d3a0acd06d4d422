"""What is wrong with a network, and what mends it."""

import json

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from calculator import CalculatorError, parse, summarize
from calculator.cli.doctor import doctor
from calculator.errors import MisfitError
from calculator.reading.networks import NETWORKS
from calculator.teaching.doctor.complaints import FORMS
from calculator.teaching.doctor.diagnosis import Diagnosis, diagnose, suggest_fix
from calculator.teaching.doctor.meanings import CAUSES, FACTS, PROBLEMS
from calculator.teaching.doctor.readings import READERS
from calculator.teaching.doctor.rendering import render_diagnosis
from calculator.teaching.doctor.repairs import COSTS
from calculator.teaching.doctor.sentences import REPAIRS

LENET = (
    "conv 6@5x5 | tanh | avgpool 2x2 | conv 16@5x5 | tanh | avgpool 2x2 | flatten "
    "| fc 120 in=400 | tanh | fc 84 | tanh | fc 10"
)
PADDED = LENET.replace("conv 6@5x5", "conv 6@5x5 p2")
DIGITS = f"1x28x28 | {LENET}"


def run(*arguments: str, stdin: str | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(doctor, arguments, input=stdin)


def list_fixes(diagnosis: Diagnosis) -> list[str]:
    """Return the lines of all fixes, after checking that each fits and leads where it says."""
    for cause in diagnosis.causes:
        assert summarize(parse(cause.line)).rows[-1].derived.shape == cause.output
    return [cause.line for cause in diagnosis.causes]


def test_small_digits_are_padded_first() -> None:
    """LeNet-5 on 28x28: padding, then the usual input, then the number that arrives."""
    diagnosis = diagnose(DIGITS)
    assert (diagnosis.where, diagnosis.fits) == ("fc1", False)
    assert diagnosis.facts == ("256 = 16*4*4, 400 = 16*5*5",)
    assert list_fixes(diagnosis) == [
        f"1x28x28 | {PADDED}",
        f"1x32x32 | {LENET}",
        DIGITS.replace("in=400", "in=256"),
    ]
    assert diagnosis.causes[0].why == "28x28 input without padding, where 32x32 would fit"
    assert diagnosis.causes[0].fix == "use padding 2 on the first layer"


@pytest.mark.parametrize(
    ("line", "fixed"),
    [
        # the input
        ("28x28x1 | conv 6@5 in=1 | relu", "1x28x28 | conv 6@5 in=1 | relu"),
        ("3x32x32 | conv 6@5 in=1 | relu", "1x32x32 | conv 6@5 in=1 | relu"),
        ("32x1x28x28 | conv 6@5x5 | relu", "1x28x28 | conv 6@5x5 | relu"),
        ("28x28 | conv 6@5x5 | relu", "1x28x28 | conv 6@5x5 | relu"),
        # flat and spatial
        ("1x8x8 | conv 4@3 | fc 10", "1x8x8 | conv 4@3 | flatten | fc 10"),
        ("1x8x8 | flatten | conv 4@3 | fc 10", "1x8x8 | conv 4@3 | flatten | fc 10"),
        ("1x8x8 | flatten | a: conv 4@3", "1x8x8 | a: conv 4@3"),
        # channels
        ("3x8x8 | conv 64@3 | bn in=128", "3x8x8 | conv 64@3 | bn in=64"),
        ("4x8x8 | conv 6@1 in=3 g2", "4x8x8 | conv 6@1 g2 in=4"),
        ("8x8x8 | conv 8@1 g3", "8x8x8 | conv 8@1 g2"),
        ("8x8x8 | conv 10@1 g4", "8x8x8 | conv 12@1 g4"),
        ("3x8x8 | conv 10@3 | pixelshuffle 2", "3x8x8 | conv 12@3 | pixelshuffle 2"),
        ("100 | fc 50 | fc 10 in=20", "100 | fc 50 | fc 10 in=50"),
        # windows
        ("3x16x16 | conv 8@3x3x3", "3x16x16 | conv 8@3"),
        ("3x16x16 | maxpool 2x2 p2", "3x16x16 | maxpool 2x2 p1"),
        ("3x20x20 | pad 24 reflect", "3x20x20 | pad 19 reflect"),
        ("3x4x4 | crop 2", "3x4x4 | crop 1"),
        ("3x4x4 | tconv 8@2 s2 o2", "3x4x4 | tconv 8@2 s2"),
        ("1x4x4 | conv 8@3 | conv 8@3", "1x4x4 | conv 8@3 | conv 8@3 p1"),
        # branches
        ("8x8x8 | [ conv 16@3 s2 p1 || ] add", "8x8x8 | [ conv 16@3 s2 p1 || conv 16@1x1 s2 ] add"),
        ("8x8x8 | [ conv 8@3 || conv 8@1 ] add", "8x8x8 | [ conv 8@3 p1 || conv 8@1 ] add"),
        (
            "8x8x8 | [ conv 8@1 || maxpool 3 | conv 8@1 || conv 8@1 ] concat",
            "8x8x8 | [ conv 8@1 || maxpool 3 p1 s1 | conv 8@1 || conv 8@1 ] concat",
        ),
        (
            "8x8x8 | [ conv 8@1 || [ conv 4@1 || conv 4@1 s2 ] a: concat ] add",
            "8x8x8 | [ conv 8@1 || [ conv 4@1 || conv 4@1 s1 ] a: concat ] add",
        ),
    ],
)
def test_likeliest_fix_is_the_plain_one(line: str, fixed: str) -> None:
    """Each slip has its own remedy, and that stands first."""
    assert list_fixes(diagnose(line))[0] == fixed


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("3x32x32 | conv 8@3 | pool 16 | conv 8@3", "take pool1 away"),
        ("3x32x32 | conv 8@3 | pool 16 | conv 8@3", "give 3x50x50, the smallest size that fits"),
        (
            "1x12x12 | conv 8@3 p1 | pool 2 | conv 16@3 p1 | flatten | fc 9 in=144",
            "put pool 2 before flatten1",
        ),
        ("1x9x9 | pool 2 | flatten | fc 9 in=25", "use ceil on pool1"),
        ("1x9x9 | pool 2 ceil | flatten | fc 9 in=16", "use floor, without ceil, on pool1"),
        ("1x9x9 | conv 4@3 | flatten | fc 9 in=64", "use stride 2 on the first layer"),
        ("1x9x9 | conv 4@3 p1 | flatten | fc 9 in=196", "use no padding on the first layer"),
        ("1x9x9 | maxpool 3x3 | flatten | fc 9 in=16", "use stride 2 on pool1"),
        ("8x8x8 | [ conv 16@1 || ] add", "use concat instead of add"),
        ("8x8x8 | [ conv 16@1 || conv 8@1 ] add", "give conv1 8 filters"),
    ],
)
def test_other_causes_are_among_the_fixes(line: str, sentence: str) -> None:
    """Poolings, rounding, strides and joins are considered too."""
    diagnosis = diagnose(line)
    list_fixes(diagnosis)
    assert sentence in [cause.fix for cause in diagnosis.causes]


def test_several_faults_are_mended_together() -> None:
    """Where no single change suffices, changes follow one another."""
    line = "1x32x32 | conv 6@5 | pool 2 | fc 120 in=1176 | fc 10 in=84"
    diagnosis = diagnose(line)
    assert list_fixes(diagnosis)[0] == (
        "1x32x32 | conv 6@5 | pool 2 | flatten | fc 120 in=1176 | fc 10 in=120"
    )
    assert "put flatten before fc1; then 120 arrive at fc2" in diagnosis.causes[0].fix


def test_branches_are_mended_towards_the_most_of_them() -> None:
    """Three branches that shrink, each in its own way, are padded to the size of the others."""
    line = "8x8x8 | [ conv 8@3 || conv 8@5 || conv 8@7 || conv 8@1 || conv 8@1 ] add"
    assert list_fixes(diagnose(line))[0] == (
        "8x8x8 | [ conv 8@3 p1 || conv 8@5 p2 || conv 8@7 p3 || conv 8@1 || conv 8@1 ] add"
    )


def test_padding_wider_than_the_kernel_is_not_the_likeliest() -> None:
    """A 1x1 kernel is not padded to stand in for a larger input."""
    diagnosis = diagnose("1x28x28 | conv 8@1 | flatten | fc 10 in=8192")
    assert diagnosis.causes[0].fix == "give 1x32x32, a usual input, or resize to it"


def test_named_network_is_mended_by_its_usual_input() -> None:
    """The commands for it use the name."""
    result = run("alexnet", "--input", "3x32x32")
    assert "impasto shapes alexnet\n" in result.output
    assert "impasto shapes alexnet --input 3x67x67\n" in result.output


layers = st.sampled_from(
    [
        "conv 8@3", "conv 8@3 s2", "conv 4@5 in=8", "conv 6@3 g2", "maxpool 2", "avgpool 3 s2",
        "bn in=8", "relu", "flatten", "fc 10 in=72", "fc 5", "pixelshuffle 2", "pad 3 reflect",
        "[ conv 8@3 || ] add", "[ conv 4@1 || maxpool 2 ] concat", "x: crop 2", "tconv 4@2 s2 o1",
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["3x16x16", "1x28x28", "16x16x3", "28x28", "9"]), st.lists(layers, max_size=6)
)
def test_every_fix_fits(shape: str, items: list[str]) -> None:
    """Whatever the line, nothing is shown as a fix that does not run, and the text says so."""
    line = " | ".join([shape, "relu", *dict.fromkeys(items)])
    diagnosis = diagnose(line)
    list_fixes(diagnosis)
    try:
        parse(line)
    except CalculatorError:
        assert not diagnosis.fits
    else:
        assert diagnosis.fits
        assert not diagnosis.causes
    assert render_diagnosis(diagnosis)


def test_error_of_a_line_ends_with_the_likeliest_fix() -> None:
    """It is sought only when the error is shown."""
    with pytest.raises(MisfitError, match="256 arriving, in=400 stated") as caught:
        parse(DIGITS)
    assert "try:" not in caught.value.message
    end = "\n  try: use padding 2 on the first layer (impasto doctor shows how)"
    assert caught.value.format_message() == caught.value.message + end
    assert suggest_fix(DIGITS) == end


def test_suggestion_is_left_out_where_it_would_take_long() -> None:
    """Long lines, and lines without a fault, have none."""
    long = " | ".join(["1x8x8", *["conv 8@3 p1"] * 300, "fc 10"])
    assert suggest_fix(long) == ""
    assert suggest_fix("1x8x8 | relu") == ""
    assert suggest_fix("1x8x8 | rleu") == ""


def test_search_is_bounded() -> None:
    """A line of two thousand layers gets an answer, if only that it is too long."""
    line = " | ".join(["1x8x8", *["conv 8@3 p1"] * 1990, "fc 10"])
    diagnosis = diagnose(line)
    assert diagnosis.causes == ()
    assert "too many for a search" in diagnosis.facts[-1]
    assert run(line).exit_code == 1


@pytest.mark.parametrize("layer", ["conv 8@3 in=3", "tconv 8@3 in=3", "bn in=3"])
def test_stated_channels_are_checked(layer: str) -> None:
    """What is stated must arrive, and changes nothing else."""
    stated, bare = (summarize(parse(f"3x8x8 | {text}")) for text in (layer, layer[:-5]))
    assert stated.rows[0].node.layer == bare.rows[0].node.layer
    assert stated.params == bare.params
    with pytest.raises(CalculatorError, match="channels: 4 arriving, in=3 stated; state in=4"):
        parse(f"4x8x8 | {layer}")


def test_stated_features_are_checked() -> None:
    """A dense layer can state what its weights were made for."""
    assert parse("400 | fc 120 in=400").nodes == parse("400 | fc 120").nodes
    with pytest.raises(CalculatorError, match="features: 256 arriving, in=400 stated"):
        parse("256 | fc 120 in=400")


@pytest.mark.parametrize("name", NETWORKS)
def test_named_networks_fit(name: str) -> None:
    """All of them fit, and little is said about them."""
    diagnosis = diagnose(name)
    assert diagnosis.fits
    assert len(diagnosis.remarks) <= 2


def test_sentences_are_complete() -> None:
    """Every repair has a cost, every error a meaning."""
    assert set(REPAIRS) == set(COSTS)
    names = {name for name, _ in FORMS} - {"axis"}
    assert names == set(PROBLEMS) == set(READERS)
    assert set(FACTS).isdisjoint(CAUSES)


def test_command_writes_json() -> None:
    """Problem, place, causes with line and output."""
    values = json.loads(run(DIGITS, "--format", "json").output)
    assert values["where"] == "fc1"
    assert values["causes"][0] == {
        "why": "28x28 input without padding, where 32x32 would fit",
        "fix": "use padding 2 on the first layer",
        "line": f"1x28x28 | {PADDED}",
        "output": [10],
    }
    assert (values["fits"], values["remarks"]) == (False, [])


def test_text_stays_within_80_columns() -> None:
    """Only the commands are wider."""
    for text in (
        DIGITS,
        "vgg16-bn",
        "mat1 and mat2 shapes cannot be multiplied (1x256 and 400x120)",
    ):
        lines = run(text).output.splitlines()
        assert max(len(line) for line in lines if "impasto shapes" not in line) <= 80


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello world", "'hello world' is no network and no error that is known"),
        ("lenet6", "there is no network 'lenet6'; choose from: lenet5"),
        ("1x28x28 | conv 6@5x5 smae", "column 22: 'smae' is no option of conv"),
        ("missing.yaml", "missing.yaml: cannot be read"),
    ],
)
def test_what_is_no_network_is_refused(text: str, message: str) -> None:
    """With status 2 and a reason."""
    result = run(text)
    assert result.exit_code == 2
    assert message in result.output
