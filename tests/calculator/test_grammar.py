"""The one-line grammar: what it reads, and how it points at mistakes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculator import CalculatorError, Network, parse, summarize
from calculator.reading.networks import NETWORKS, describe_network
from calculator.reading.words import ALIASES, JOINS, WORDS


def read_output(line: str) -> tuple[int, ...]:
    """Return the output's shape."""
    return summarize(parse(line)).rows[-1].derived.shape


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("conv 8@3x3", (8, 18, 8)),
        ("conv 8@3", (8, 18, 8)),
        ("conv 8@3x5 s2x1 p1x0", (8, 10, 6)),
        ("conv 8@3 s=2 p=1", (8, 10, 5)),
        ("conv 8@4 p1:2", (8, 20, 10)),
        ("conv 8@4 p1:2x0:1", (8, 20, 8)),
        ("conv 8@5 same", (8, 20, 10)),
        ("conv 8@5 s3 same", (8, 7, 4)),
        ("conv 8@5 valid", (8, 16, 6)),
        ("conv 8@3 d2", (8, 16, 6)),
        ("conv 8@3 g2 nobias", (8, 18, 8)),
        ("dwconv 3x3 m2 p1", (8, 20, 10)),
        ("tconv 8@4 s2 p1", (8, 40, 20)),
        ("tconv 8@3 s2 p1 o1", (8, 40, 20)),
        ("tconv 8@2 s3 same", (8, 60, 30)),
        ("pool 3x3 s2", (4, 9, 4)),
        ("maxpool 3x3 s2 ceil", (4, 10, 5)),
        ("avgpool 2", (4, 10, 5)),
        ("globalavgpool", (4, 1, 1)),
        ("globalmaxpool", (4, 1, 1)),
        ("adaptiveavgpool 6x3", (4, 6, 3)),
        ("adaptivemaxpool 6", (4, 6, 6)),
        ("subsample 2x2", (4, 10, 5)),
        ("bn noaffine", (4, 20, 10)),
        ("in", (4, 20, 10)),
        ("lrn", (4, 20, 10)),
        ("lrn 5", (4, 20, 10)),
        ("dropout .5", (4, 20, 10)),
        ("upsample 2", (4, 40, 20)),
        ("pixelshuffle 2", (1, 40, 20)),
        ("pad 1:2x3 reflect", (4, 23, 16)),
        ("crop 1:2x3", (4, 17, 4)),
        ("flatten", (800,)),
        ("flatten | fc 10 nobias | rbf 3", (3,)),
        ("[ conv 4@3 p1 | relu || ] add", (4, 20, 10)),
        ("[ conv 2@1 || conv 3@1 || pool 3 s1 p1 ] concat", (9, 20, 10)),
        ("[ [ relu || ] add || tanh ] both: concat", (8, 20, 10)),
    ],
)
def test_layer_has_its_shape(layer: str, shape: tuple[int, ...]) -> None:
    """Every word and every option means what the grammar says."""
    assert read_output(f"4x20x10 | {layer}") == shape


@pytest.mark.parametrize("word", WORDS)
def test_every_words_example_is_read(word: str) -> None:
    """The example that messages show is valid, and its kind is the word."""
    flat = word in ("fc", "rbf")
    line = f"64x32x32 | {'flatten | ' if flat else ''}{WORDS[word].example}"
    assert parse(line).nodes[-1].layer.kind == word


def test_aliases_lead_to_words() -> None:
    """An alias is another spelling of a word, never a word itself."""
    assert set(ALIASES.values()) <= set(WORDS)
    assert not set(ALIASES) & {*WORDS, *JOINS}


def test_names_are_given_or_counted() -> None:
    """Layers are called as in the text, or by kind and number, skipping what is taken."""
    network = parse("1x9x9 | conv 2@3 | pool 2 | conv2: relu | conv 2@3 | bn | in")
    names = [node.name for node in network.nodes]
    assert names == ["conv1", "pool1", "conv2", "conv3", "norm1", "norm2"]


