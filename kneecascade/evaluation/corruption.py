"""Known ways to spoil a segmented image, to see what quality control notices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.geometry import Float3, Geometry
from kneecascade.core.labels import Labels
from kneecascade.evaluation.measures import cartilage_labels
from kneecascade.imaging.components import bounding_box
from kneecascade.imaging.orientation import canonical_axes, canonical_geometry, to_canonical


@dataclass(frozen=True, eq=False)
class Spoiled:
    """A case on the canonical grid, sound or spoiled.

    Attributes:
        grey: (C, Z, Y, X).
        labels: file values (Z, Y, X).
        geometry: of both.
    """

    grey: np.ndarray
    labels: np.ndarray
    geometry: Geometry

    @property
    def volume(self) -> Volume:
        """The image."""
        return Volume(self.grey, self.geometry)

    @property
    def label_volume(self) -> LabelVolume:
        """The labels."""
        return LabelVolume(self.labels, self.geometry)


Corruption = Callable[[Spoiled, Labels, np.random.Generator], Spoiled]


def on_canonical_grid(volume: Volume, labels: LabelVolume) -> Spoiled:
    """Returns a case turned to the canonical orientation, unspoiled."""
    axes = canonical_axes(volume.geometry)
    grey, array = (np.ascontiguousarray(to_canonical(a, *axes)) for a in (volume.array, labels.array))
    return Spoiled(grey, array, canonical_geometry(volume.geometry))


def _cut(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    """Removes all labels in the outer fifth of the cartilages' box, on one side, and beyond."""
    box = bounding_box(np.isin(case.labels, _values(names, cartilage_labels(names) or names.foreground)))
    assert box is not None
    axis, high = int(generator.integers(3)), bool(generator.integers(2))
    start, stop = box.start_zyx[axis], box.stop_zyx[axis]
    edge = round(stop - 0.2 * (stop - start)) if high else round(start + 0.2 * (stop - start))
    labels = case.labels.copy()
    labels[_along(axis, slice(edge, None) if high else slice(0, edge))] = 0
    return replace(case, labels=labels)


