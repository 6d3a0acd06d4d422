"""What the four networks have in common: features, a classifier on top, a loss."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F


class Classifier(nn.Module, ABC):
    """A network that maps pictures to one number per class.

    Attributes:
        config: its shape; ``config.classes`` is K.
        features: from pictures to one vector each, what fine-tuning may freeze.
        classifier: from that vector to K logits.
    """

    config: Any
    features: nn.Sequential
    classifier: nn.Sequential

    def forward(self, x: Tensor) -> Tensor:
        """Map float32 ``[N, C, H, W]``, already scaled, to logits ``[N, K]``."""
        return self.classifier(self.features(x))  # type: ignore[no-any-return]

    def measure_loss(self, logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
        """Return the mean cross-entropy.

        Args:
            logits: float ``[N, K]``.
            labels: int64 ``[N]``.
            smoothing: share of each label that is spread over all classes.
        """
        return F.cross_entropy(logits, labels, label_smoothing=smoothing)

    def draw_direction(self, pictures: Tensor) -> Tensor:
        """Return a scalar whose squared gradient has the Gauss-Newton diagonal as its mean.

        The Hessian of cross-entropy is the covariance of the predicted classes: the
        loss of classes drawn from the prediction has it (Martens 2020, section 5).

        Args:
            pictures: float32 ``[1, C, H, W]``.
        """
        logits = self(pictures)
        return self.measure_loss(logits, logits.detach().softmax(1).multinomial(1)[:, 0])

    @abstractmethod
    def initialize(self) -> None:
        """Draw fresh weights as the paper does."""
