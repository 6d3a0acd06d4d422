"""Published numbers, to the integer."""

import pytest

from calculator import CalculatorError, Report, parse, summarize


def count(text: str) -> Report:
    """Return the report of a named network or a line."""
    return summarize(parse(text))


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [
        ("lenet5", 61_706, 416_520),
        ("lenet5-notes", 37_106, 392_040),
        ("lenet5-course", 62_958, 849_320),
        ("caffe-lenet", 431_080, 2_293_000),
        ("alexnet", 62_378_344, 1_135_256_096),
        ("alexnet-grouped", 60_965_224, 724_406_816),
        ("alexnet-torchvision", 61_100_840, 714_188_480),
        ("vgg16", 138_357_544, 15_470_264_320),
        ("simpleconvnet", 433_890, 865_000),
        ("style-paper", 1_679_235, 10_078_912_512),
        ("inception-3a", 163_696, 128_049_152),
    ],
)
def test_named_network_has_its_published_counts(name: str, params: int, macs: int) -> None:
    """Parameters and multiply-adds are the published ones."""
    report = count(name)
    assert (report.params, report.macs) == (params, macs)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("vgg11", 132_863_336),
        ("vgg13", 133_047_848),
        ("vgg19", 143_667_240),
        ("vgg11-bn", 132_868_840),
        ("vgg13-bn", 133_053_736),
        ("vgg16-bn", 138_365_992),
        ("vgg19-bn", 143_678_248),
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("resnet101", 44_549_160),
        ("resnet152", 60_192_808),
    ],
)
def test_named_network_has_its_published_parameters(name: str, params: int) -> None:
    """Parameters are the published ones; running statistics are not among them."""
    assert count(name).params == params


def test_lenet5_of_1998_has_the_papers_connections() -> None:
    """60,000 trainable parameters and 340,908 connections (LeCun et al. 1998, section II.B)."""
    report = count("lenet5-1998")
    assert (report.params, report.connections) == (60_000, 340_908)
    links = {row.node.name: row.connections for row in report.rows if row.connections}
    assert links == {
        "c1": 122_304,
        "s2": 5_880,
        "c3": 151_600,
        "s4": 2_000,
        "c5": 48_120,
        "f6": 10_164,
        "rbf1": 840,
    }


def list_fields(name: str) -> dict[str, tuple[int, int, int]]:
    """Return receptive field, stride and effective padding of every spatial layer."""
    table = {}
    for row in count(name).rows:
        if row.fields is not None:
            height, width = row.fields
            assert (height.extent, height.jump, height.start) == (
                width.extent,
                width.jump,
                width.start,
            )
            table[row.node.name] = (height.extent, int(height.jump), -height.start)
    return table


def test_alexnet_has_its_published_receptive_fields() -> None:
    """Receptive field and stride after every convolution and pooling (Araujo et al. 2019)."""
    fields = list_fields("alexnet")
    assert fields["conv1"] == (11, 4, 0)
    expected = {
        "pool1": (19, 8),
        "conv2": (51, 8),
        "conv3": (99, 16),
        "conv4": (131, 16),
        "conv5": (163, 16),
        "pool5": (195, 32),
    }
    assert {name: fields[name][:2] for name in expected} == expected


def test_vgg16_has_its_published_receptive_fields() -> None:
    """Receptive field and stride after every pooling (Araujo et al. 2019)."""
    fields = list_fields("vgg16")
    pools = [fields[f"pool{i}"][:2] for i in range(1, 6)]
    assert pools == [(6, 2), (16, 4), (44, 8), (100, 16), (212, 32)]


@pytest.mark.parametrize(("name", "field"), [("resnet18", 435), ("resnet50", 427)])
def test_resnet_has_its_published_receptive_field(name: str, field: int) -> None:
    """The last unit before global pooling sees the published number of pixels."""
    assert max(extent for extent, _, _ in list_fields(name).values()) == field


def test_three_small_convolutions_see_what_one_large_sees() -> None:
    """Three 3x3 convolutions see 7x7 (Simonyan and Zisserman 2015, section 2.3)."""
    three = count("8x32x32 | conv 8@3x3 nobias | conv 8@3x3 nobias | conv 8@3x3 nobias")
    one = count("8x32x32 | conv 8@7x7 nobias")
    for report in (three, one):
        assert [field.extent for field in report.rows[-1].fields or ()] == [7, 7]
    assert (three.params, one.params) == (27 * 8**2, 49 * 8**2)


@pytest.mark.parametrize(
    ("line", "shape", "params"),
    [
        ("3x6x6 | conv 10@3x3", (10, 4, 4), 280),
        ("3x1080x1920 | conv 1@5x5 nobias", (1, 1076, 1916), 75),
        ("3x1080x1920 | conv 16@5x5 nobias", (16, 1076, 1916), 1_200),
        ("1x14x14x14 | conv 16@5x5x5", (16, 10, 10, 10), 2_016),
        ("16x10x10x10 | conv 32@5x5x5", (32, 6, 6, 6), 64_032),
        ("1x14 | conv 16@5", (16, 10), 96),
        ("16x10 | conv 32@5", (32, 6), 2_592),
        ("1x9 | maxpool 4 s4 p2 ceil", (1, 3), 0),
        ("1x5 | maxpool 2 s2 p1 ceil", (1, 3), 0),
    ],
)
def test_single_layer_has_its_known_shape(line: str, shape: tuple[int, ...], params: int) -> None:
    """Worked examples of the usual courses, in one to three dimensions."""
    (row,) = count(line).rows
    assert (row.derived.shape, row.params) == (shape, params)


@pytest.mark.parametrize(("filters", "values"), [(1, 2_061_616), (16, 32_985_856)])
def test_full_hd_convolution_has_its_known_size(filters: int, values: int) -> None:
    """A 1920x1080 picture under 5x5 filters makes the known number of values."""
    assert count(f"3x1080x1920 | conv {filters}@5x5 nobias").activations == values


def test_transposed_convolution_is_counted_on_its_input() -> None:
    """128 to 64 channels, 3x3, stride 2 on 64x64: one product per tap and input value."""
    assert count("128x64x64 | tconv 64@3x3 s2 p1 o1").macs == 301_989_888


def test_batch_multiplies_work_and_not_parameters() -> None:
    """Multiply-adds and activations are those of the whole batch."""
    one, eight = count("lenet5"), summarize(parse("lenet5"), batch=8)
    assert (eight.macs, eight.activations) == (8 * one.macs, 8 * one.activations)
    assert (eight.params, eight.buffers) == (one.params, one.buffers)


def test_numbers_beyond_all_networks_are_refused() -> None:
    """Sizes that multiply without end are an error, not a number of thousands of digits."""
    line = "1x1x1 | globalavgpool" + " | upsample 999999999" * 600
    with pytest.raises(
        CalculatorError, match="more than 1,000,000,000,000,000,000,000,000,000,000"
    ):
        parse(line)
