"""The problems of the first three levels: single layers and pairs of layers."""

from calculator.teaching.quiz.mistakes import MISTAKES, list_field_mistakes
from calculator.teaching.quiz.templates import (
    Template,
    read_activations,
    read_added_rows,
    read_channels,
    read_field,
    read_macs,
    read_params,
    read_size,
    read_total_params,
    read_training,
)

CONV = "{C_in}x{H}x{H} | conv {C_out}@{k}x{k} s{s} p{p}"
POOL = "{C}x{H}x{H} | maxpool {k}x{k} s{s} p{p}"
DENSE = "{F_in} | fc {F_out}"
STACK = "3x64x64 | conv 8@{k1}x{k1} s{s1} | maxpool {k2}x{k2} s{s2} | conv 16@{k3}x{k3} s{s3}"
WHOLE = (
    "{C_in}x{H}x{H} | conv {C_out}@{k}x{k} s{s} p{p} | relu | maxpool {k_pool}x{k_pool} | flatten "
    "| fc {F_out}"
)
UNPADDED: dict[str, tuple[int, ...]] = {"s": (1,), "p": (0,)}

FIRST = (
    Template(
        "conv_size",
        CONV,
        {"C_in": (1, 3), "H": range(12, 33, 2), "C_out": (4, 6, 8, 16), "k": (3, 5, 7), "s": (1,)}
        | {"p": (0, 1, 2)},
        read_size,
        MISTAKES["conv_size"],
        square=True,
    ),
    Template(
        "channels",
        CONV,
        {"C_in": (3, 4, 6), "H": (16, 28, 32), "C_out": (8, 10, 12, 16, 20), "k": (3, 5)}
        | UNPADDED,
        read_channels,
        MISTAKES["channels"],
    ),
    Template(
        "conv_params",
        CONV,
        {"C_in": (2, 3, 4), "H": (12, 16, 20, 32), "C_out": (4, 5, 6, 8, 10, 16), "k": (3, 5)}
        | UNPADDED,
        read_params,
        MISTAKES["conv_params"],
    ),
    Template(
        "filter_weights",
        "{C_in}x{H}x{H} | conv 1@{k}x{k} nobias",
        {"C_in": (2, 3, 4, 6, 8), "H": (16, 28, 32), "C_out": (5, 10, 12, 16, 20), "k": (3, 5)}
        | UNPADDED,
        read_params,
        MISTAKES["filter_weights"],
    ),
    Template(
        "dense_params",
        DENSE,
        {"F_in": (20, 30, 50, 64, 84, 100, 120, 400), "F_out": (5, 10, 12, 20, 32, 84)},
        read_params,
        MISTAKES["dense_params"],
    ),
)
SECOND = (
    Template(
        "conv_size",
        CONV,
        {"C_in": (1, 3), "H": range(15, 42), "C_out": (8, 16, 32), "k": (3, 5, 7), "s": (2, 3)}
        | {"p": (1, 2)},
        read_size,
        MISTAKES["strided_size"],
        square=True,
    ),
    Template(
        "pool_size",
        POOL,
        {"C": (6, 16, 32), "H": range(11, 40), "k": (2, 3), "s": (2,), "p": (0, 1)},
        read_size,
        MISTAKES["pool_size"],
        square=True,
    ),
    Template(
        "ceil_size",
        POOL + " ceil",
        {"C": (6, 16, 32), "H": range(12, 40, 2), "k": (3,), "s": (2,), "p": (0,)},
        read_size,
        MISTAKES["ceil_size"],
        square=True,
    ),
    Template(
        "pooled_params",
        CONV + " | maxpool {k_pool}x{k_pool}",
        {"C_in": (2, 3, 4), "H": (12, 16, 20), "C_out": (4, 6, 8, 10), "k": (3, 5), "s": (1,)}
        | {"p": (0, 1), "k_pool": (2, 3)},
        read_params,
        MISTAKES["pooled_params"],
    ),
    Template(
        "batch_params",
        CONV,
        {"C_in": (2, 3, 4), "H": (12, 16, 20), "C_out": (4, 6, 8, 10), "k": (3, 5), "s": (1,)}
        | {"p": (0, 1), "N": (4, 8, 16)},
        read_params,
        {
            key: MISTAKES["conv_params"][key]
            for key in ("batch-in-params", "forgot-bias", "one-bias")
        }
        | {key: MISTAKES["conv_params"][key] for key in ("picture-in-params", "bias-per-position")},
    ),
    Template(
        "conv_macs",
        CONV,
        {"C_in": (2, 3, 4), "H": (6, 8, 10, 12), "C_out": (4, 5, 8), "k": (3, 5), "s": (1, 2)}
        | {"p": (0, 1), "N": (1, 2, 4, 10)},
        read_macs,
        MISTAKES["conv_macs"],
    ),
    Template(
        "dense_macs",
        DENSE,
        {"F_in": (20, 30, 50, 64, 84, 100), "F_out": (5, 10, 12, 20), "N": (2, 4, 8, 10)},
        read_macs,
        MISTAKES["dense_macs"],
    ),
    Template(
        "activations",
        CONV,
        {"C_in": (1, 3), "H": (8, 10, 12, 16), "C_out": (4, 6, 8), "k": (3, 5), "s": (1, 2)}
        | {"p": (0, 1), "N": (2, 4, 10)},
        read_activations,
        MISTAKES["activations"],
    ),
)
THIRD = (
    Template(
        "dilated_size",
        CONV + " d{d}",
        {"C_in": (3, 8), "H": range(20, 41), "C_out": (8, 16), "k": (3, 5), "s": (1, 2)}
        | {"p": (0, 1, 2), "d": (2, 3)},
        read_size,
        MISTAKES["dilated_size"],
        square=True,
    ),
    Template(
        "grouped_params",
        CONV + " g{g}",
        {"C_in": (8, 12, 16), "H": (14, 28), "C_out": (8, 16, 20), "k": (3, 5), "s": (1,)}
        | {"p": (1,), "g": (2, 4)},
        read_params,
        MISTAKES["grouped_params"],
    ),
    Template(
        "depthwise_params",
        "{C_in}x{H}x{H} | dwconv {k}x{k}",
        {"C_in": (6, 8, 10, 16, 32), "H": (14, 28, 56), "k": (3, 5)},
        read_params,
        MISTAKES["grouped_params"],
        same={"C_out": "C_in", "g": "C_in"},
    ),
    Template(
        "pointwise_params",
        "{C_in}x{H}x{H} | conv {C_out}@1x1",
        {"C_in": (8, 10, 16, 20), "H": (7, 14, 28), "C_out": (4, 6, 12, 32)},
        read_params,
        MISTAKES["pointwise_params"],
    ),
    Template(
        "transposed_size",
        "{C_in}x{H}x{H} | tconv {C_out}@{k}x{k} s{s} p{p}",
        {"C_in": (16, 32), "H": range(5, 17), "C_out": (8, 16), "k": (3, 4, 5), "s": (2, 3)}
        | {"p": (0, 1)},
        read_size,
        MISTAKES["transposed_size"],
        square=True,
    ),
    Template(
        "same_size",
        "{C_in}x{H}x{H} | conv 8@{k}x{k} s{s} same",
        {"C_in": (3, 16), "H": range(11, 40), "k": (3, 5, 7), "s": (2, 3, 4)},
        read_size,
        MISTAKES["same_size"],
        square=True,
    ),
    Template(
        "same_padding",
        "3x{H}x{H} | conv 8@{k}x{k} s{s} same",
        {"H": range(12, 40), "k": (5, 7, 9), "s": (2, 3)},
        read_added_rows,
        MISTAKES["same_padding"],
    ),
    Template(
        "field",
        STACK,
        {"k1": (3, 5, 7), "s1": (1, 2), "k2": (2, 3), "s2": (2,), "k3": (3, 5), "s3": (1, 2)},
        read_field,
        list_field_mistakes(3),
    ),
    Template(
        "flat_params",
        "{C}x{H}x{H} | maxpool 2x2 | flatten | fc {F_out}",
        {"C": (4, 6, 8, 10), "H": (8, 10, 12), "F_out": (5, 10, 20)},
        read_params,
        MISTAKES["flat_params"],
    ),
    Template(
        "norm_params",
        "{C}x{H}x{H} | batchnorm",
        {"C": (8, 16, 32, 64), "H": (7, 14, 28), "N": (4, 8, 16)},
        read_params,
        MISTAKES["norm_params"],
    ),
)
FOURTH = (
    Template(
        "total_params",
        WHOLE,
        {"C_in": (1, 3), "H": (8, 10, 12), "C_out": (4, 6), "k": (3,), "s": (1,), "p": (0, 1)}
        | {"k_pool": (2,), "F_out": (5, 10)},
        read_total_params,
        MISTAKES["total_params"],
    ),
    Template(
        "training_bytes",
        DENSE,
        {"F_in": (10, 20, 50, 100), "F_out": (5, 10, 20), "N": (2, 4, 10)},
        read_training,
        MISTAKES["training_bytes"],
    ),
)
