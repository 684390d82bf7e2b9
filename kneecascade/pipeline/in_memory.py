"""A trained model kept in memory, for use from Python: load_model(folder).predict(image)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kneecascade.allocator import tune_allocator
from kneecascade.core.case import LabelVolume, Side, Volume
from kneecascade.core.geometry import Float3, Geometry
from kneecascade.core.settings import BackendName, DeviceName, PredictSettings
from kneecascade.errors import CheckpointError, ImageError, SettingsError
from kneecascade.imaging.files import read_volume
from kneecascade.inference.cascade import Cascade, load_cascade, load_folds
from kneecascade.inference.folds import is_trained
from kneecascade.inference.result import CascadeResult
from kneecascade.pipeline.postprocessing import with_rules
from kneecascade.pipeline.predict import limits_of

Image = str | Path | Sequence[str | Path] | np.ndarray | Volume


@dataclass(frozen=True, eq=False)
class Model:
    """A trained cascade, ready to predict.

    Attributes:
        cascade: its networks and plan.
    """

    cascade: Cascade

    @property
    def labels(self) -> dict[str, int]:
        """The value that stands for each label in predicted arrays, background included."""
        labels = self.cascade.plan.labels
        return dict(zip(labels.names, labels.values, strict=True))

    def predict(self, image: Image, spacing_mm: Float3 | None = None, side: Side = "unknown") -> LabelVolume:
        """Segments an image.

        Args:
            image: a file, or one a channel; an array (Z, Y, X) or (C, Z, Y, X); or a `Volume`.
            spacing_mm: (z, y, x) of an array, which then runs from foot to head along z, from front to
                back along y, and from the patient's right to left along x. Not used for files.
            side: of the knee, where labels tell medial from lateral.

        Returns:
            `array`, integers (Z, Y, X), on the grid `geometry` of the image. `look` also tells of doubts.

        Raises:
            ImageError: the file cannot be read, the image does not fit the model, or shows two knees.
            SettingsError: an array came without its spacing.
        """
        return self.look(image, spacing_mm, side).labels

    def look(self, image: Image, spacing_mm: Float3 | None = None, side: Side = "unknown") -> CascadeResult:
        """Segments an image as `predict` does; returns flags, volumes, region and seconds as well."""
        volume, name = _volume(image, spacing_mm)
        return self.cascade.predict(volume, name, side=side, refuse_two=True)


def load_model(
    folder: str | Path,
    folds: Sequence[int] | None = None,
    device: DeviceName = "auto",
    memory_limit_gb: float = PredictSettings.memory_limit_gb,
    tta: bool = False,
    postprocess: bool = True,
    backend: BackendName = "torch",
) -> Model:
    """Loads a trained model; keep it, since loading takes longer than a small image.

    Args:
        folder: results/Dataset001_Name, or one fold_N in it.
        folds: numbers of the folds to average; None for every trained one.
        device: auto, cpu, cuda or mps.
        memory_limit_gb: work in tiles where one forward would take more.
        tta: average over mirrorings.
        postprocess: drop the small pieces that postprocessing.json beside the folds names.
        backend: torch, or openvino where it is installed.

    Raises:
        CheckpointError: there is no such folder, or no trained fold in it.
        InputError: postprocessing.json is broken.
        MissingExtraError: the backend is not installed.
        SettingsError: this machine has no such device.
    """
    path = Path(folder)
    if not path.is_dir():
        raise CheckpointError(f"{path}: no such model folder")
    tune_allocator()
    limits = limits_of(PredictSettings(memory_limit_gb=memory_limit_gb))
    if is_trained(path) and folds is None:
        path = path.resolve()
        cascade, path = load_folds([path], device, limits, tta, backend), path.parent
    else:
        cascade = load_cascade(path, folds, device, limits, tta, backend)
    return Model(with_rules(cascade, path) if postprocess else cascade)


def _volume(image: Image, spacing_mm: Float3 | None) -> tuple[Volume, str]:
    if isinstance(image, Volume):
        return image, "volume"
    if isinstance(image, np.ndarray):
        return _from_array(image, spacing_mm), "array"
    files = [Path(image)] if isinstance(image, str | Path) else [Path(file) for file in image]
    return read_volume(files), files[0].name


def _from_array(array: np.ndarray, spacing_mm: Float3 | None) -> Volume:
    if spacing_mm is None or len(spacing_mm) != 3 or not all(mm > 0 for mm in spacing_mm):
        raise SettingsError("an array needs spacing_mm, three numbers above 0 in the order (z, y, x)")
    if array.ndim not in (3, 4):
        raise ImageError(f"array of shape {array.shape}: expected (Z, Y, X) or (C, Z, Y, X)")
    channels = np.ascontiguousarray(array if array.ndim == 4 else array[None], dtype=np.float32)
    if not np.isfinite(channels).all():
        raise ImageError(f"array of shape {array.shape}: holds values that are not finite")
    z, y, x = (float(mm) for mm in spacing_mm)
    _, nz, ny, nx = channels.shape
    return Volume(channels, Geometry((nz, ny, nx), (z, y, x)))
