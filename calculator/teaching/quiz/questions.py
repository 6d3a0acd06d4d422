"""The questions of the quiz, by kind."""

from calculator.teaching.language import Message

CONV = Message(
    "A convolution has {C_out} filters of {k}x{k}, stride {s}, and padding {p} on every side. "
    "Its input is {C_in}x{H}x{H}.",
    "합성곱층에 {k}x{k} 필터가 {C_out}개 있습니다(스트라이드 {s}, 상하좌우 패딩 {p}). "
    "입력은 {C_in}x{H}x{H}입니다.",
)
POOL = Message(
    "Max pooling with a window of {k}x{k}, stride {s}, and padding {p} on every side gets an "
    "input of {C}x{H}x{H}.",
    "최대 풀링의 창은 {k}x{k}입니다(스트라이드 {s}, 상하좌우 패딩 {p}). 입력은 {C}x{H}x{H}입니다.",
)
DENSE = Message(
    "A fully connected layer turns {F_in} inputs into {F_out} outputs.",
    "완전 연결층의 입력은 {F_in}개, 출력은 {F_out}개입니다.",
)
SAME = Message(
    "A {k}x{k} convolution with stride {s} has 'same' padding as TensorFlow defines it.",
    "{k}x{k} 합성곱의 스트라이드는 {s}, 패딩은 TensorFlow가 정의하는 'same'입니다.",
)
SIZE = ("What is the height and width of its output?", "출력의 높이와 너비는 얼마입니까?")
PARAMS = (
    "How many parameters does the layer have, biases included?",
    "이 층의 파라미터는 편향을 포함하여 모두 몇 개입니까?",
)
MACS = (
    "How many multiply-adds (MACs) does a batch of {N} take, bias not counted?",
    "배치 크기가 {N}일 때 곱셈-덧셈(MAC)은 편향을 빼고 모두 몇 번입니까?",
)
BATCH = ("The layer is trained with batches of {N}.", "학습할 때 배치 크기는 {N}입니다.")
QUESTIONS = {
    "conv_size": CONV.then(*SIZE),
    "pool_size": POOL.then("Output sizes are rounded down.", "출력 크기는 내림합니다.").then(*SIZE),
    "ceil_size": POOL.then(
        "It runs in ceil mode: sizes are rounded up.", "ceil 모드이므로 출력 크기를 올림합니다."
    ).then(*SIZE),
    "dilated_size": CONV.then(
        "The convolution's dilation is {d}.", "팽창(dilation)은 {d}입니다."
    ).then(*SIZE),
    "same_size": SAME.then("Its input is {C_in}x{H}x{H}.", "입력은 {C_in}x{H}x{H}입니다.").then(
        *SIZE
    ),
    "same_padding": SAME.then(
        "It turns a height of {H} into {H_out}. How many rows of zeros are added, above and below "
        "together?",
        "입력의 높이는 {H}, 출력의 높이는 {H_out}입니다. 위와 아래를 합하여 0을 몇 줄 덧붙입니까?",
    ),
    "transposed_size": Message(
        "A transposed convolution has {C_out} filters of {k}x{k}, stride {s}, padding {p}, and no "
        "output padding. Its input is {C_in}x{H}x{H}.",
        "전치 합성곱층에 {k}x{k} 필터가 {C_out}개 있습니다(스트라이드 {s}, 패딩 {p}, 출력 패딩 "
        "없음). 입력은 {C_in}x{H}x{H}입니다.",
    ).then(*SIZE),
    "channels": CONV.then("How many channels does its output have?", "출력 채널은 몇 개입니까?"),
    "filter_weights": CONV.then(
        "How many weights does one of the filters have, its bias not counted?",
        "필터 하나의 가중치는 편향을 빼고 몇 개입니까?",
    ),
    "conv_params": CONV.then(*PARAMS),
    "batch_params": CONV.then(*BATCH).then(*PARAMS),
    "pointwise_params": Message(
        "A convolution has {C_out} filters of 1x1. Its input is {C_in}x{H}x{H}.",
        "합성곱층에 1x1 필터가 {C_out}개 있습니다. 입력은 {C_in}x{H}x{H}입니다.",
    ).then(*PARAMS),
    "pooled_params": CONV.then(
        "Max pooling of {k_pool}x{k_pool} follows. How many parameters do both layers have "
        "together, biases included?",
        "{k_pool}x{k_pool} 최대 풀링이 뒤따릅니다. 두 층의 파라미터는 편향을 포함하여 모두 몇 "
        "개입니까?",
    ),
    "grouped_params": CONV.then(
        "The convolution has {g} groups.", "이 합성곱의 그룹은 {g}개입니다."
    ).then(*PARAMS),
    "depthwise_params": Message(
        "A depthwise convolution has one {k}x{k} filter with a bias for each channel. Its input "
        "is {C_in}x{H}x{H}. How many parameters does the layer have, biases included?",
        "깊이별(depthwise) 합성곱층에는 채널마다 편향이 있는 {k}x{k} 필터가 하나씩 있습니다. "
        "입력은 {C_in}x{H}x{H}입니다. 파라미터는 편향을 포함하여 모두 몇 개입니까?",
    ),
    "norm_params": Message(
        "Batch normalisation with scale and shift gets an input of {C}x{H}x{H} in batches of {N}. "
        "How many trainable parameters does it have?",
        "스케일과 시프트가 있는 배치 정규화의 입력은 {C}x{H}x{H}, 배치 크기는 {N}입니다. 학습되는 "
        "파라미터는 몇 개입니까?",
    ),
    "dense_params": DENSE.then(*PARAMS),
    "dense_macs": DENSE.then(*MACS),
    "flat_params": Message(
        "An input of {C}x{H}x{H} goes through max pooling of 2x2 with stride 2, is flattened, and "
        "enters a fully connected layer of {F_out} units. How many parameters does that layer "
        "have, biases included?",
        "{C}x{H}x{H} 입력이 2x2 최대 풀링(스트라이드 2)과 flatten을 거쳐 유닛 {F_out}개의 완전 "
        "연결층에 들어갑니다. 완전 연결층의 파라미터는 편향을 포함하여 모두 몇 개입니까?",
    ),
    "conv_macs": CONV.then(*MACS),
    "activations": CONV.then(
        "How many values does the layer return for a batch of {N}?",
        "배치 크기가 {N}일 때 이 층이 출력하는 값은 모두 몇 개입니까?",
    ),
    "field": Message(
        "Three layers follow one another: {windows}. How many rows of the input does one unit "
        "of the last layer see (its receptive field)?",
        "세 층이 차례로 이어집니다: {windows}. 마지막 층의 유닛 하나는 입력을 몇 줄 봅니까(수용 "
        "영역)?",
    ),
    "total_params": Message(
        "A network: {line}. How many parameters does it have in all, biases included?",
        "네트워크: {line}. 파라미터는 편향을 포함하여 모두 몇 개입니까?",
    ),
    "training_bytes": DENSE.then(
        "It is trained in float32 with momentum, in batches of {N}. How many bytes do these take "
        "together: every parameter with gradient and momentum, every output with its gradient, "
        "and the input?",
        "배치 크기 {N}, float32, 모멘텀을 쓰는 학습입니다. 다음을 모두 합하면 몇 바이트입니까: "
        "파라미터와 그 기울기와 모멘텀, 출력과 그 기울기, 그리고 입력?",
    ),
    "padding": Message(
        "A convolution of {k}x{k} with stride {s} turns {H}x{H} into {H_out}x{H_out}. Which "
        "padding does it have on every side?",
        "{k}x{k} 합성곱(스트라이드 {s})의 입력은 {H}x{H}, 출력은 {H_out}x{H_out}입니다. 상하좌우의 "
        "패딩은 각각 얼마입니까?",
    ),
    "classic_conv": Message(
        "In {title}, {layer} has {C_out} filters of {k}x{k} and gets an input of {shape}.",
        "{title}의 {layer}: 필터는 {k}x{k} 크기로 {C_out}개, 입력은 {shape}입니다.",
    ).then(*PARAMS),
    "classic_flat": Message(
        "In {title}, {layer} has {F_out} units and gets the last maps, {shape}, flattened.",
        "{title}의 {layer}: 유닛은 {F_out}개, 입력은 마지막 특성 맵 {shape} 전체를 펼친(flatten) "
        "값입니다.",
    ).then(*PARAMS),
    "classic_dense": Message(
        "In {title}, the fully connected layer {layer} turns {F_in} inputs into {F_out} outputs.",
        "{title}의 완전 연결층 {layer}: 입력은 {F_in}개, 출력은 {F_out}개입니다.",
    ).then(*PARAMS),
    "classic_field": Message(
        "{title} begins with these windows: {windows}. How many rows of the input does one unit "
        "of {layer} see (its receptive field)?",
        "{title}의 앞부분에는 다음 창이 차례로 있습니다: {windows}. {layer}의 유닛 하나는 입력을 "
        "몇 줄 봅니까(수용 영역)?",
    ),
    "most_params": Message(
        "Which layer of {title} has the most parameters (input {shape})?",
        "{title}에서 파라미터가 가장 많은 층은 어느 것입니까(입력 {shape})?",
    ),
    "most_macs": Message(
        "Which layer of {title} takes the most multiply-adds (input {shape})?",
        "{title}에서 곱셈-덧셈이 가장 많은 층은 어느 것입니까(입력 {shape})?",
    ),
    "group_saving": Message(
        "AlexNet's {layer} has {C_out} filters of {k}x{k} over {C_in} input channels, with "
        "biases. How many parameters fewer does it have in {g} groups, as in the paper, than "
        "as one convolution?",
        "AlexNet의 {layer}: 필터는 {k}x{k} 크기로 {C_out}개, 입력 채널은 {C_in}개이고 편향이 "
        "있습니다. 논문처럼 {g}개의 그룹으로 나누면, 나누지 않을 때보다 파라미터가 몇 개 적습니까?",
    ),
    "convention": Message(
        "A table gives {number} for {title}, batch 1. What was counted? (K, M and G are powers "
        "of 1000.)",
        "어떤 표에 {title}의 값이 이렇게 적혀 있습니다: {number} (배치 1; K, M, G는 1000의 "
        "거듭제곱). 무엇을 센 것입니까?",
    ),
}
CONVENTIONS = {
    "params": Message("parameters", "파라미터"),
    "weights": Message("parameters without biases", "편향을 뺀 파라미터"),
    "bytes": Message("bytes of parameters, 4 each", "파라미터의 바이트(하나에 4바이트)"),
    "macs": Message("multiply-adds", "곱셈-덧셈(MAC)"),
    "flops": Message("operations (2 per multiply-add)", "연산(FLOP, 곱셈-덧셈마다 2)"),
}
