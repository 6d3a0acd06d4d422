"""The wrong formulas, by what is asked: each is what one misconception computes.

The letters are those of ``calculator/arithmetic/formulas.py`` for square windows and
inputs: ``H`` the input, ``H_out`` the output, ``k`` the kernel. ``H_pool`` is the size
behind the pool of an exercise that has one, ``k_pool`` its kernel. The right formula is
never here: it comes from the calculator.
"""

from functools import cache

from calculator.arithmetic.expressions import (
    Expression,
    Folded,
    Name,
    Number,
    ceil,
    floor,
    multiply,
)
from calculator.arithmetic.formulas import C_IN, C_OUT, F_IN, F_OUT, C, D, G, K, N, S

Wrong = dict[str, Expression]  # by the id of the misconception

P, H, H_OUT = Name("p"), Name("H"), Name("H_out")
H_POOL, K_POOL = Name("H_pool"), Name("k_pool")
ONE, TWO, THREE, FOUR = Number(1), Number(2), Number(3), Number(4)

REACH = Folded(D * (K - 1))
ROOM = H + Folded(2 * P) - REACH - 1
OUTPUTS = multiply(N, C_OUT, H_OUT, H_OUT)
WEIGHTS = multiply(K, K, C_IN)
GROUP_WEIGHTS = multiply(K, K, C_IN / G)
BIASED = (WEIGHTS + 1) * C_OUT
HELD = Folded((F_IN + 1) * F_OUT)  # parameters of a dense layer, as one number