@pytest.mark.parametrize(
    ("line", "message", "place"),
    [
        ("3x9x9 | pol 3", "unknown layer 'pol'.*did you mean 'pool'", "pol"),
        ("3x9x9 | conv 4@3 smae", "no option of conv.*did you mean 'same'", "smae"),
        ("3x9x9 | conv 4@3 s0", "'s0' has no valid value", "s0"),
        ("3x9x9 | conv 4@3 s2 s3", "stride is given twice", "s3"),
        ("3x9x9 | conv 3x3", "expected a value as in 'conv 96@11x11", "3x3"),
        ("3x9x9 | conv -3@3", "expected a value", "-3@3"),
        ("3x9x9 | conv 4@0", "expected a value", "4@0"),
        ("3x9x9 | conv 4@3 p-1", "no option of conv", "p-1"),
        ("3x9x9 | relu 3", "'3' is no option of relu", "3"),
        ("3x9x9 | lrn x", "'x' is no option of lrn", "x"),
        ("3x9x9 | dropout 2", "expected a value as in 'dropout 0.5'", "2"),
        ("3x9x9 | a: relu | a: relu", "the name 'a' is taken", "a:"),
        ("3x9x9 | [ relu ] add", "at least two branches", "["),
        ("3x9x9 | [ relu || ] sum", "expected 'add' or 'concat'", "sum"),
        ("3x9x9 | [ relu || tanh", r"expected '\|', '\|\|' or '\]'", "["),
        ("3x9x9 | relu ] add", r"expected '\|' or the end", "]"),
        ("3x9x9 || relu", r"expected '\|' and the first layer", "||"),
        ("-3x9x9 | relu", "expected the input's shape", "-3x9x9"),
        ("3x0x9 | relu", "has a size of 0", "3x0x9"),
        ("3x9x9 | fc 10", "is not flat; put 'flatten'", "fc 10"),
        ("3x9x9 | flatten | relu | pool 2", "the input is flat", "pool 2"),
        ("3x9x9 | relu | conv 4@12 s2", "kernel 12 is larger than the input 3x9x9", "conv 4@12 s2"),
        ("3x9x9 | conv 4@5 d3", r"kernel 5 \(dilated to 13\)", "conv 4@5 d3"),
        ("3x9x9 | conv 4@3x3x3", "kernel 3x3x3 has 3 sides, the input has 2", "conv 4@3x3x3"),
        ("3x9x9 | conv 4@3 g2", "3 input channels do not divide into 2", "conv 4@3 g2"),
        ("4x9x9 | conv 3@3 g2", "3 filters do not divide into 2", "conv 3@3 g2"),
        ("4x9x9 | conv 3@3 links=13", "links=13 of 4 input maps x 3", "conv 3@3 links=13"),
        ("4x9x9 | tconv 3@3 s2 o2", "output padding 2 is not less than", "tconv 3@3 s2 o2"),
        ("4x2x2 | tconv 3@1 p1", "crops the whole output", "tconv 3@1 p1"),
        ("4x9x9 | pool 2 p2", "padding 2 is not less than the window 2", "pool 2 p2"),
        ("3x9x9 | pixelshuffle 2", "3 channels are not a multiple of 4", "pixelshuffle 2"),
        ("3x9x9 | pad 9 reflect", "reflection of 9 values is undefined", "pad 9 reflect"),
        ("3x9x9 | crop 5", "leaves nothing of size 9", "crop 5"),
        ("3x9x9 | [ conv 4@3 || ] add", "a sum needs equal ones", "add"),
        ("3x9x9 | [ conv 4@3 || ] concat", "only the channels may differ", "concat"),
    ],
)
def test_mistake_is_pointed_at(line: str, message: str, place: str) -> None:
    """The message says what was expected, and carets stand under the place."""
    with pytest.raises(CalculatorError, match=message) as caught:
        parse(line)
    head, shown, carets = caught.value.message.split("\n")
    start, end = carets.index("^"), len(carets)
    assert shown[start:end] == place
    column = int(head.removeprefix("column ").split(":")[0])
    assert line[column - 1 :].startswith(place)


@pytest.mark.parametrize(
    "line", ["3x9x9", "3x9x9 |", "3x9x9 | relu |", "3x9x9 | [ relu || | ] add"]
)
def test_missing_layer_is_pointed_at(line: str) -> None:
    """Where the text ends too early, the caret stands behind it."""
    with pytest.raises(CalculatorError, match=r"expected .*layer"):
        parse(line)


