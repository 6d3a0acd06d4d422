"""Training of style networks: photos and paintings in, checkpoints out.

Johnson et al. 2016 (sections 3 and 4.1) with the conditional normalisation of Dumoulin
et al. 2017. Deviations: several styles share each batch, the learning rate
follows one cycle (Smith 2018), and each layer's cost is relative to its target.
"""

import hashlib
import json
import math
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.errors import CheckpointError, DataError, DivergedError
from models.style.architecture import CONFIGS
from models.style.checkpoint import (
    Checkpoint,
    collect_adam,
    read_checkpoint,
    restore_adam,
    write_checkpoint,
)
from models.style.objective import (
    CONTENT_LAYER,
    STYLE_LAYERS,
    StyleObjective,
)
from models.style.perceptual import load_vgg
from models.style.photos import PhotoBatches, read_painting
from models.style.settings import RunFiles, Settings, Step
from models.style.steadiness import draw_disturbance, steadiness_cost
from models.style.style_net import StyleNet

RUNNING = "checkpoint.safetensors"  # with the optimiser's state, for --resume
FINISHED = "style.safetensors"  # weights only, for export


class StyleTraining:
    """One run of training, new or resumed.

    Args:
        settings: see :class:`Settings`.
        files: what the run reads, and where it writes.
        report: called with a sentence per skipped photo.
        resume: continue the run in ``folder`` where its last checkpoint stands.
        device: where to train; CUDA where there is one when None.

    Raises:
        ModelsError: a file is missing or wrong, or ``folder`` holds another run.
    """

    def __init__(
        self,
        settings: Settings,
        files: RunFiles,
        *,
        report: Callable[[str], None],
        resume: bool = False,
        device: torch.device | None = None,
    ) -> None:
        self.settings = settings
        self.folder = files.folder
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.photos = files.photos
        self.paintings = paintings = files.paintings
        self.base = base = files.base
        torch.manual_seed(settings.seed)
        self.net = (extend(base, len(paintings)) if base else self._make_net()).to(self.device)
        trained = [p for p in self.net.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(trained, lr=settings.learning_rate)
        self.styles = (list(base.styles) if base else []) + [p.about for p in paintings]
        self._check_names()
        self.step = 0
        self._enter_folder(resume=resume)
        self.batches = PhotoBatches(
            files.photos,
            batch=settings.batch,
            crop=settings.crop,
            seed=settings.seed,
            report=report,
        )
        vgg = load_vgg(files.vgg, (CONTENT_LAYER, *STYLE_LAYERS), padding_mode="reflect")
        self.objective = StyleObjective(
            vgg.to(self.device),
            [self._read_sizes(painting.path) for painting in paintings],
            weights=settings.weights,
            normalization=settings.normalization,
            bf16=settings.precision == "bf16",
        )

    def run(self) -> Iterator[Step]:
        """Train to the end, yielding after every step; the caller decides when to save.

        Raises:
            DivergedError: a cost or a gradient is infinite or not a number.
        """
        for photos_u8 in self.batches.iterate(self.step, self.settings.steps):
            yield self._take_step(photos_u8.to(self.device))

    def save(self) -> Path:
        """Write the running checkpoint, or the finished one after the last step."""
        done = self.step >= self.settings.steps
        names = {id(parameter): name for name, parameter in self.net.named_parameters()}
        checkpoint = Checkpoint(
            config=self.net.config,
            styles=self.styles,
            training=self._describe(),
            step=self.step,
            net=dict(self.net.state_dict()),
            adam={} if done else collect_adam(self.optimizer, names),
        )
        path = self.folder / (FINISHED if done else RUNNING)
        write_checkpoint(path, checkpoint)
        if done:
            (self.folder / RUNNING).unlink(missing_ok=True)
        return path

    @torch.no_grad()
    def paint(self, photo: Tensor) -> list[Tensor]:
        """Paint float32 ``[1, 3, H, W]`` in each of the run's own styles, on the CPU."""
        first = len(self.styles) - len(self.paintings)
        eye = torch.eye(len(self.styles), device=self.device)
        photo = photo.to(self.device)
        return [self.net(photo, eye[s : s + 1]).cpu() for s in range(first, len(self.styles))]

    def _read_sizes(self, path: Path) -> list[Tensor]:
        return [read_painting(path, size).to(self.device) for size in self.settings.style_sizes]

    def _make_net(self) -> StyleNet:
        return StyleNet(CONFIGS[self.settings.network], styles=len(self.paintings))

    def _take_step(self, photos_u8: Tensor) -> Step:
        photos = photos_u8.float() / 255.0
        rate = one_cycle(self.step / self.settings.steps) * self.settings.learning_rate
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # Styles take turns through the samples, so that each gets the same share.
        first = self.step * self.settings.batch
        turns = torch.arange(first, first + len(photos), device=self.device) % len(self.paintings)
        known = len(self.styles) - len(self.paintings)
        style_weights = torch.eye(len(self.styles), device=self.device)[turns + known]
        painted = self.net(photos, style_weights)
        costs = self.objective.measure(painted, photos, turns)
        steadiness = self._measure_steadiness(photos, painted, style_weights)
        total = costs.total + self.settings.weights.steadiness * steadiness
        self.optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad for p in self.net.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        extra = {"total": total, "steadiness": steadiness}
        measured = costs.as_floats() | {name: float(cost.detach()) for name, cost in extra.items()}
        if not math.isfinite(measured["total"]) or not math.isfinite(float(norm)):
            raise DivergedError(self._explain_divergence(measured["total"]))
        self.optimizer.step()
        self.step += 1
        return Step(self.step, measured, rate)

    def _measure_steadiness(self, photos: Tensor, painted: Tensor, style_weights: Tensor) -> Tensor:
        if not self.settings.weights.steadiness:
            return painted.new_zeros(())
        disturbance = draw_disturbance(photos, self.settings.seed, self.step)
        again = self.net(disturbance.apply(photos), style_weights)
        return steadiness_cost(painted, again, disturbance)

    def _explain_divergence(self, total: float) -> str:
        path = self.folder / RUNNING
        kept = f"the last good checkpoint is {path}" if path.exists() else "no checkpoint yet"
        return (
            f"step {self.step + 1}: the loss is {total} or its gradient is not finite; {kept}; "
            "start again with a lower --learning-rate or other cost weights"
        )

    def _describe(self) -> dict[str, Any]:
        names = "\n".join(path.name for path in self.photos)
        described = {
            "settings": asdict(self.settings),
            "photos": len(self.photos),
            "photos_sha256": hashlib.sha256(names.encode()).hexdigest(),
            "versions": {"torch": torch.__version__, "python": platform.python_version()},
        }
        return described | ({"base": self.base.training} if self.base else {})

    def _check_names(self) -> None:
        names = [str(style["name"]) for style in self.styles]
        for name in names:
            if names.count(name) > 1:
                message = f"style {name!r} would stand twice in the checkpoint; rename the painting"
                raise DataError(message)

    def _enter_folder(self, *, resume: bool) -> None:
        finished, running = self.folder / FINISHED, self.folder / RUNNING
        if finished.exists():
            message = f"{finished}: this run has ended; choose another folder with -o"
            raise CheckpointError(message)
        if not running.exists():
            return
        if not resume:
            message = f"{running}: holds an unfinished run; pass --resume or another -o"
            raise CheckpointError(message)
        self._restore(running)

    def _restore(self, path: Path) -> None:
        checkpoint = read_checkpoint(path)
        # as JSON, which the checkpoint's header is: there tuples are lists
        mine, theirs = json.loads(json.dumps(self._describe())), checkpoint.training
        differences = [
            f"{key} {theirs.get('settings', {}).get(key)}, not {value}"
            for key, value in mine["settings"].items()
            if theirs.get("settings", {}).get(key) != value
        ]
        if theirs.get("photos_sha256") != mine["photos_sha256"]:
            differences.append(f"other photos ({theirs.get('photos')}, not {mine['photos']})")
        if checkpoint.styles != self.styles:
            differences.append("other paintings")
        if theirs.get("base") != mine.get("base") or checkpoint.config != self.net.config:
            differences.append("another checkpoint to add to")
        if differences:
            message = (
                f"{path}: the run was started with {'; '.join(differences)}; repeat the options it "
                "was started with"
            )
            raise CheckpointError(message)
        self.net.load_state_dict(checkpoint.net)
        names = {id(parameter): name for name, parameter in self.net.named_parameters()}
        restore_adam(self.optimizer, checkpoint.adam, names)
        self.step = checkpoint.step


def one_cycle(progress: float, warmup: float = 0.1) -> float:
    """Return the share of the peak rate at ``progress`` in [0, 1]: a linear rise, a cosine fall."""
    if progress < warmup:
        return 0.04 + 0.96 * progress / warmup
    return 0.5 * (1.0 + math.cos(math.pi * (progress - warmup) / (1.0 - warmup)))


def extend(base: Checkpoint, new: int) -> StyleNet:
    """Return ``base``'s network with ``new`` more styles and only the style tables trainable.

    A new style starts as the mean of the known ones. While only new styles are
    shown, the gradients of the known rows are exactly zero and Adam leaves them untouched.
    """
    known = base.build()
    net = StyleNet(base.config, styles=known.styles + new)
    net.requires_grad_(requires_grad=False)
    state = dict(known.state_dict())
    for name, tensor in net.state_dict().items():
        old = state[name]
        if old.shape != tensor.shape:
            state[name] = torch.cat([old, old.mean(0, keepdim=True).expand(new, -1)])
    net.load_state_dict(state)
    for table in net.to_tables():
        table.requires_grad = True
    return net
