"""Misconceptions about channels, parameters, multiply-adds and memory."""

from calculator.teaching.quiz.exercises import build

CHANNELS = (
    build(
        "input-channels-kept",
        ("the input's channels were kept", "입력 채널 수를 그대로 씀"),
        ("Each filter makes one output channel.", "필터 하나가 출력 채널 하나를 만듭니다."),
    ),
    build(
        "channels-multiplied",
        ("input and output channels were multiplied", "입력 채널과 출력 채널을 곱함"),
        (
            "A filter sums over all input channels and makes one output channel.",
            "필터는 모든 입력 채널을 더하여 출력 채널 하나를 만듭니다.",
        ),
    ),
    build(
        "channels-appended",
        ("the filters were added to the input's channels", "입력 채널에 필터 수를 더함"),
        (
            "The output holds the filters' results only; the input is not passed on.",
            "출력에는 필터의 결과만 있고, 입력은 전달되지 않습니다.",
        ),
    ),
    build(
        "kernel-for-channels",
        ("the kernel's area was taken for the channels", "커널의 넓이를 채널 수로 봄"),
        ("Each filter makes one output channel.", "필터 하나가 출력 채널 하나를 만듭니다."),
    ),
    build(
        "one-channel",
        ("only one channel was counted", "채널 하나만 셈"),
        ("Every filter makes a map of its own.", "필터마다 특성 맵을 하나씩 만듭니다."),
    ),
    build(
        "one-axis",
        ("only one side of the maps was counted", "특성 맵의 한 변만 셈"),
        ("A map has height times width values.", "특성 맵에는 높이 곱하기 너비만큼 값이 있습니다."),
    ),
    build(
        "forgot-input-channels",
        ("the input channels were forgotten", "입력 채널을 빠뜨림"),
        (
            "A filter reaches through all input channels that it is connected to.",
            "필터는 연결된 모든 입력 채널에 걸칩니다.",
        ),
    ),
)
PARAMETERS = (
    build(
        "all-filters",
        ("all filters were counted", "모든 필터를 셈"),
        ("The question is about one of them.", "필터 하나에 대하여 묻습니다."),
    ),
    build(
        "filters-for-channels",
        ("the filters were counted instead of the input channels", "입력 채널 대신 필터 수를 셈"),
        (
            "A filter has k*k weights for each input channel.",
            "필터의 가중치는 입력 채널마다 k*k개입니다.",
        ),
    ),
    build(
        "forgot-bias",
        ("the bias was forgotten", "편향을 빠뜨림"),
        (
            "Each filter or unit has one bias, unless the layer has none.",
            "편향이 없는 층이 아니라면 필터나 유닛마다 편향이 하나씩 있습니다.",
        ),
    ),
    build(
        "bias-per-weight",
        ("one bias per weight was counted", "가중치마다 편향을 셈"),
        ("Each filter or unit has one bias.", "편향은 필터나 유닛마다 하나입니다."),
    ),
    build(
        "bias-per-position",
        ("one bias per output value was counted", "출력값마다 편향을 셈"),
        (
            "A filter has one bias for all positions.",
            "필터의 편향은 모든 위치에서 같은 하나입니다.",
        ),
    ),
    build(
        "bias-per-input",
        ("one bias per input was counted", "입력마다 편향을 셈"),
        ("The biases belong to the output units.", "편향은 출력 유닛에 속합니다."),
    ),
    build(
        "one-bias",
        ("one bias for the whole layer was counted", "층 전체에 편향 하나만 셈"),
        ("Each filter or unit has one bias.", "편향은 필터나 유닛마다 하나입니다."),
    ),
    build(
        "kernel-one-axis",
        ("the kernel was counted along one axis only", "커널을 한 축만 셈"),
        (
            "A square kernel has k*k weights per channel.",
            "정사각 커널의 가중치는 채널마다 k*k개입니다.",
        ),
    ),
    build(
        "one-filter",
        ("only one filter was counted", "필터 하나만 셈"),
        ("Every output channel has a filter of its own.", "출력 채널마다 필터가 따로 있습니다."),
    ),
    build(
        "one-weight-per-filter",
        ("a 1x1 filter was taken to have one weight", "1x1 필터의 가중치를 하나로 봄"),
        (
            "A 1x1 filter has one weight per input channel.",
            "1x1 필터의 가중치는 입력 채널마다 하나입니다.",
        ),
    ),
    build(
        "sum-for-product",
        ("inputs and outputs were added", "입력과 출력을 더함"),
        (
            "Every output is connected with every input: the weights are a product.",
            "모든 출력이 모든 입력과 연결되므로 가중치 수는 곱입니다.",
        ),
    ),
    build(
        "batch-in-params",
        ("the parameters were multiplied by the batch", "파라미터에 배치를 곱함"),
        (
            "All samples use the same parameters.",
            "모든 샘플이 같은 파라미터를 씁니다.",
        ),
    ),
    build(
        "picture-in-params",
        (
            "the picture's size was counted instead of the kernel's",
            "커널 대신 입력 이미지의 크기를 셈",
        ),
        (
            "A convolution's parameters do not depend on the size of its input.",
            "합성곱층의 파라미터 수는 입력의 크기와 무관합니다.",
        ),
    ),
    build(
        "weights-not-shared",
        ("weights were counted at every position", "위치마다 가중치를 따로 셈"),
        (
            "A filter uses the same weights at all positions.",
            "필터는 모든 위치에서 같은 가중치를 씁니다.",
        ),
    ),
    build(
        "pool-has-params",
        ("the pool was taken to have parameters", "풀링층에 파라미터가 있다고 봄"),
        (
            "A maximum or a mean has nothing to train.",
            "최댓값이나 평균에는 학습할 것이 없습니다.",
        ),
    ),
    build(
        "pool-shrinks-params",
        ("the parameters were divided by the pool's window", "파라미터를 풀링 창으로 나눔"),
        (
            "Pooling makes the maps smaller, not the filters in front of it.",
            "풀링은 특성 맵을 줄일 뿐, 앞선 필터를 줄이지 않습니다.",
        ),
    ),
    build(
        "groups-ignored",
        ("the groups were ignored", "그룹을 무시함"),
        (
            "In g groups a filter sees only C_in/g channels.",
            "그룹이 g개이면 필터는 C_in/g개의 채널만 봅니다.",
        ),
    ),
    build(
        "groups-divide-twice",
        ("the filters were divided by the groups as well", "필터 수까지 그룹으로 나눔"),
        (
            "Each group has C_out/g filters, and there are g groups: C_out filters in all.",
            "그룹마다 필터가 C_out/g개이고 그룹이 g개이므로, 필터는 모두 C_out개입니다.",
        ),
    ),
    build(
        "groups-multiply",
        ("the parameters were multiplied by the groups", "파라미터에 그룹을 곱함"),
        (
            "Groups cut connections: the weights become fewer.",
            "그룹은 연결을 끊으므로 가중치가 줄어듭니다.",
        ),
    ),
    build(
        "groups-divide-bias",
        ("the biases were divided by the groups as well", "편향까지 그룹으로 나눔"),
        (
            "Only the weights become fewer; every filter keeps its bias.",
            "줄어드는 것은 가중치뿐이고, 필터마다 편향은 그대로 있습니다.",
        ),
    ),
    build(
        "one-group",
        ("only one of the groups was counted", "그룹 하나만 셈"),
        ("Every group saves as much.", "절약은 그룹마다 같은 만큼 있습니다."),
    ),
    build(
        "rest-for-saving",
        ("what is left was given instead of what is saved", "줄어든 양 대신 남은 양을 답함"),
        ("The saving is the difference of both layers.", "절약은 두 층의 차이입니다."),
    ),
    build(
        "buffers-as-params",
        ("running mean and variance were counted", "이동 평균과 이동 분산을 셈"),
        (
            "They are stored but not trained: buffers, not parameters.",
            "이 값들은 저장되지만 학습되지 않으므로 파라미터가 아니라 버퍼입니다.",
        ),
    ),
    build(
        "norm-per-position",
        ("scale and shift were counted at every position", "위치마다 스케일과 시프트를 셈"),
        (
            "Batch normalisation has one scale and one shift per channel.",
            "배치 정규화의 스케일과 시프트는 채널마다 하나씩입니다.",
        ),
    ),
    build(
        "forgot-shift",
        ("only one number per channel was counted", "채널마다 하나만 셈"),
        ("There are two: scale and shift.", "스케일과 시프트, 두 개가 있습니다."),
    ),
    build(
        "flatten-forgets-channels",
        ("the channels were forgotten at flatten", "flatten에서 채널을 빠뜨림"),
        ("Flatten makes C*H*W values.", "flatten의 출력은 C*H*W개입니다."),
    ),
    build(
        "flatten-keeps-channels",
        ("only the channels were counted at flatten", "flatten에서 채널만 셈"),
        (
            "Flatten makes C*H*W values; one per channel is what global pooling makes.",
            "flatten의 출력은 C*H*W개입니다. 채널마다 하나인 것은 전역 풀링입니다.",
        ),
    ),
    build(
        "forgot-pool",
        ("the pool in front was forgotten", "앞의 풀링을 빠뜨림"),
        (
            "Pooling makes the maps smaller before they are flattened.",
            "flatten에 앞서 풀링이 특성 맵을 줄입니다.",
        ),
    ),
)