def _shifted(distance_mm: float) -> Corruption:
    def corrupt(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
        axis = int(generator.integers(3))
        steps = round(distance_mm / case.geometry.spacing_mm[axis]) * int(generator.choice((-1, 1)))
        return replace(case, labels=_moved(case.labels, axis, steps))

    return corrupt


def _missing(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    value = int(generator.choice(_there(case, names)))
    return replace(case, labels=np.where(case.labels == value, 0, case.labels))


def _half_missing(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    """Removes one half of one label, through its middle across one axis."""
    value = int(generator.choice(_there(case, names)))
    axis, high = int(generator.integers(3)), bool(generator.integers(2))
    places = np.nonzero(case.labels == value)
    middle = int(np.median(places[axis]))
    lost = (case.labels == value) & _side(case.labels.shape, axis, middle, high)
    return replace(case, labels=np.where(lost, 0, case.labels))


def _swapped(sheets: bool) -> Corruption:
    def corrupt(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
        cartilage = set(_values(names, cartilage_labels(names)))
        among = [value for value in _there(case, names) if (value in cartilage) == sheets]
        if len(among) < 2:
            among = _there(case, names)
        a, b = (int(v) for v in generator.choice(among, 2, replace=False))
        labels = case.labels.copy()
        labels[case.labels == a], labels[case.labels == b] = b, a
        return replace(case, labels=labels)

    return corrupt


def _ragged(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    """Lets three voxels in ten take the label of a neighbour."""
    axis = int(generator.integers(3))
    neighbour = _moved(case.labels, axis, int(generator.choice((-1, 1))))
    return replace(case, labels=np.where(generator.random(case.labels.shape) < 0.3, neighbour, case.labels))


def _speckled(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    """Strews two hundred cubes of 2 mm of one label over the image."""
    value = int(generator.choice(_there(case, names)))
    labels = case.labels.copy()
    edges = [max(1, round(2 / mm)) for mm in case.geometry.spacing_mm]
    for _ in range(200):
        corner = [int(generator.integers(0, n - e)) for n, e in zip(labels.shape, edges, strict=True)]
        labels[tuple(slice(a, a + e) for a, e in zip(corner, edges, strict=True))] = value
    return replace(case, labels=labels)


def _stray(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    """Puts a ball of 16 mm of one label where there is background."""
    value = int(generator.choice(_there(case, names)))
    background = np.argwhere(case.labels[::4, ::4, ::4] == 0) * 4
    centre = background[int(generator.integers(len(background)))]
    return replace(case, labels=np.where(_ball(case, centre, 8.0) & (case.labels == 0), value, case.labels))


def _thinner(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    """Takes a voxel off all cartilage, all around."""
    labels = case.labels.copy()
    for value in _values(names, cartilage_labels(names)):
        mask = case.labels == value
        labels[mask & ~ndimage.binary_erosion(mask)] = 0
    return replace(case, labels=labels)


def _thicker(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    """Adds a millimetre to all cartilage, into the background."""
    labels = case.labels.copy()
    rounds = max(1, round(1 / max(case.geometry.spacing_mm)))
    for value in _values(names, cartilage_labels(names)):
        grown = ndimage.binary_dilation(case.labels == value, iterations=rounds)
        labels[grown & (labels == 0)] = value
    return replace(case, labels=labels)


def _labels_mirrored(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    return replace(case, labels=np.ascontiguousarray(case.labels[..., ::-1]))


def _flipped(axis: int) -> Corruption:
    def corrupt(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
        grey, labels = (np.ascontiguousarray(np.flip(a, axis - 3)) for a in (case.grey, case.labels))
        return replace(case, grey=grey, labels=labels)

    return corrupt


def _cropped(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    """Cuts a fifth off image and labels, on one side of the cartilages' box."""
    box = bounding_box(np.isin(case.labels, _values(names, cartilage_labels(names) or names.foreground)))
    assert box is not None
    axis, high = int(generator.integers(3)), bool(generator.integers(2))
    start, stop = box.start_zyx[axis], box.stop_zyx[axis]
    kept = (
        slice(0, round(stop - 0.2 * (stop - start)))
        if high
        else slice(round(start + 0.2 * (stop - start)), None)
    )
    part = _along(axis, kept)
    grey = np.ascontiguousarray(case.grey[(slice(None), *part)])
    labels = np.ascontiguousarray(case.labels[part])
    z, y, x = labels.shape
    return Spoiled(grey, labels, replace(case.geometry, shape_zyx=(z, y, x)))


def _noisy(share: float) -> Corruption:
    def corrupt(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
        noise = generator.normal(0, share * _range(case.grey), case.grey.shape)
        return replace(case, grey=(case.grey + noise).astype(np.float32))

    return corrupt


def _inverted(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    return replace(case, grey=case.grey.max() - case.grey)


def _blurred(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    """Blurs with a standard deviation of 1.5 mm."""
    sigma = [0.0, *(1.5 / mm for mm in case.geometry.spacing_mm)]
    return replace(case, grey=ndimage.gaussian_filter(case.grey, sigma))


def _shaded(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    """Multiplies with a slope from .3 to 1.7 along one axis."""
    axis = int(generator.integers(3))
    slope = np.linspace(0.3, 1.7, case.labels.shape[axis], dtype=np.float32)
    shape = [1, 1, 1]
    shape[axis] = -1
    return replace(case, grey=case.grey * slope.reshape(shape))


def _misread(case: Spoiled, names: Labels, generator: np.random.Generator) -> Spoiled:
    """Multiplies the spacing along one axis by 1.5, as a wrong header does."""
    spacing = list(case.geometry.spacing_mm)
    spacing[int(generator.integers(3))] *= 1.5
    wrong: Float3 = (spacing[0], spacing[1], spacing[2])
    return replace(case, geometry=replace(case.geometry, spacing_mm=wrong))


OF_LABELS: dict[str, Corruption] = {
    "cut": _cut,
    "shifted by 3 mm": _shifted(3),
    "shifted by 10 mm": _shifted(10),
    "missing structure": _missing,
    "half a structure missing": _half_missing,
    "cartilages swapped": _swapped(sheets=True),
    "bones swapped": _swapped(sheets=False),
    "ragged edges": _ragged,
    "speckled": _speckled,
    "stray piece": _stray,
    "cartilage a voxel thinner": _thinner,
    "cartilage 1 mm thicker": _thicker,
    "labels mirrored": _labels_mirrored,
}
"""The segmentation is wrong, the image is as it was."""
OF_BOTH: dict[str, Corruption] = {
    "wrong side (image and labels mirrored)": _flipped(2),
    "upside down (image and labels)": _flipped(0),
    "back to front (image and labels)": _flipped(1),
    "image cropped": _cropped,
    "spacing misread": _misread,
}
"""Image and segmentation still belong together."""
OF_IMAGES: dict[str, Corruption] = {
    "noise of 10 %": _noisy(0.1),
    "noise of 30 %": _noisy(0.3),
    "inverted": _inverted,
    "blurred": _blurred,
    "shaded": _shaded,
}
"""The image is wrong; the segmentation is what it was."""


def _values(names: Labels, labels: tuple[str, ...]) -> list[int]:
    return [names.values[names.index(label)] for label in labels]


def _there(case: Spoiled, names: Labels) -> list[int]:
    return [value for value in names.values[1:] if (case.labels == value).any()]


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return tuple(part if k == axis else slice(None) for k in range(3))


def _side(shape: tuple[int, ...], axis: int, middle: int, high: bool) -> np.ndarray:
    place = np.arange(shape[axis]).reshape([-1 if k == axis else 1 for k in range(3)])
    return place > middle if high else place < middle


def _moved(labels: np.ndarray, axis: int, steps: int) -> np.ndarray:
    """Moves labels along an axis; what leaves the image is lost."""
    moved = np.roll(labels, steps, axis=axis)
    if steps:
        moved[_along(axis, slice(0, steps) if steps > 0 else slice(steps, None))] = 0
    return moved


def _ball(case: Spoiled, centre: np.ndarray, radius_mm: float) -> np.ndarray:
    axes = [
        ((np.arange(n) - c) * mm) ** 2
        for n, c, mm in zip(case.labels.shape, centre, case.geometry.spacing_mm, strict=True)
    ]
    return axes[0][:, None, None] + axes[1][None, :, None] + axes[2] < radius_mm**2


def _range(grey: np.ndarray) -> float:
    low, high = np.percentile(grey[:, ::2, ::2, ::2], [0.5, 99.5])
    return float(high - low)
