"""Images whose headers or values cannot be true, and other finds, as rows of the table in bad_inputs."""

# ruff: noqa: E501
from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Sequence

import numpy as np
from bad_site import Site
from safetensors.numpy import load_file, save_file

Row = tuple[str, str, tuple[str, ...], str, Callable[[Site], Sequence[object]], tuple[str, ...]]
PLAN, TRAIN, PREDICT = "kc_plan_and_preprocess", "kc_train", "kc_predict"
DONE = (
    "out/one.nii.gz",
    "out/two.nii.gz",
    "out/predictions.json",
    "out/labels.ctbl",
    "out/labels_itksnap.txt",
)
PLANNED = ("-d", "1", "--memory-gb", "1", "--workers", "1")
STRAIGHT = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0))
SHEARED = ((1, 0.3, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0))
NOWHERE = ((1, 0, 0, np.nan), (0, 1, 0, 0), (0, 0, 1, 0))
GREY = np.random.default_rng(0).normal(100, 20, (24, 28, 32)).astype(np.float32)


def nifti(
    array: np.ndarray,
    steps: Sequence[float] = (1, 1, 1),
    place: Sequence[Sequence[float]] = STRAIGHT,
    kind: tuple[int, int] = (16, 32),
    shape: Sequence[int] | None = None,
) -> bytes:
    """Returns a NIfTI-1 file, written by hand, since no library would write such headers."""
    header = bytearray(352)
    shape = shape or array.shape[::-1]
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, len(shape), *shape, *[1] * (7 - len(shape)))
    struct.pack_into("<2h", header, 70, *kind)
    struct.pack_into("<8f", header, 76, 1, *steps, 1, 1, 1, 1)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    header[123] = 2  # millimetres
    struct.pack_into("<2h", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, *np.ravel(place))
    header[344:348] = b"n+1\0"
    return gzip.compress(bytes(header) + array.tobytes())


def _third(data: bytes) -> Callable[[Site], Sequence[object]]:
    def spoil(site: Site) -> Sequence[object]:
        (site.images / "three.nii.gz").write_bytes(data)
        return ("-i", site.images, "-o", site.out)

    return spoil


def _scaled(step: float) -> bytes:
    return nifti(GREY, (step,) * 3, np.array(STRAIGHT) * step)


def _predict(change: Callable[[Site], object], *more: str) -> Callable[[Site], Sequence[object]]:
    def spoil(site: Site) -> Sequence[object]:
        change(site)
        return ("-i", site.images, "-o", site.out, *more)

    return spoil


def _sick_weights(site: Site) -> None:
    path = site.model / "fold_0/fine/model.safetensors"
    tensors = load_file(path)
    save_file({name: t * np.nan if t.dtype.kind == "f" else t for name, t in tensors.items()}, path)


def _relabel(value: float, kind: tuple[int, int], dtype: str) -> Callable[[Site], Sequence[object]]:
    def spoil(site: Site) -> Sequence[object]:
        array = np.zeros((24, 28, 32), dtype)
        array[8:16, 8:16, 8:16] = 1
        array[9, 9, 9] = value
        path = site.raw / "labelsTr/case1.nii.gz"
        path.write_bytes(nifti(array, kind=kind))
        return PLANNED

    return spoil


def _report(site: Site) -> Sequence[object]:
    site.out.mkdir()
    (site.out / "predictions.json").write_text("[1]")
    return (site.out,)


def _archive(site: Site) -> Sequence[object]:
    (site.root / "export").mkdir()
    (site.root / "export/knee.zip").write_bytes(b"PK" * 300)
    return (site.root / "export",)


THREE = "not segmented"
ROWS: tuple[Row, ...] = (
    (PREDICT, "one image whose axes are not at right angles", (THREE, "right angles"), "resample it onto a straight grid; the others are done", _third(nifti(GREY, place=SHEARED)), DONE),
    (PREDICT, "one image whose voxels have no size", (THREE, "no size"), "mend its header; the others are done", _third(nifti(GREY, (0, 1, 1))), DONE),
    (PREDICT, "one image whose place is no number", (THREE, "place in space is not finite"), "mend its header; the others are done", _third(nifti(GREY, place=NOWHERE)), DONE),
    (PREDICT, "one image with its spacing in metres", (THREE, "mm long", "spacing in the header"), "write millimetres; the others are done", _third(_scaled(0.0003)), DONE),
    (PREDICT, "one image that would be ten metres long", (THREE, "mm long", "spacing in the header"), "mend the spacing; the others are done", _third(_scaled(300)), DONE),
    (PREDICT, "one image with a fourth dimension", (THREE, "4D"), "write a file a volume; the others are done", _third(nifti(np.stack([GREY] * 2), shape=(32, 28, 24, 2))), DONE),
    (PREDICT, "one image in colour", (THREE, "3 components"), "give grey values, not a screenshot; the others are done", _third(nifti(np.zeros((24, 28, 96), np.uint8), kind=(128, 24), shape=(32, 28, 24))), DONE),
    (PREDICT, "one image that is empty", (THREE, "every voxel is 0"), "export it again; the others are done", _third(nifti(np.zeros_like(GREY))), DONE),
    (PREDICT, "one image of a single slice", (THREE, "single slice"), "give the whole volume; the others are done", _third(nifti(GREY[:1])), DONE),
    (PREDICT, "a folder called like an image", (THREE, "no such file"), "rename it; the others are done", _predict(lambda site: (site.images / "three.nii.gz").mkdir()), DONE),
    (PREDICT, "weights that are not numbers", ("model.safetensors", "not finite"), "copy them again, or train again", _predict(_sick_weights), ()),
    (PREDICT, "a fold given as a model", ("fold_0", "give the folder above, Dataset001_Tiny"), "give the folder above to `-m`", lambda site: ("-i", site.images, "-o", site.out, "-m", site.model / "fold_0"), ()),
    (PREDICT, "a folder of models given as a model", ("results", "give one of them: Dataset001_Tiny"), "give one of the folders in it to `-m`", lambda site: ("-i", site.images, "-o", site.out, "-m", site.model.parent), ()),
    (PREDICT, "an output that is a file", ("give a folder",), "choose another name", _predict(lambda site: site.out.write_text("a file")), ()),
    (PLAN, "a label value beyond 32767", ("case1", "65537"), "number the labels from 1 on", _relabel(65537, (8, 32), "<i4"), ()),
    (PLAN, "a label file with fractions", ("case1", "whole numbers"), "resample labels to the nearest neighbour", _relabel(0.5, (16, 32), "<f4"), ()),
    (PLAN, "a label file with a value that is not a number", ("case1", "not finite"), "write 0 where nothing is labelled", _relabel(np.nan, (16, 32), "<f4"), ()),
    (PLAN, "a filter that is none", ("--denoise gauss", "curvature"), "choose one of those that the line lists", lambda site: (*PLANNED, "--denoise", "gauss"), ()),
    (PLAN, "more normalisations than channels", ("--normalization", "2 choices"), "give one, or one a channel", lambda site: (*PLANNED, "--normalization", "zscore", "none"), ()),
    (TRAIN, "a seed below nothing", ("--seed", "-5"), "give 0 or more", lambda site: ("1", "1", "--seed", "-5"), ()),
    ("kc_report", "a predictions.json that is a list", ("predictions.json", "names no labels"), "predict again", _report, ()),
    ("kc_dicom", "an archive that is not unpacked", ("no DICOM images", "unpack knee.zip"), "unpack it", _archive, ()),
)  # fmt: skip
