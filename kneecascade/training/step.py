"""One step of training: forward, loss, backward, update."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from kneecascade.errors import TrainingError
from kneecascade.network.device import Device
from kneecascade.training.batchnorm import mend
from kneecascade.training.loss import segmentation_loss

LARGEST_GRADIENT = 12.0
SKIPS_IN_A_ROW = 5


def make_optimizer(network: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """Returns AdamW; biases and norms do not decay."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    fused = parameters[0].device.type in ("cpu", "cuda")
    return torch.optim.AdamW(groups, lr=learning_rate, fused=fused)


def align_state(optimizer: torch.optim.Optimizer) -> None:
    """Gives the optimizer's moments the memory layout of their weights.

    A checkpoint stores plain row-major tensors; the fused AdamW walks weights and moments in the
    order of their memory, and would pair the wrong ones.
    """
    for parameter, slots in optimizer.state.items():
        for name, value in slots.items():
            if torch.is_tensor(value) and value.shape == parameter.shape:
                slots[name] = torch.empty_like(parameter).copy_(value)


def precision(device: Device) -> AbstractContextManager:
    """Returns torch.autocast in the device's precision, or nothing for float32."""
    if device.autocast is None:
        return nullcontext()
    return torch.autocast(device.device.type, dtype=device.autocast)


class Stepper:
    """Updates a network step by step.

    A step whose loss or gradient is not finite changes no weight and is counted; five in a row
    end the training. With float16 a gradient that overflows only lowers the loss scale.

    Args:
        network: in train mode, on the device.
        optimizer: of its parameters.
        device: where, and in which precision.
        loss_scale: to start from with float16; 0 for the default.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        device: Device,
        loss_scale: float = 0.0,
    ) -> None:
        self.network, self.optimizer, self.device = network, optimizer, device
        self.scaler = torch.amp.GradScaler(
            device.device.type,
            init_scale=loss_scale or 2.0**12,
            enabled=device.autocast is torch.float16,
        )
        self.skips_in_a_row = 0

    def __call__(self, image: torch.Tensor, labels: torch.Tensor, learning_rate: float) -> float | None:
        """Makes one step.

        Args:
            image: float32 (N, C, Z, Y, X).
            labels: uint8 (N, Z, Y, X).
            learning_rate: of this step.

        Returns:
            The loss, or None where the step was skipped.

        Raises:
            TrainingError: five steps in a row were skipped.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.zero_grad(set_to_none=True)
        with precision(self.device):
            outputs = self.network(image.contiguous(memory_format=torch.channels_last_3d))
        loss = segmentation_loss(outputs, labels)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        value = float(loss.detach())
        if not math.isfinite(value) or not (self.scaler.is_enabled() or math.isfinite(float(norm))):
            self._skip()
            return None
        self.skips_in_a_row = 0
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return value

    @property
    def loss_scale(self) -> float:
        """The factor on the loss with float16, else 0."""
        return float(self.scaler.get_scale()) if self.scaler.is_enabled() else 0.0

    def _skip(self) -> None:
        self.skips_in_a_row += 1
        self.optimizer.zero_grad(set_to_none=True)
        if self.scaler.is_enabled():
            self.scaler.update(new_scale=self.scaler.get_scale() / 2)
        mend(self.network)
        if self.skips_in_a_row >= SKIPS_IN_A_ROW:
            raise TrainingError(
                f"the loss was not finite in {SKIPS_IN_A_ROW} steps in a row; "
                "go on with --continue and a lower --learning-rate"
            )
