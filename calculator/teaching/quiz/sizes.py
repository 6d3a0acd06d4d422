"""Misconceptions about sizes and receptive fields."""

from calculator.teaching.quiz.exercises import build

SIZES = (
    build(
        "rounded-up",
        ("the quotient was rounded up", "몫을 올림함"),
        (
            "A window that does not fit is left out: the quotient is rounded down.",
            "다 들어가지 않는 창은 버리므로 몫을 내림합니다.",
        ),
    ),
    build(
        "rounded-down",
        ("the quotient was rounded down", "몫을 내림함"),
        (
            "Here the last, incomplete step counts: the quotient is rounded up.",
            "여기서는 마지막의 모자라는 걸음도 세므로 몫을 올림합니다.",
        ),
    ),
    build(
        "forgot-one",
        ("the first window was not counted (+ 1)", "첫 번째 창을 세지 않음(+ 1 누락)"),
        (
            "The quotient counts steps; n steps lead through n + 1 positions.",
            "몫은 걸음의 수입니다. 걸음이 n번이면 위치는 n + 1개입니다.",
        ),
    ),
    build(
        "windows-for-steps",
        ("one step too many was counted", "걸음을 하나 더 셈"),
        ("n windows lie n - 1 steps apart.", "창이 n개이면 걸음은 n - 1번입니다."),
    ),
    build(
        "padding-once",
        ("the padding was counted on one side only", "패딩을 한쪽만 셈"),
        ("Both sides of the axis are padded: 2*p.", "축의 양쪽에 패딩이 있습니다: 2*p."),
    ),
    build(
        "padding-ignored",
        ("the padding was ignored", "패딩을 무시함"),
        ("Padding changes the output size.", "패딩은 출력 크기를 바꿉니다."),
    ),
    build(
        "padding-added",
        ("the padding was added", "패딩을 더함"),
        (
            "The padding of a transposed convolution is cropped from its output.",
            "전치 합성곱의 패딩은 출력에서 잘라 내는 양입니다.",
        ),
    ),
    build(
        "padding-one-side",
        ("only one side was counted", "한쪽만 셈"),
        ("The question asks for both sides together.", "양쪽을 합한 수를 묻습니다."),
    ),
    build(
        "same-one-side",
        (
            "half of the rule for stride 1, (k - 1)/2, was used",
            "스트라이드 1의 규칙에서 한쪽의 (k - 1)/2만 셈",
        ),
        (
            "Here the sizes decide: the last window needs (H_out - 1)*s + k rows.",
            "여기서는 크기에 따라 정해집니다. 마지막 창까지 (H_out - 1)*s + k줄이 필요합니다.",
        ),
    ),
    build(
        "kernel-ignored",
        ("the kernel was not subtracted", "커널을 빼지 않음"),
        (
            "The last window must fit: only H + 2*p - k positions are left to step over.",
            "마지막 창도 들어가야 하므로, 움직일 수 있는 길이는 H + 2*p - k뿐입니다.",
        ),
    ),
    build(
        "kernel-less-one",
        ("the kernel was taken as k - 1", "커널을 k - 1로 봄"),
        (
            "Between the first and the last row under the kernel lie k - 1 steps, but k rows.",
            "커널의 첫 줄에서 마지막 줄까지 걸음은 k - 1번이지만, 줄은 k개입니다.",
        ),
    ),
    build(
        "padding-total",
        ("both sides were counted together", "양쪽을 합하여 셈"),
        ("The padding p stands on every side.", "패딩 p는 한쪽의 값입니다."),
    ),
    build(
        "full-padding",
        ("'full' padding of k - 1 was taken", "k - 1의 'full' 패딩으로 봄"),
        (
            "With that padding the output is larger than the input at stride 1.",
            "그 패딩이면 스트라이드 1에서 출력이 입력보다 커집니다.",
        ),
    ),
    build(
        "same-at-any-stride",
        (
            "the rule for stride 1, (k - 1)/2 per side, was used",
            "스트라이드 1의 규칙(한쪽에 (k - 1)/2)을 씀",
        ),
        (
            "(k - 1)/2 per side keeps the size at stride 1 only; else the sizes decide.",
            "(k - 1)/2는 스트라이드 1에서만 크기를 유지합니다. 그 밖에는 크기에 따라 정해집니다.",
        ),
    ),
    build(
        "stride-ignored",
        ("the stride was ignored", "스트라이드를 무시함"),
        (
            "The window moves s positions at a time, so the room is divided by s.",
            "창은 s칸씩 움직이므로 남는 길이를 s로 나눕니다.",
        ),
    ),
    build(
        "stride-for-padding",
        ("stride and padding were swapped", "스트라이드와 패딩을 바꿈"),
        (
            "The padding is added twice, the stride divides.",
            "패딩은 두 번 더하고, 스트라이드로는 나눕니다.",
        ),
    ),
    build(
        "stride-alone",
        ("only the stride was used", "스트라이드만 사용함"),
        (
            "The kernel and the padding take part as well.",
            "커널과 패딩도 크기에 관여합니다.",
        ),
    ),
    build(
        "windows-side-by-side",
        ("the windows were laid side by side", "창을 겹치지 않게 놓음"),
        (
            "These windows overlap: they step by the stride, not by the kernel.",
            "이 창들은 겹칩니다. 커널 크기가 아니라 스트라이드만큼 움직입니다.",
        ),
    ),
    build(
        "size-kept",
        ("the size was taken to stay the same", "크기가 그대로라고 봄"),
        (
            "The size stays only at stride 1 with a padding of (k - 1)/2.",
            "크기는 스트라이드 1, 패딩 (k - 1)/2일 때만 그대로입니다.",
        ),
    ),
    build(
        "one-border",
        ("the border was taken away on one side only", "가장자리를 한쪽만 뺌"),
        (
            "A kernel takes (k - 1)/2 rows away on each side, k - 1 in all.",
            "커널은 양쪽에서 (k - 1)/2줄씩, 모두 k - 1줄을 줄입니다.",
        ),
    ),
    build(
        "dilation-ignored",
        ("the dilation was ignored", "팽창을 무시함"),
        (
            "A dilated kernel reaches over d*(k - 1) + 1 positions.",
            "팽창된 커널은 d*(k - 1) + 1칸에 걸칩니다.",
        ),
    ),
    build(
        "dilation-times-kernel",
        ("the dilated kernel was taken as d*k", "팽창된 커널을 d*k로 봄"),
        (
            "Only the k - 1 gaps grow: the kernel reaches over d*(k - 1) + 1 positions.",
            "간격 k - 1개만 늘어나므로 커널은 d*(k - 1) + 1칸에 걸칩니다.",
        ),
    ),
    build(
        "dilation-as-stride",
        ("the dilation was used as a stride", "팽창을 스트라이드로 사용함"),
        (
            "Dilation spreads the taps of one window; it does not move the window further.",
            "팽창은 한 창 안의 간격을 넓힐 뿐, 창을 더 멀리 옮기지 않습니다.",
        ),
    ),
    build(
        "transposed-as-plain",
        ("it was computed as a plain convolution", "보통의 합성곱으로 계산함"),
        (
            "A transposed convolution enlarges: its stride multiplies.",
            "전치 합성곱은 크기를 키웁니다. 스트라이드를 곱합니다.",
        ),
    ),
)
FIELDS = (
    build(
        "kernels-summed",
        ("the kernels were added up", "커널 크기를 더함"),
        (
            "Each window adds k - 1 neighbours, times the jump in front of it.",
            "창마다 이웃 k - 1개에 그 앞의 점프를 곱한 만큼 늘어납니다.",
        ),
    ),
    build(
        "kernels-multiplied",
        ("the kernels were multiplied", "커널 크기를 곱함"),
        (
            "Neighbouring windows overlap: each adds k - 1, times the jump in front of it.",
            "이웃한 창은 겹칩니다. 창마다 k - 1에 그 앞의 점프를 곱한 만큼 늘어납니다.",
        ),
    ),
    build(
        "jump-ignored",
        ("the strides in front were ignored", "앞선 스트라이드를 무시함"),
        (
            "Behind a stride, neighbouring units are further apart in the input.",
            "스트라이드를 지나면 이웃한 유닛은 입력에서 더 멀리 떨어져 있습니다.",
        ),
    ),
    build(
        "jump-too-early",
        (
            "each layer's own stride was counted for its own window",
            "층의 스트라이드를 그 층의 창에 이미 곱함",
        ),
        (
            "A stride spreads the windows of the layers behind, not the layer's own window.",
            "스트라이드는 뒤따르는 층의 창을 넓히고, 그 층 자신의 창은 넓히지 않습니다.",
        ),
    ),
    build(
        "last-kernel",
        ("only the last window was looked at", "마지막 창만 봄"),
        (
            "The receptive field is counted in the network's input, through all layers.",
            "수용 영역은 모든 층을 거슬러 네트워크의 입력에서 셉니다.",
        ),
    ),
)
