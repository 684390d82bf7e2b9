"""Measures every training case: shape, spacing, intensities, size of each label."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from kneecascade.core.case import Case, LabelVolume, Volume
from kneecascade.core.dataset import Dataset
from kneecascade.core.fingerprint import (
    CaseFingerprint,
    ChannelFingerprint,
    LabelFingerprint,
)
from kneecascade.core.geometry import Float3
from kneecascade.core.labels import Labels
from kneecascade.errors import DatasetError
from kneecascade.files import content_hash
from kneecascade.imaging.components import bounding_box, count_components
from kneecascade.imaging.files import read_labels, read_volume
from kneecascade.imaging.inscribed import inscribed_diameter_mm
from kneecascade.imaging.narrow import narrow
from kneecascade.imaging.normalize import mean_and_std
from kneecascade.imaging.orientation import canonical_axes, canonical_geometry, to_canonical
from kneecascade.imaging.percentiles import percentiles
from kneecascade.planning.processes import map_in_threads

# percentiles are taken of about this many voxels: more would not move them visibly
SAMPLED_VOXELS = 1_000_000


def case_fingerprint(
    case: Case, labels: Labels, files_hash: str = "", arrays: tuple[Volume, LabelVolume] | None = None
) -> CaseFingerprint:
    """Measures one case on the canonical grid.

    Args:
        case: images and a label file.
        labels: the labels to measure; an absent one gets zeros.
        files_hash: stored with the numbers.
        arrays: image and labels where they were read already.

    Raises:
        DatasetError: the case has no label file.
        ImageError: a file cannot be read.
    """
    if case.label is None:
        raise DatasetError(f"{case.name}: a training case needs a label file")
    volume, reference = arrays or (read_volume(case.images), read_labels(case.label))
    geometry = canonical_geometry(volume.geometry)
    array = to_canonical(narrow(reference.array), *canonical_axes(reference.geometry))
    pairs = zip(labels.names[1:], labels.values[1:], strict=True)
    return CaseFingerprint(
        name=case.name,
        files_hash=files_hash,
        shape_zyx=geometry.shape_zyx,
        spacing_mm=geometry.spacing_mm,
        channels=tuple(_channel(channel) for channel in volume.array),
        labels=tuple(_label(name, array == value, geometry.spacing_mm) for name, value in pairs),
    )


def hash_cases(dataset: Dataset, workers: int = 1) -> tuple[str, ...]:
    """Returns one hash a training case, over the bytes of its files."""
    return tuple(map_in_threads(_hash, dataset.training, workers, "Reading files"))


def data_hash(dataset: Dataset, hashes: tuple[str, ...]) -> str:
    """Returns a hash of all a fingerprint depends on: files, labels, channels; 16 digits."""
    labels = [dataset.labels.names, dataset.labels.values]
    names = [case.name for case in dataset.training]
    told = json.dumps([dataset.name, labels, dataset.channel_names, names, hashes])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _hash(case: Case) -> str:
    files = [*case.images, *([case.label] if case.label else [])]
    return content_hash([path for path in files if path.is_file()])


def _channel(array_zyx: np.ndarray) -> ChannelFingerprint:
    step = max(1, array_zyx.size // SAMPLED_VOXELS)
    # an odd step does not fall in line with even row lengths
    sample = array_zyx.ravel()[:: step | 1]
    low, middle, high = percentiles(sample, (0.5, 50, 99.5))
    mean, std = mean_and_std(array_zyx)
    return ChannelFingerprint(
        mean=mean,
        std=std,
        minimum=float(array_zyx.min()),
        maximum=float(array_zyx.max()),
        percentile_00_5=low,
        percentile_50=middle,
        percentile_99_5=high,
    )


def _label(name: str, mask_zyx: np.ndarray, spacing_mm: Float3) -> LabelFingerprint:
    box = bounding_box(mask_zyx)
    if box is None:
        return LabelFingerprint(name, 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0, 0, False)
    part = mask_zyx[box.slices]
    ends = zip(box.start_zyx, box.stop_zyx, mask_zyx.shape, strict=True)
    return LabelFingerprint(
        name=name,
        volume_mm3=float(np.count_nonzero(part)) * float(np.prod(spacing_mm)),
        box_start_mm=_in_mm(box.start_zyx, spacing_mm),
        extent_mm=_in_mm(box.shape_zyx, spacing_mm),
        thickness_mm=inscribed_diameter_mm(part, spacing_mm),
        components=count_components(part),
        touches_border=any(start == 0 or stop == size for start, stop, size in ends),
    )


def _in_mm(voxels: tuple[int, int, int], spacing_mm: Float3) -> Float3:
    (z, y, x), (sz, sy, sx) = voxels, spacing_mm
    return (z * sz, y * sy, x * sx)
