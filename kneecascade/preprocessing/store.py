"""The store of prepared cases: one folder a case, compressed arrays that are read patch by patch.

A folder holds image.b2nd (float16), label.b2nd (uint8), coarse_image.b2nd, coarse_label.b2nd,
positions.npy and, written last, case.json. It is written under a temporary name, then renamed, so what
stands under a case's name is always whole.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import kneecascade
from kneecascade.core.case import Case
from kneecascade.core.geometry import Box
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import from_plain, to_plain
from kneecascade.core.trace import PreparedCase, Trace
from kneecascade.errors import InputError
from kneecascade.files import content_hash, read_json, write_json
from kneecascade.imaging.components import bounding_box
from kneecascade.preprocessing.positions import sample_positions

if TYPE_CHECKING:
    import blosc2

CHUNK_ZYX = (32, 64, 64)
BLOCK_ZYX = (8, 32, 32)
FLOAT16_MAX = 65504.0


@dataclass(frozen=True, eq=False)
class StoredCase:
    """A prepared case in the store; its arrays are read when they are sliced.

    Attributes:
        name: case identifier.
        image: float16 (C, Z, Y, X), the whole fine grid, lazy.
        label: uint8 class indices (Z, Y, X), the whole fine grid, lazy.
        coarse_image: float16 (C, Z, Y, X), the whole coarse grid, lazy.
        coarse_label: uint8 class indices (Z, Y, X), the whole coarse grid, lazy.
        trace: the way back.
        class_positions: up to 2000 voxels of each class that is there, int16 (n, 3) on the fine grid.
        coarse_class_positions: the same on the coarse grid.
        target_box: bounding box of the targets on the fine grid; None where there are none.
        nbytes: of both images and labels once they are in memory.
    """

    name: str
    image: blosc2.NDArray
    label: blosc2.NDArray
    coarse_image: blosc2.NDArray
    coarse_label: blosc2.NDArray
    trace: Trace
    class_positions: dict[int, np.ndarray]
    coarse_class_positions: dict[int, np.ndarray]
    target_box: Box | None
    nbytes: int


@dataclass(frozen=True)
class _CaseFile:
    """The content of case.json; `file_bytes` are those of the other files, 0 in stores of older versions."""

    name: str
    key: str
    trace: Trace
    target_box: Box | None
    file_bytes: int = 0


def case_key(case: Case, plan: CascadePlan) -> str:
    """Returns a hash of the raw files and of what the plan decides about the prepared arrays."""
    stages = [(s.spacing_mm, s.thin_labels) for s in (plan.coarse, plan.fine)]
    decided: tuple[object, ...] = (
        stages,
        plan.normalization,
        plan.labels,
        plan.targets,
        kneecascade.__version__,
    )
    # what a plan leaves out is left out here: stores of older plans stay as they are
    if plan.denoise or any(plan.histogram_landmarks):
        decided += (plan.denoise, plan.histogram_landmarks)
    if plan.canonical_side != "none":
        decided += (plan.canonical_side, case.side)
    files = [*case.images, *([case.label] if case.label else [])]
    return sha256(f"{content_hash(files)} {decided}".encode()).hexdigest()[:16]


def write_case(
    root: Path,
    prepared: PreparedCase,
    fine_image: np.ndarray,
    coarse_labels: np.ndarray,
    fine_labels: np.ndarray,
    plan: CascadePlan,
    key: str,
) -> None:
    """Writes one case to `root`/<name>, in place of what was there.

    Args:
        root: the store.
        prepared: with the coarse image and the trace.
        fine_image: float (C, Z, Y, X) on the whole fine grid.
        coarse_labels: class indices on the whole coarse grid.
        fine_labels: class indices on the whole fine grid.
        plan: says the targets.
        key: see `case_key`.
    """
    folder = root / prepared.name
    temporary = root / f".writing_{os.getpid()}_{prepared.name}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        _write_array(temporary / "image.b2nd", _half(fine_image))
        _write_array(temporary / "label.b2nd", fine_labels.astype(np.uint8, copy=False))
        _write_array(temporary / "coarse_image.b2nd", _half(prepared.coarse))
        _write_array(temporary / "coarse_label.b2nd", coarse_labels.astype(np.uint8, copy=False))
        np.save(temporary / "positions.npy", _positions((fine_labels, coarse_labels), plan.labels.count))
        targets = np.zeros(256, dtype=bool)
        targets[list(plan.labels.indices(plan.targets))] = True
        box = bounding_box(targets[fine_labels])
        record = _CaseFile(prepared.name, key, prepared.trace, box, _file_bytes(temporary))
        write_json(temporary / "case.json", to_plain(record))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def is_current(root: Path, case: str, key: str) -> bool:
    """Says whether the store holds the case, whole and made with this key."""
    folder = root / case
    try:
        record = _read_case_file(folder)
    except InputError:
        return False
    # a full disk or a lost machine cuts files that were renamed already
    return record.key == key and record.file_bytes in (0, _file_bytes(folder))


def open_case(root: Path, case: str) -> StoredCase:
    """Opens a stored case without reading its arrays.

    Raises:
        InputError: the case is missing or broken; kc_plan_and_preprocess mends it.
    """
    folder = root / case
    record = _read_case_file(folder)
    try:
        names = ("image", "label", "coarse_image", "coarse_label")
        image, label, coarse_image, coarse_label = (_open_array(folder / f"{n}.b2nd") for n in names)
        table = np.load(folder / "positions.npy", allow_pickle=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{folder}: broken; delete it and run kc_plan_and_preprocess") from error
    return StoredCase(
        name=record.name,
        image=image,
        label=label,
        coarse_image=coarse_image,
        coarse_label=coarse_label,
        trace=record.trace,
        class_positions=_of_stage(table, 0),
        coarse_class_positions=_of_stage(table, 1),
        target_box=record.target_box,
        nbytes=sum(a.nbytes for a in (image, label, coarse_image, coarse_label)),
    )


def read_whole(array: Any, case: str) -> np.ndarray:
    """Reads a stored array.

    Args:
        array: as in `StoredCase`, or a numpy array.
        case: whose it is.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return np.asarray(array[:])
    except Exception as error:  # blosc2 says RuntimeError, ValueError or worse
        raise InputError(unreadable(case, error)) from error


