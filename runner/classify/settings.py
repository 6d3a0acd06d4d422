"""What decides, besides a picture, what is found in it."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Everything besides the picture that decides what is found in it."""

    model: str  # SHA-256 of the ONNX file
    top: int
    draft: bool

    def digest(self) -> str:
        """Return a short digest of all of them."""
        values = f"{self.model} {self.top} {self.draft}"
        return hashlib.sha256(values.encode()).hexdigest()[:16]