def test_caret_stays_on_a_narrow_screen() -> None:
    """Of a long line only the surroundings of the mistake are shown."""
    line = "3x9x9" + " | relu" * 300 + " | rleu" + " | relu" * 300
    with pytest.raises(CalculatorError, match="did you mean 'relu'") as caught:
        parse(line)
    _, shown, carets = caught.value.message.split("\n")
    assert max(len(shown), len(carets)) <= 80
    assert shown[carets.index("^") : len(carets)] == "rleu"


def test_control_characters_are_not_echoed() -> None:
    """A message never carries the escape sequences of its input to the terminal."""
    with pytest.raises(CalculatorError, match="unknown layer") as caught:
        parse("3x9x9 | \x1b[31m")
    assert caught.value.message.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1x9 | relu" + " | relu" * 10_000, "characters; at most 50000 are read"),
        ("1x9" + " | relu" * 2_001, "at most 2000 layers"),
        ("1x9 | " + "[ " * 100, "16 deep at most"),
        ("1x9999999999 | relu", "expected the input's shape"),
        ("1x9" + " | upsample 999999999" * 3, "use smaller factors"),
        ("1x9 | adaptiveavgpool 999999999", "use smaller factors"),
        ("1x9 | tconv 1@999999999 s999999999", "use smaller factors"),
    ],
)
def test_oversized_description_is_refused(line: str, message: str) -> None:
    """Text from strangers cannot make the calculator work for long."""
    with pytest.raises(CalculatorError, match=message):
        parse(line)


def test_large_numbers_stay_exact() -> None:
    """A kernel of a billion taps costs no more than one of three."""
    report = summarize(parse("1x999999999 | conv 999999999@999999998"))
    assert report.macs == 2 * 999_999_999 * 999_999_998


@given(st.text(st.sampled_from("0123456789x@|[]: spdgconvreluaf"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever is typed, the answer is a network or a CalculatorError."""
    try:
        network = parse(text)
    except CalculatorError:
        return
    assert isinstance(network, Network)


@pytest.mark.parametrize("name", NETWORKS)
def test_named_network_is_one_line_of_the_grammar(name: str) -> None:
    """A name and the line that it stands for give the same layers."""
    named, line = parse(name), parse(describe_network(name))
    assert (named.input, named.nodes) == (line.input, line.nodes)
    assert named.name == name


def test_unknown_name_lists_the_nearest_first() -> None:
    """A misspelt name is answered with the valid ones."""
    with pytest.raises(CalculatorError, match=r"no network 'vgg61'; choose from: vgg16, "):
        parse("vgg61")


def test_given_input_replaces_the_usual_one() -> None:
    """The input can be given for names, for lines, and for lines without one."""
    assert parse("vgg16", input_shape=(3, 64, 64)).input == (3, 64, 64)
    assert parse("3x9x9 | relu", input_shape=(1, 5)).input == (1, 5)
    assert parse("relu | tanh", input_shape=(1, 5)).input == (1, 5)


@pytest.mark.parametrize("shape", [(), (1, 2, 3, 4, 5), (3, 0, 4), (-3, 5)])
def test_impossible_input_is_refused(shape: tuple[int, ...]) -> None:
    """Channels and one to three sizes, all at least 1."""
    with pytest.raises(CalculatorError, match="at most three sizes"):
        parse("relu | relu", input_shape=shape)


def test_smallest_inputs_are_the_known_ones() -> None:
    """AlexNet of torchvision takes 63 pixels and VGG 32, and not one less."""
    for name, side in (("alexnet-torchvision", 63), ("vgg16", 32)):
        layers = describe_network(name).split(" | ")[1:]
        features = " | ".join(layers[: layers.index("flatten")])
        assert parse(f"3x{side}x{side} | {features}")
        with pytest.raises(CalculatorError, match="larger than the input"):
            parse(f"3x{side - 1}x{side - 1} | {features}")


def test_parsing_opens_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is only an unknown name to parse."""
    monkeypatch.setattr("builtins.open", None)
    monkeypatch.setattr("pathlib.Path.open", None)
    for text in ("net.yaml", "/etc/passwd", "os:system"):
        with pytest.raises(CalculatorError, match="there is no network"):
            parse(text)
