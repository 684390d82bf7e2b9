"""Which weights of a training are kept: the last, their moving average, or the best epoch's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

DECAY = 0.999
AVERAGE, BEST = "average.", "best."


class KeptWeights:
    """The weights to save, beside those that are trained.

    Args:
        network: that is trained, on its device.
        average: whether a moving average of its weights takes their place.
        best: whether the best epoch's are kept instead of the last.
    """

    def __init__(self, network: nn.Module, average: bool, best: bool) -> None:
        self.network, self.keeps_best = network, best
        self.best: dict[str, torch.Tensor] = {}
        self.average = [p.detach().clone() for p in network.parameters()] if average else None
        self.updates = 0

    def update(self) -> None:
        """Lets the average follow the weights, after a step.

        The decay rises from 0.1 as (1 + n) / (10 + n) with the steps n, to 0.999 at most: a short training
        is averaged over its last tenth, not over its start.
        """
        if self.average is None:
            return
        decay = min(DECAY, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        with torch.no_grad():
            torch._foreach_lerp_(self.average, [p.detach() for p in self.network.parameters()], 1 - decay)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Lets the network hold the average, where there is one, inside the context."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def keep(self) -> None:
        """Notes that the epoch that just ended is the best so far."""
        if self.keeps_best:
            with self.shown():
                state = self.network.state_dict()
                self.best = {name: t.detach().to("cpu", copy=True) for name, t in state.items()}

    def choose(self, best_epoch: int) -> str:
        """Puts the weights to save into the network; returns in words which these are."""
        if self.best:
            self.network.load_state_dict(self.best)
            return f"best epoch, {best_epoch}"
        self._swap()
        return "last step" if self.average is None else "moving average"

    def tensors(self) -> dict[str, torch.Tensor]:
        """Returns what a checkpoint needs."""
        names = [name for name, _ in self.network.named_parameters()]
        found = {f"{BEST}{name}": tensor for name, tensor in self.best.items()}
        return found | {AVERAGE + n: t for n, t in zip(names, self.average or [], strict=False)}

    def load(self, tensors: Mapping[str, torch.Tensor], updates: int) -> None:
        """Takes over what `tensors` gave; without an average in it the average starts from the weights."""
        if self.keeps_best:
            self.best = {n.removeprefix(BEST): t for n, t in tensors.items() if n.startswith(BEST)}
        for (name, weights), average in zip(
            self.network.named_parameters(), self.average or [], strict=False
        ):
            average.copy_(tensors.get(AVERAGE + name, weights.detach()))
            self.updates = updates if AVERAGE + name in tensors else 0

    def _swap(self) -> None:
        for weights, average in zip(self.network.parameters(), self.average or [], strict=False):
            held = weights.data.clone()
            weights.data.copy_(average)
            average.copy_(held)