SIZE: Wrong = {
    "rounded-up": ceil(ROOM, S) + 1,
    "forgot-one": floor(ROOM, S),
    "padding-once": floor(H + P - REACH - 1, S) + 1,
    "padding-ignored": floor(H - REACH - 1, S) + 1,
    "stride-ignored": ROOM + 1,
    "stride-for-padding": floor(H + Folded(2 * S) - REACH - 1, P) + 1,
    "kernel-ignored": floor(H + Folded(2 * P), S) + 1,
}
# where two formulas of one table agree, the exercise offers the number once
MISTAKES: dict[str, Wrong] = {
    "conv_size": {**SIZE, "size-kept": H, "one-border": H - floor(K - 1, TWO)},
    "strided_size": {**SIZE, "size-kept": H, "stride-alone": floor(H, S)},
    "dilated_size": {
        "dilation-ignored": floor(H + Folded(2 * P) - K, S) + 1,
        "dilation-times-kernel": floor(H + Folded(2 * P) - Folded(D * K), S) + 1,
        "dilation-as-stride": floor(H + Folded(2 * P) - K, D) + 1,
        **SIZE,
    },
    "pool_size": {
        **SIZE,
        "windows-side-by-side": floor(H, K),
        "stride-alone": ceil(H, S),
        "size-kept": H,
    },
    "ceil_size": {
        "rounded-down": floor(ROOM, S) + 1,
        "forgot-one": ceil(ROOM, S),
        "windows-side-by-side": ceil(H, K),
        "stride-ignored": ROOM + 1,
        "kernel-ignored": ceil(H + Folded(2 * P), S) + 1,
        "padding-ignored": ceil(H - REACH - 1, S) + 1,
    },
    "same_size": {
        "rounded-down": floor(H, S),
        "size-kept": H,
        "kernel-ignored": floor(H, S) + 1,
        "padding-ignored": floor(H - K, S) + 1,
        "padding-once": floor(H + Folded(floor(K - 1, TWO)) - K, S) + 1,
    },
    "same_padding": {
        "same-at-any-stride": K - 1,
        "same-one-side": floor(K - 1, TWO),
        "padding-one-side": floor(Folded((H_OUT - 1) * S) + K - H, TWO),
        "windows-for-steps": H_OUT * S + K - H,
    },
    "transposed_size": {
        "transposed-as-plain": floor(H + Folded(2 * P) - K, S) + 1,
        "padding-ignored": Folded((H - 1) * S) + K,
        "padding-added": Folded((H - 1) * S) + Folded(2 * P) + K,
        "padding-once": Folded((H - 1) * S) - P + K,
        "stride-alone": H * S,
        "windows-for-steps": Folded(H * S) - Folded(2 * P) + K,
    },
    "channels": {
        "input-channels-kept": C_IN,
        "channels-multiplied": C_IN * C_OUT,
        "channels-appended": C_IN + C_OUT,
        "kernel-for-channels": K * K,
    },
    "conv_params": {
        "forgot-input-channels": (K * K + 1) * C_OUT,
        "forgot-bias": WEIGHTS * C_OUT,
        "bias-per-weight": TWO * WEIGHTS * C_OUT,
        "bias-per-position": WEIGHTS * C_OUT + multiply(C_OUT, H_OUT, H_OUT),
        "one-bias": WEIGHTS * C_OUT + 1,
        "kernel-one-axis": (K * C_IN + 1) * C_OUT,
        "one-filter": WEIGHTS + 1,
        "batch-in-params": multiply(N, BIASED),
        "picture-in-params": (multiply(H, H, C_IN) + 1) * C_OUT,
        "weights-not-shared": multiply(WEIGHTS + 1, C_OUT, H_OUT, H_OUT),
    },
    "filter_weights": {
        "forgot-input-channels": K * K,
        "filters-for-channels": multiply(K, K, C_OUT),
        "all-filters": WEIGHTS * C_OUT,
        "kernel-one-axis": K * C_IN,
    },
    "pointwise_params": {
        "one-weight-per-filter": (ONE + 1) * C_OUT,
        "forgot-bias": C_IN * C_OUT,
        "one-bias": C_IN * C_OUT + 1,
        "bias-per-weight": TWO * C_IN * C_OUT,
        "bias-per-position": C_IN * C_OUT + multiply(C_OUT, H, H),
        "sum-for-product": C_IN + C_OUT,
        "picture-in-params": (multiply(H, H, C_IN) + 1) * C_OUT,
    },
    "pooled_params": {
        "pool-has-params": BIASED + multiply(K_POOL, K_POOL, C_OUT),
        "pool-shrinks-params": floor(BIASED, K_POOL * K_POOL),
        "forgot-input-channels": (K * K + 1) * C_OUT,
        "forgot-bias": WEIGHTS * C_OUT,
        "bias-per-position": WEIGHTS * C_OUT + multiply(C_OUT, H_OUT, H_OUT),
    },
    "grouped_params": {
        "groups-ignored": BIASED,
        "groups-divide-twice": (GROUP_WEIGHTS + 1) * (C_OUT / G),
        "groups-multiply": multiply(WEIGHTS + 1, C_OUT, G),
        "groups-divide-bias": (WEIGHTS + 1) * (C_OUT / G),
        "forgot-bias": GROUP_WEIGHTS * C_OUT,
        "forgot-input-channels": (K * K + 1) * C_OUT,
    },
    "norm_params": {
        "buffers-as-params": FOUR * C,
        "norm-per-position": TWO * multiply(C, H, H),
        "forgot-shift": C,
        "batch-in-params": TWO * C * N,
    },
    "dense_params": {
        "forgot-bias": F_IN * F_OUT,
        "bias-per-weight": TWO * F_IN * F_OUT,
        "bias-per-input": F_IN * (F_OUT + 1),
        "one-bias": F_IN * F_OUT + 1,
        "sum-for-product": F_IN + F_OUT,
        "batch-in-params": multiply(N, F_IN + 1, F_OUT),
    },
    "flat_params": {
        "flatten-forgets-channels": (H_POOL * H_POOL + 1) * F_OUT,
        "flatten-keeps-channels": (C + 1) * F_OUT,
        "forgot-pool": (multiply(C, H, H) + 1) * F_OUT,
        "forgot-bias": multiply(C, H_POOL, H_POOL) * F_OUT,
        "bias-per-weight": TWO * multiply(C, H_POOL, H_POOL) * F_OUT,
    },
    "total_params": {
        "forgot-pool": BIASED + (multiply(C_OUT, H_OUT, H_OUT) + 1) * F_OUT,
        "flatten-forgets-channels": BIASED + (H_POOL * H_POOL + 1) * F_OUT,
        "forgot-bias": WEIGHTS * C_OUT + multiply(C_OUT, H_POOL, H_POOL) * F_OUT,
        "pool-has-params": BIASED
        + multiply(K_POOL, K_POOL, C_OUT)
        + (multiply(C_OUT, H_POOL, H_POOL) + 1) * F_OUT,
    },
    "group_saving": {
        "groups-divide-bias": floor(BIASED, G),
        "groups-divide-twice": BIASED - (GROUP_WEIGHTS + 1) * (C_OUT / G),
        "rest-for-saving": (GROUP_WEIGHTS + 1) * C_OUT,
        "one-group": GROUP_WEIGHTS * (C_OUT / G),
    },
    "conv_macs": {
        "forgot-batch": multiply(C_OUT, H_OUT, H_OUT, K, K, C_IN),
        "forgot-input-channels": multiply(OUTPUTS, K, K),
        "kernel-one-axis": multiply(OUTPUTS, K, C_IN),
        "flops-for-macs": multiply(TWO, OUTPUTS, K, K, C_IN),
        "input-size": multiply(N, C_OUT, H, H, K, K, C_IN),
        "params-for-macs": (WEIGHTS + 1) * C_OUT,
        "bias-in-macs": OUTPUTS * (WEIGHTS + 1),
    },
    "dense_macs": {
        "forgot-batch": F_IN * F_OUT,
        "flops-for-macs": TWO * N * F_IN * F_OUT,
        "bias-in-macs": multiply(N, F_IN + 1, F_OUT),
        "params-for-macs": (F_IN + 1) * F_OUT,
        "sum-for-product": N * (F_IN + F_OUT),
    },
    "activations": {
        "forgot-batch": multiply(C_OUT, H_OUT, H_OUT),
        "input-channels-kept": multiply(N, C_IN, H_OUT, H_OUT),
        "one-channel": multiply(N, H_OUT, H_OUT),
        "input-size": multiply(N, C_OUT, H, H),
        "one-axis": multiply(N, C_OUT, H_OUT),
        "macs-for-values": multiply(OUTPUTS, K, K, C_IN),
    },
    "training_bytes": {
        "four-bytes-forgotten": THREE * HELD + TWO * N * F_OUT + N * F_IN,
        "gradients-of-params-forgotten": FOUR * (HELD + TWO * N * F_OUT + N * F_IN),
        "momentum-forgotten": FOUR * (TWO * HELD + TWO * N * F_OUT + N * F_IN),
        "gradients-of-activations-forgotten": FOUR * (THREE * HELD + N * F_OUT + N * F_IN),
        "forgot-batch": FOUR * (THREE * HELD + TWO * F_OUT + F_IN),
        "batch-in-params": FOUR * N * (THREE * HELD + TWO * F_OUT + F_IN),
    },
    "padding": {
        "padding-total": Folded((H_OUT - 1) * S) + K - H,
        "same-at-any-stride": floor(K - 1, TWO),
        "full-padding": K - 1,
        "kernel-less-one": floor(Folded((H_OUT - 1) * S) + Folded(K - 1) - H, TWO),
        "windows-for-steps": floor(Folded(H_OUT * S) + K - H, TWO),
    },
}


@cache
def list_field_mistakes(windows: int) -> Wrong:
    """Return the wrong receptive fields of so many windows one after another.

    Args:
        windows: from the input on, with kernels ``k1``, ``k2``, ... and strides ``s1``, ...
    """
    kernels = [Name(f"k{i}") for i in range(1, windows + 1)]
    strides = [Name(f"s{i}") for i in range(1, windows + 1)]
    summed: Expression = kernels[0]
    without_jump: Expression = kernels[0]
    early: Expression = ONE + (kernels[0] - 1) * strides[0]
    for i, kernel in enumerate(kernels[1:], start=2):
        summed = summed + kernel
        without_jump = without_jump + (kernel - 1)
        early = early + multiply(kernel - 1, *strides[:i])
    return {
        "kernels-summed": summed,
        "jump-ignored": without_jump,
        "jump-too-early": early,
        "kernels-multiplied": multiply(*kernels),
        "last-kernel": kernels[-1],
    }
