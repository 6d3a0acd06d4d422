"""The shapes that a style network may have: described, refused, read back."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelsError
from models.style.architecture import (
    CONFIGS,
    Stage,
    StyleNetConfig,
    config_as_dict,
    config_from_dict,
)
from models.style.style_net import StyleNet

TINY = StyleNetConfig(stem=(Stage(4, kernel=8, stride=4),), blocks=1, ends=(4,))


def test_older_description_means_what_it_meant() -> None:
    """A description without the words for where to normalise is of a network that always does."""
    values = config_as_dict(CONFIGS["fast"])
    older = {k: v for k, v in values.items() if k not in {"block_norm", "norm_ends", "norm_rgb"}}
    config = config_from_dict(older)
    assert (config.block_norm, config.norm_ends, config.norm_rgb) == ("convolution", True, False)


@pytest.mark.parametrize("config", [*CONFIGS.values(), TINY])
def test_config_survives_json(config: StyleNetConfig) -> None:
    """A configuration is the same after a trip through JSON."""
    assert config_from_dict(json.loads(json.dumps(config_as_dict(config)))) == config


@settings(max_examples=25, deadline=None)
@given(
    strides=st.lists(st.sampled_from([1, 2, 4]), min_size=1, max_size=3),
    extra=st.integers(0, 4),
    upsample_last=st.booleans(),
    padding=st.sampled_from(["zeros", "reflect"]),
    side=st.integers(32, 50),
)
def test_every_accepted_config_keeps_the_size(
    strides: list[int], extra: int, *, upsample_last: bool, padding: str, side: int
) -> None:
    """A configuration either is refused or makes networks that return the input's size."""
    stem = [{"channels": 2, "kernel": s + extra, "stride": s} for s in strides]
    total = torch.tensor(strides).prod().item()
    upsamplings = {1: 0, 2: 1, 4: 2, 8: 3}.get(int(total), 4) - upsample_last
    values = {"stem": stem, "blocks": 1, "ends": [2] * max(0, upsamplings), "margin": 0}
    values |= {"upsample_last": upsample_last, "padding": padding}
    try:
        config = config_from_dict(values)
    except ModelsError:
        return
    with torch.no_grad():
        painted = StyleNet(config)(torch.rand(1, 3, side, side + 3), torch.ones(1, 1))
    assert painted.shape == (1, 3, side, side + 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ends": (16, 16)}, r"divides the resolution by 4, ends multiply by 8; give log2"),
        ({"stem": (), "ends": (), "upsample_last": False}, "must be at least one stage"),
        ({"end_kernel": 4}, r"\(4, 1\)\]: odd at stride 1, never below it"),
        ({"stem": (Stage(8, kernel=3, stride=4),)}, r"\[\(3, 4\), \(3, 1\)\]: odd at stride 1"),
        ({"margin": 6}, r"margin 6 must be in range\(0, 32, 4\)"),
        ({"margin": 32}, r"margin 32 must be in range\(0, 32, 4\)"),
        ({"padding": "mirror"}, "padding 'mirror' is unknown"),
        ({"block_norm": "none"}, "block_norm 'none' is unknown"),
    ],
)
def test_bad_config_is_refused(changes: dict[str, object], message: str) -> None:
    """A shape whose output would not have the input's size is refused with the reason."""
    with pytest.raises(ModelsError, match=message):
        StyleNetConfig(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [{}, {"stem": [], "width": 3}, {"stem": [{"kernel": 3}]}])
def test_foreign_network_description_is_refused(values: dict[str, object]) -> None:
    """A description of another version is named as such."""
    with pytest.raises(ModelsError, match="is not one of this version's"):
        config_from_dict(values)
