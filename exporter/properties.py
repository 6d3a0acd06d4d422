"""What every exported file's metadata have in common, whatever the file is for."""

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

SCHEMA = 1
PREFIX = "impasto."


def encode_entries(entries: Mapping[str, Any]) -> dict[str, str]:
    """Return entries as they stand in ``metadata_props``: prefixed, each value as JSON."""
    return {PREFIX + key: json.dumps(value, ensure_ascii=False) for key, value in entries.items()}


def find_version() -> str:
    """Return the installed version of Impasto; ``0`` in a checkout that was never installed."""
    try:
        return version("impasto")
    except PackageNotFoundError:
        return "0"
