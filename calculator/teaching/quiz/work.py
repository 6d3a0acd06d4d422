"""Misconceptions about multiply-adds, memory and conventions."""

from calculator.teaching.quiz.exercises import build

WORK = (
    build(
        "forgot-batch",
        ("the batch was forgotten", "배치를 빠뜨림"),
        (
            "Every sample of the batch has values and multiply-adds of its own.",
            "값과 곱셈-덧셈은 배치의 샘플마다 따로 있습니다.",
        ),
    ),
    build(
        "flops-for-macs",
        ("products and additions were counted apart (FLOPs)", "곱셈과 덧셈을 따로 셈(FLOP)"),
        (
            "A multiply-add (MAC) is one product with its addition.",
            "곱셈-덧셈(MAC)은 곱셈과 그에 딸린 덧셈을 하나로 셉니다.",
        ),
    ),
    build(
        "macs-for-flops",
        ("product and addition were counted as one (MACs)", "곱셈과 덧셈을 하나로 셈(MAC)"),
        (
            "Each multiply-add is two operations.",
            "곱셈-덧셈 한 번은 연산 두 번입니다.",
        ),
    ),
    build(
        "input-size",
        ("the input's size was used instead of the output's", "출력 대신 입력의 크기를 씀"),
        (
            "A filter computes one value per output position.",
            "필터는 출력 위치마다 값을 하나 계산합니다.",
        ),
    ),
    build(
        "params-for-macs",
        ("the parameters were counted", "파라미터를 셈"),
        (
            "Every output value takes its own multiply-adds; the bias takes none.",
            "곱셈-덧셈은 출력값마다 따로 필요하고, 편향에는 필요하지 않습니다.",
        ),
    ),
    build(
        "macs-for-values",
        ("the multiply-adds were counted", "곱셈-덧셈을 셈"),
        (
            "Many multiply-adds make one value.",
            "값 하나를 계산하는 데 곱셈-덧셈이 여러 번 필요합니다.",
        ),
    ),
    build(
        "bias-in-macs",
        ("the bias was counted as a multiply-add", "편향을 곱셈-덧셈으로 셈"),
        (
            "A bias is added without a product; it is not counted here.",
            "편향은 곱셈 없이 더하기만 하므로 여기서는 세지 않습니다.",
        ),
    ),
)
MEMORY = (
    build(
        "four-bytes-forgotten",
        ("numbers were counted instead of bytes", "바이트 대신 수의 개수를 셈"),
        ("A float32 has 4 bytes.", "float32 하나는 4바이트입니다."),
    ),
    build(
        "bytes-for-numbers",
        ("bytes were counted instead of numbers", "수의 개수 대신 바이트를 셈"),
        (
            "A float32 has 4 bytes, so bytes are four times the numbers.",
            "float32 하나는 4바이트이므로 바이트는 개수의 네 배입니다.",
        ),
    ),
    build(
        "gradients-of-params-forgotten",
        (
            "gradients and momentum of the parameters were forgotten",
            "파라미터의 기울기와 모멘텀을 빠뜨림",
        ),
        (
            "Every parameter is kept three times: value, gradient, momentum.",
            "파라미터마다 값, 기울기, 모멘텀의 세 가지를 보관합니다.",
        ),
    ),
    build(
        "momentum-forgotten",
        ("the momentum was forgotten", "모멘텀을 빠뜨림"),
        (
            "Every parameter is kept three times: value, gradient, momentum.",
            "파라미터마다 값, 기울기, 모멘텀의 세 가지를 보관합니다.",
        ),
    ),
    build(
        "gradients-of-activations-forgotten",
        ("the gradients of the outputs were forgotten", "출력의 기울기를 빠뜨림"),
        (
            "Every output value has a gradient of the same size.",
            "출력값마다 같은 크기의 기울기가 있습니다.",
        ),
    ),
)
CHOICES = (
    build(
        "work-for-weights",
        ("work was taken for parameters", "연산량을 파라미터 수로 봄"),
        (
            "Convolutions do much work with few weights, dense layers little with many.",
            "합성곱층은 적은 가중치로 많이 계산하고, 완전 연결층은 많은 가중치로 적게 계산합니다.",
        ),
    ),
    build(
        "weights-for-work",
        ("parameters were taken for work", "파라미터 수를 연산량으로 봄"),
        (
            "A dense layer uses each weight once per sample, a convolution at every position.",
            "완전 연결층은 가중치를 샘플마다 한 번 쓰고, 합성곱층은 모든 위치에서 씁니다.",
        ),
    ),
    build(
        "last-layer",
        ("the last layer was chosen", "마지막 층을 고름"),
        ("Its outputs are few: one per class.", "마지막 층의 출력은 클래스마다 하나로 적습니다."),
    ),
    build(
        "largest-output",
        ("the layer with the largest output was chosen", "출력이 가장 큰 층을 고름"),
        (
            "The size of the output alone decides neither weights nor work.",
            "출력의 크기만으로는 가중치도 연산량도 정해지지 않습니다.",
        ),
    ),
    build(
        "bias-counted",
        ("the biases were counted as well", "편향까지 셈"),
        ("The number is that of the weights alone.", "이 수는 가중치만 센 것입니다."),
    ),
)
