"""The stream of batches: read ahead by a thread from memory, by processes from the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from batchgenerators.dataloading.multi_threaded_augmenter import MultiThreadedAugmenter

from kneecascade.errors import TrainingError
from kneecascade.training.patches import PatchLoader, PatchSource


class Feed:
    """Gives the batches of step `first`, `first` + 1, ... on the training device.

    Use as a context manager; leaving it ends its thread or processes.

    Args:
        source: cuts the patches.
        batch_size: patches a step.
        seed: of the training and the stage.
        first: first step.
        workers: processes that read; 0 where the data are in memory.
        device: where the batches go.
    """

    def __init__(
        self,
        source: PatchSource,
        batch_size: int,
        seed: tuple[int, ...],
        first: int,
        workers: int,
        device: torch.device,
    ) -> None:
        self.device, self.waited_s = device, 0.0
        loader = PatchLoader(source, batch_size, seed, first, max(1, workers))
        self._processes = MultiThreadedAugmenter(loader, None, workers, 2) if workers else None
        self._stream: Iterator[dict[str, Any]] = iter(self._processes or loader)
        self._thread = ThreadPoolExecutor(1)
        self._ahead = self._thread.submit(self._read)

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._processes is not None:
            self._processes._finish()

    def next(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns image (N, C, *source shape) float16 and labels uint8.

        Raises:
            TrainingError: a worker failed; the message is the worker's.
        """
        start = time.monotonic()
        image, label = self._ahead.result()
        self._ahead = self._thread.submit(self._read)
        self.waited_s += time.monotonic() - start
        return image.to(self.device, non_blocking=True), label.to(self.device, non_blocking=True)

    def _read(self) -> tuple[torch.Tensor, torch.Tensor]:
        try:
            batch = next(self._stream)
        except RuntimeError as error:  # batchgenerators' word for a worker that died
            raise TrainingError("a process that reads patches died; is there enough memory?") from error
        if "error" in batch:
            raise TrainingError(f"a patch could not be read, {batch['error']}")
        image, label = torch.from_numpy(batch["image"]), torch.from_numpy(batch["label"])
        if self.device.type == "cuda":
            image, label = image.pin_memory(), label.pin_memory()
        return image, label
