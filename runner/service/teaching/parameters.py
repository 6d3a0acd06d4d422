"""What may be asked: the parameters of each page."""

from runner.service.parameters import Choice, Parameter, Whole

LONGEST_NETWORK = 8000  # characters; VGG-19 with batch normalisation in one line has 1,400
LONGEST_SHAPE = 60
LARGEST_SEED = 999_999_999
LANGUAGES = ("en", "ko")
LINE = "1x28x28 | conv 8@3x3 s2 same | relu | flatten | fc 10"

INPUT = Parameter(
    name="input",
    description="Channels and sizes instead of the network's own; capital letters for any size.",
    longest=LONGEST_SHAPE,
    example="3x224x224",
)
NUMERIC_INPUT = Parameter(
    name="input",
    description="Channels and sizes instead of the network's own.",
    longest=LONGEST_SHAPE,
    example="3x227x227",
)
LANGUAGE = Choice(
    name="lang",
    description="English or Korean.",
    default="en",
    words=LANGUAGES,
    example="en",
)


def name_network(name: str, description: str, example: str) -> Parameter:
    """Return the parameter that is a network."""
    return Parameter(
        name=name,
        description=f"{description}: a name such as vgg16, or a line such as {LINE}",
        required=True,
        longest=LONGEST_NETWORK,
        example=example,
    )


SHAPES = (
    name_network("net", "The network", "vgg16"),
    INPUT,
    Parameter(
        name="batch",
        description="Samples per run: a number, or a capital letter for any.",
        default="1",
        longest=10,
        example="1",
    ),
)
EXPLAIN = (
    name_network("net", "The network", "alexnet"),
    Parameter(
        name="layer",
        description="Name of one layer; all layers and the totals without.",
        longest=64,
        example="conv1",
    ),
    NUMERIC_INPUT,
    LANGUAGE,
)
COMPARE = (
    name_network("a", "The first network", "alexnet"),
    name_network("b", "The second network", "alexnet-grouped"),
    NUMERIC_INPUT,
)
SOLVE = (
    Parameter(
        name="q",
        description=(
            "Which settings lead from one size to another, as 227 -> 55, k=11; or a network with "
            "question marks, as 3x27x27 | conv 256@5x5 p=? -> 27x27."
        ),
        required=True,
        longest=LONGEST_NETWORK,
        example="227 -> 55, k=11",
    ),
)
QUIZ = (
    Whole(
        name="level",
        description=(
            "1 one layer; 2 stride, pooling, MACs; 3 dilation, groups, receptive "
            "fields; 4 networks."
        ),
        default=1,
        least=1,
        most=4,
        example=2,
    ),
    LANGUAGE,
    Whole(
        name="seed",
        description="Number of the quiz; the same makes the same. [default: any]",
        least=0,
        most=LARGEST_SEED,
        example=7,
    ),
    Whole(name="count", description="Exercises.", default=5, least=1, most=40, example=2),
)
PAGES = {
    "shapes": SHAPES,
    "explain": EXPLAIN,
    "compare": COMPARE,
    "solve": SOLVE,
    "quiz": QUIZ,
}
