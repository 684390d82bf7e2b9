"""From a volume to the arrays the networks see, then from their probabilities back to the file's grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kneecascade.core.case import LabelVolume, Side, Volume
from kneecascade.core.geometry import Box
from kneecascade.core.labels import Labels
from kneecascade.core.plan import CascadePlan
from kneecascade.core.trace import PreparedCase, Region, Trace
from kneecascade.errors import ImageError
from kneecascade.imaging.denoise import denoise
from kneecascade.imaging.files import grid_difference
from kneecascade.imaging.narrow import narrow
from kneecascade.imaging.normalize import normalized_channels
from kneecascade.imaging.orientation import (
    canonical_axes,
    canonical_geometry,
    from_canonical,
    reversed_x,
    to_canonical,
)
from kneecascade.imaging.resample import resample_image, resample_labels, target_shape
from kneecascade.imaging.stacking import stacked
from kneecascade.imaging.weights import linear_weights
from kneecascade.preprocessing.blend import blend_border, border_ramps
from kneecascade.preprocessing.disagreement import Disagreement
from kneecascade.preprocessing.settle import settle
from kneecascade.preprocessing.winners import write_winners


def prepare(
    volume: Volume, plan: CascadePlan, name: str, side: Side = "unknown", in_parts: bool = False
) -> PreparedCase:
    """Turns, denoises, normalises and resamples a volume to the coarse grid.

    Args:
        volume: (C, Z, Y, X) on its file's grid.
        plan: says the filters, the normalisation and the spacings.
        name: of the case, for messages and results.
        side: of the knee; where the plan has a canonical side and this is the other one, the canonical grid
            is the mirror image. An unknown one is taken for canonical.
        in_parts: normalise the native image once more where it is asked for, instead of keeping it so.

    Raises:
        ImageError: the number of channels is not the plan's.
    """
    wanted = len(plan.channel_names)
    if len(volume.array) != wanted:
        raise ImageError(f"{name}: {len(volume.array)} channels, the plan wants {wanted}")
    trace = _trace(volume, plan, side not in ("unknown", plan.canonical_side))
    turned = to_canonical(volume.array, trace.axes_zyx, trace.flips_zyx)
    clean = denoise(turned, trace.native.spacing_mm, plan.denoise)
    channels = normalized_channels(clean, plan.normalization, plan.histogram_landmarks)
    native = channels if in_parts else stacked([channel[...] for channel in channels])
    return PreparedCase(name, native, resample_image(native, trace.coarse_shape_zyx), trace)


def fine_image(prepared: PreparedCase, box: Box | None = None) -> np.ndarray:
    """Returns a box of the whole fine grid, float32 (C, z, y, x); None for the whole grid."""
    return resample_image(prepared.native, prepared.trace.fine_shape_zyx, box)


def prepare_labels(
    labels: LabelVolume, trace: Trace, plan: CascadePlan, name: str = "labels"
) -> tuple[np.ndarray, np.ndarray]:
    """Resamples reference labels to both grids.

    Args:
        labels: file values on the grid of the image.
        trace: of the image.
        plan: says values, spacings and thin labels.
        name: of the case or file, for messages.

    Returns:
        coarse, fine: uint8 class indices on the whole coarse and the whole fine grid.

    Raises:
        ImageError: the labels lie on another grid, or hold a value that the plan does not know.
    """
    difference = grid_difference(trace.source, labels.geometry)
    if difference:
        raise ImageError(f"{name}: {difference} of the labels differs from the image")
    turned = to_canonical(labels.array, trace.axes_zyx, trace.flips_zyx)
    indices = class_indices(turned, plan.labels, name)
    grids = ((plan.coarse, trace.coarse_shape_zyx), (plan.fine, trace.fine_shape_zyx))
    coarse, fine = (
        resample_labels(indices, plan.labels.count, shape, plan.labels.indices(stage.thin_labels))
        for stage, shape in grids
    )
    return coarse, fine


def restore(
    coarse_probabilities: np.ndarray,
    fine_probabilities: np.ndarray | None,
    region: Region | None,
    trace: Trace,
    plan: CascadePlan,
    found: Disagreement | None = None,
) -> LabelVolume:
    """Joins both stages on the grid of the file.

    A native voxel whose centre lies in the region gets the most probable fine class; outside, the most
    probable coarse class among those that are no targets. Over the plan's `blend_mm` inside the region's
    faces the one fades into the other; where the stages differ by more, see `settle`.

    Args:
        coarse_probabilities: (K, z, y, x) on the whole coarse grid.
        fine_probabilities: (K, z, y, x) on the region's box of the fine grid; None for no region.
        region: where the fine stage looked; None for no region.
        trace: of the prepared case.
        plan: says targets and label values.
        found: where they differ, as `gross_disagreement` has it; None for nowhere.

    Returns:
        File values on the grid of the file.
    """
    if region is None or fine_probabilities is None:
        return restore_coarse(coarse_probabilities, trace, plan)
    indices = np.zeros(trace.native.shape_zyx, dtype=np.uint8)
    inside = native_box(region.box, trace)
    if inside != Box.whole(trace.native.shape_zyx):
        targets = plan.labels.indices(plan.targets)
        others = [k for k in range(plan.labels.count) if k not in targets]
        write_winners(indices, coarse_probabilities, others, _whole_weights(trace))
    stages = coarse_probabilities, fine_probabilities
    _write_region(indices[inside.slices], inside, stages, region.box, trace, plan, found)
    return _to_source(indices, trace, plan)


def _write_region(
    indices: np.ndarray,
    inside: Box,
    stages: tuple[np.ndarray, np.ndarray],
    region: Box,
    trace: Trace,
    plan: CascadePlan,
    found: Disagreement | None,
) -> None:
    """Writes the fine stage's labels into the region's voxels, and what joins them to those outside."""
    coarse, fine = stages
    fine_weights = _box_weights(region, inside, trace)
    write_winners(indices, fine, range(plan.labels.count), fine_weights)
    outside = coarse.copy()
    outside[list(plan.labels.indices(plan.targets))] = 0
    whole = [rows[s] for rows, s in zip(_whole_weights(trace), inside.slices, strict=True)]
    answers = (outside, whole), (fine, fine_weights)
    settled = settle(indices, inside, answers, found, trace, plan) if found else None
    ramps = border_ramps(inside, trace.native, plan.region.blend_mm)
    blend_border(indices, *answers, ramps, settled)


def restore_coarse(coarse_probabilities: np.ndarray, trace: Trace, plan: CascadePlan) -> LabelVolume:
    """Returns the coarse stage alone, all labels, as file values on the grid of the file."""
    indices = np.zeros(trace.native.shape_zyx, dtype=np.uint8)
    write_winners(indices, coarse_probabilities, range(plan.labels.count), _whole_weights(trace))
    return _to_source(indices, trace, plan)


def native_box(box: Box, trace: Trace) -> Box:
    """Returns the box of native voxels whose centres lie inside a box of the fine grid."""
    sizes = list(zip(trace.fine_shape_zyx, trace.native.shape_zyx, strict=True))
    # The centre of native voxel i lies at (2 i + 1) n_fine / (2 n_native) fine voxels: integers decide.
    start = [_first_at(a, fine, native) for a, (fine, native) in zip(box.start_zyx, sizes, strict=True)]
    stop = [_first_at(b, fine, native) for b, (fine, native) in zip(box.stop_zyx, sizes, strict=True)]
    return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))


def class_indices(values: np.ndarray, labels: Labels, name: str = "labels") -> np.ndarray:
    """Returns uint8 class indices of file values, contiguous.

    Raises:
        ImageError: there is a value that is no label's.
    """
    small = narrow(values)
    highest = max(*labels.values, int(np.iinfo(small.dtype).max) if small.dtype == np.uint8 else 0)
    table = np.full(highest + 1, 255, dtype=np.uint8)
    table[list(labels.values)] = np.arange(labels.count)
    fits = small.dtype == np.uint8 or values.size == 0 or (values.min() >= 0 and values.max() <= highest)
    indices = np.take(table, np.ascontiguousarray(small)) if fits else None
    if indices is None or (indices.size and indices.max() == 255):
        unknown = sorted(set(np.unique(values).tolist()) - set(labels.values))
        raise ImageError(f"{name}: label value {unknown[0]} is not among the plan's {labels.values}")
    return indices


def _trace(volume: Volume, plan: CascadePlan, other_side: bool) -> Trace:
    source = volume.geometry
    axes, flips = canonical_axes(source)
    native = canonical_geometry(source)
    trace = Trace(
        source=source,
        axes_zyx=axes,
        flips_zyx=flips,
        native=native,
        coarse_shape_zyx=target_shape(native.shape_zyx, native.spacing_mm, plan.coarse.spacing_mm),
        fine_shape_zyx=target_shape(native.shape_zyx, native.spacing_mm, plan.fine.spacing_mm),
    )
    return _mirrored(trace) if other_side and plan.canonical_side != "none" else trace


def _mirrored(trace: Trace) -> Trace:
    z, y, x = trace.flips_zyx
    return replace(
        trace, flips_zyx=(z, y, not x), native=reversed_x(trace.native), mirrored=not trace.mirrored
    )


def _first_at(border: int, n_fine: int, n_native: int) -> int:
    """Returns the first native voxel whose centre lies at or after a border between fine voxels."""
    return max(0, -(-(2 * border * n_native - n_fine) // (2 * n_fine)))


def _whole_weights(trace: Trace) -> list[np.ndarray]:
    pairs = zip(trace.coarse_shape_zyx, trace.native.shape_zyx, strict=True)
    return [linear_weights(coarse, native) for coarse, native in pairs]


def _box_weights(box: Box, inside: Box, trace: Trace) -> list[np.ndarray]:
    axes = zip(trace.fine_shape_zyx, trace.native.shape_zyx, box.slices, inside.slices, strict=True)
    return [linear_weights(fine, native, b.start, b.stop)[rows] for fine, native, b, rows in axes]


def _to_source(indices: np.ndarray, trace: Trace, plan: CascadePlan) -> LabelVolume:
    small = max(plan.labels.values) <= 255
    table = np.array(plan.labels.values, dtype=np.uint8 if small else np.int16)
    turned = from_canonical(indices, trace.axes_zyx, trace.flips_zyx)
    return LabelVolume(table[np.ascontiguousarray(turned)], trace.source)
