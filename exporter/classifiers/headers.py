"""What a safetensors file says of itself, read before anything of it is believed."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open


def read_header(path: Path) -> dict[str, Any]:
    """Return the JSON header of a checkpoint; empty where there is none."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("impasto", "{}"))
    except (SafetensorError, OSError, ValueError):
        return {}
    return header if isinstance(header, dict) else {}
