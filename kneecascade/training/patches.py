"""Where training patches come from, drawn anew for every step from the step's own seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from acvl_utils.cropping_and_padding.bounding_boxes import crop_and_pad_nd
from batchgenerators.dataloading.data_loader import DataLoader

from kneecascade.core.geometry import Box, Float3, Int3
from kneecascade.errors import TrainingError
from kneecascade.preprocessing.store import unreadable
from kneecascade.training.cases import StageCase
from kneecascade.training.sampling import GUESSED, Sampling, draw_region

ENLARGED = 0.1  # share of the patch added on each side, for augmentation to turn into

OVERHANG = 0.1  # share of the patch that may lie beyond the volume


@dataclass(frozen=True, eq=False)
class PatchSource:
    """Cuts patches of one stage.

    Attributes:
        cases: what to draw from.
        patch_shape_zyx: shape after augmentation.
        spacing_mm: of the stage's grid.
        sampling: how centres are drawn.
        enlarged: whether patches get a rim for augmentation.
    """

    cases: Sequence[StageCase]
    patch_shape_zyx: Int3
    spacing_mm: Float3
    sampling: Sampling = GUESSED
    enlarged: bool = True

    def batch(self, size: int, seed: tuple[int, ...]) -> dict[str, Any]:
        """Draws a batch; the same seed gives the same batch.

        Returns:
            image: float16 (size, C, *source shape), zero beyond the volume.
            label: uint8 (size, *source shape), background beyond the volume.
            kind: how each centre was drawn, "target", "region" or "anywhere".

        Raises:
            TrainingError: a case cannot be read.
        """
        draw = np.random.default_rng(seed)
        images, labels, kinds = [], [], []
        for _ in range(size):
            case = self.cases[int(draw.integers(len(self.cases)))]
            kind, centre = self._centre(case, draw)
            try:
                image, label = cut(case, centre, self.source_shape_zyx)
            except Exception as error:
                raise TrainingError(unreadable(case.name, error)) from error
            images.append(image)
            labels.append(label)
            kinds.append(kind)
        return {"image": np.stack(images), "label": np.stack(labels), "kind": kinds}

    @property
    def source_shape_zyx(self) -> Int3:
        """Shape of what is cut: the patch with its rim, the same on both sides."""
        if not self.enlarged:
            return self.patch_shape_zyx
        z, y, x = (n + 2 * int(np.ceil(ENLARGED * n)) for n in self.patch_shape_zyx)
        return (z, y, x)

    def _centre(self, case: StageCase, draw: np.random.Generator) -> tuple[str, np.ndarray]:
        s, luck = self.sampling, draw.random()
        patch = np.asarray(self.patch_shape_zyx)
        whole = Box.whole(case.shape_zyx)
        if luck < s.on_target and case.positions:
            rows = case.positions[draw.choice(sorted(case.positions))]
            centre = rows[draw.integers(len(rows))] + draw.uniform(-s.jitter, s.jitter, 3) * patch
            return "target", _held(centre, whole, patch, draw)
        if luck < s.on_target + s.in_region and case.target_box:
            region = draw_region(case, case.target_box, s, self.spacing_mm, draw)
            return "region", _inside(region, patch, draw)
        return "anywhere", _inside(whole, patch, draw)


class PatchLoader(DataLoader):
    """Batches of step `first`, `first` + 1, ... for batchgenerators' augmenters.

    With n workers each makes every n-th step, so the steps come in order whatever their number.
    An error in a worker travels to the training as {"error": text}.

    Args:
        source: cuts the patches.
        batch_size: patches a step.
        seed: of the training and the stage; the step is appended.
        first: first step.
        workers: number of processes that share the work.
    """

    def __init__(
        self, source: PatchSource, batch_size: int, seed: tuple[int, ...], first: int, workers: int = 1
    ) -> None:
        super().__init__(source.cases, batch_size, num_threads_in_multithreaded=workers, infinite=True)
        self.source, self.seed, self.first, self.made = source, seed, first, 0

    def generate_train_batch(self) -> dict[str, Any]:
        """Returns the batch of this worker's next step."""
        step = self.first + self.thread_id + self.made * self.number_of_threads_in_multithreaded
        self.made += 1
        try:
            return self.source.batch(self.batch_size, (*self.seed, step))
        except Exception as error:  # must cross from a worker to the training process
            told = str(error) if isinstance(error, TrainingError) else f"{type(error).__name__}: {error}"
            return {"error": f"step {step}: {told}"}


def cut(case: StageCase, centre_zyx: np.ndarray, shape_zyx: Int3) -> tuple[np.ndarray, np.ndarray]:
    """Cuts a box of any position; what lies beyond the volume is zero.

    Args:
        case: read from.
        centre_zyx: middle of the box, in voxels.
        shape_zyx: of the box.

    Returns:
        image: float16 (C, *shape).
        label: uint8 shape.

    Raises:
        ValueError: image and labels of the case differ in shape.
    """
    if tuple(case.image.shape[1:]) != tuple(case.label.shape):  # would be filled up with zeros unnoticed
        raise ValueError(f"image {case.image.shape[1:]} and labels {case.label.shape} differ in shape")
    start = np.floor(np.asarray(centre_zyx) - (np.asarray(shape_zyx) - 1) / 2).astype(int).tolist()
    box = [[a, a + n] for a, n in zip(start, shape_zyx, strict=True)]
    return crop_and_pad_nd(case.image, box), crop_and_pad_nd(case.label, box)


def _inside(box: Box, patch: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Draws a centre such that the patch lies in the box; where it does not fit, about the middle."""
    start, size = np.asarray(box.start_zyx), np.asarray(box.shape_zyx)
    free = np.where(size > patch, (size - patch) / 2, OVERHANG * patch)
    return start + (size - 1) / 2 + draw.uniform(-1, 1, 3) * free


def _held(centre: np.ndarray, whole: Box, patch: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Moves a centre so that little of the patch lies beyond the volume; a small volume is shown whole."""
    size = np.asarray(whole.shape_zyx)
    low, high = (0.5 - OVERHANG) * patch, size - (0.5 - OVERHANG) * patch
    return np.where(low < high, np.clip(centre, low, high), _inside(whole, patch, draw))