def unreadable(case: str, error: Exception) -> str:
    """Returns what is said of a case whose arrays cannot be read."""
    return (
        f"{case}: its prepared arrays cannot be read ({type(error).__name__}: {error}); delete its folder in "
        "the store and run kc_plan_and_preprocess"
    )


def _file_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.suffix != ".json")


def _read_case_file(folder: Path) -> _CaseFile:
    try:
        return from_plain(_CaseFile, read_json(folder / "case.json"))
    except ValueError as error:
        raise InputError(f"{folder / 'case.json'}: {error}; run kc_plan_and_preprocess again") from error


def _half(array: np.ndarray) -> np.ndarray:
    """Rounds to float16; values beyond its range are clipped."""
    within = array.size == 0 or (array.min() >= -FLOAT16_MAX and array.max() <= FLOAT16_MAX)
    return (array if within else np.clip(array, -FLOAT16_MAX, FLOAT16_MAX)).astype(np.float16)


def _write_array(path: Path, array: np.ndarray) -> None:
    """Writes in chunks of about a quarter of a megabyte, so that a patch reads little beside itself."""
    import blosc2  # loaded where arrays are written or read: planning does neither

    lead = (1,) * (array.ndim - 3)
    chunks = tuple(min(a, b) for a, b in zip(array.shape, (*lead, *CHUNK_ZYX), strict=True))
    blocks = tuple(min(a, b) for a, b in zip(chunks, (*lead, *BLOCK_ZYX), strict=True))
    # a third of ZSTD's time to write, half of it to read, for a sixth more bytes
    settings = blosc2.CParams(
        codec=blosc2.Codec.LZ4, clevel=3, filters=[blosc2.Filter.BITSHUFFLE], nthreads=1
    )
    stored = blosc2.empty(
        array.shape,
        dtype=array.dtype,
        urlpath=str(path),
        mode="w",
        chunks=chunks,
        blocks=blocks,
        cparams=settings,
    )
    stored[...] = np.ascontiguousarray(array)


def _open_array(path: Path) -> Any:
    import blosc2

    return blosc2.open(str(path), mode="r", dparams=blosc2.DParams(nthreads=1))


def _positions(labels: tuple[np.ndarray, np.ndarray], n_classes: int) -> np.ndarray:
    """Returns int16 (n, 5): stage (0 fine, 1 coarse), class, z, y, x."""
    rows = [np.zeros((0, 5), dtype=np.int16)]
    for stage, array in enumerate(labels):
        for index, found in sample_positions(array, n_classes).items():
            head = np.tile(np.array([stage, index], dtype=np.int16), (len(found), 1))
            rows.append(np.hstack([head, found]))
    return np.concatenate(rows)


def _of_stage(table: np.ndarray, stage: int) -> dict[int, np.ndarray]:
    rows = table[table[:, 0] == stage]
    return {int(k): rows[rows[:, 1] == k, 2:] for k in np.unique(rows[:, 1])}
