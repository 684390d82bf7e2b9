"""Bad DICOM, as rows of the table in bad_inputs: command, fault, words of the line, cure, spoiler, new files."""

# ruff: noqa: E501
from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bad_site import Site
from dicom_files import Stack, series_tags, slices, write
from pydicom.dataset import Dataset

Change = Callable[[list[Dataset]], object]
Row = tuple[str, str, tuple[str, ...], str, Callable[[Site], Sequence[object]], tuple[str, ...]]
LIST, PREDICT = "kc_dicom", "kc_predict"
GOOD = "out/004_good.nii.gz"
BESIDE = ("out/predictions.json", "out/labels.ctbl", "out/labels_itksnap.txt")


def _series(site: Site, number: int, description: str, change: Change | None = None, **tags: Any) -> Path:
    """Writes a series of ten slices into dicom/DESCRIPTION; `change` may spoil its images before."""
    array = np.random.default_rng(number).integers(50, 150, (10, 28, 32)).astype(np.uint16)
    images = slices(Stack(array, (2.0, 1.0, 1.0)), series_tags(number, description, **tags))
    if change:
        change(images)
    for k, image in enumerate(images):
        write(image, site.root / "dicom" / description / f"{k:02d}")
    return site.root / "dicom" / description


def _listed(change: Change | None, *more: object, **tags: Any) -> Callable[[Site], Sequence[object]]:
    def spoil(site: Site) -> Sequence[object]:
        _series(site, 4, "good")
        _series(site, 9, "bad", change, **tags)
        return (site.root / "dicom", "-o", site.out, *more)

    return spoil


def _predicted(change: Change | None, **tags: Any) -> Callable[[Site], Sequence[object]]:
    def spoil(site: Site) -> Sequence[object]:
        folder, *_ = _listed(change, **tags)(site)
        return ("-i", folder, "-o", site.out)

    return spoil


def _cut(keep: float | int) -> Callable[[Site], Sequence[object]]:
    """Cuts one file off: after a number of bytes, or at a share of its length."""

    def spoil(site: Site) -> Sequence[object]:
        _series(site, 4, "good")
        path = _series(site, 9, "bad") / "05"
        data = path.read_bytes()
        path.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
        return (site.root / "dicom", "-o", site.out)

    return spoil


def _turn(images: list[Dataset]) -> None:
    images[3].ImageOrientationPatient = ["0.1", "0.995", "0", "0", "0", "-1"]


def _stretch(images: list[Dataset]) -> None:
    for image in images[6:]:
        x, y, z = (float(v) for v in image.ImagePositionPatient)
        image.ImagePositionPatient = [str(x - 0.7), str(y), str(z)]


def _scout(site: Site) -> Sequence[object]:
    _series(site, 1, "scout", lambda images: images.__delitem__(slice(3, None)))
    return (site.root / "dicom", "-o", site.out)


def _no_dicom(site: Site) -> Sequence[object]:
    return (site.images, "-o", site.out)


WRITTEN = (GOOD, "out/dicom.json")
SEGMENTED = (GOOD, *BESIDE)
ROWS: tuple[Row, ...] = (
    (LIST, "a folder that is not there", ("no such file or folder",), "check the path", lambda site: (site.root / "none",), ()),
    (LIST, "a folder without DICOM", ("no DICOM images",), "give the folder of the export", _no_dicom, ()),
    (LIST, "a missing slice", ("series 9 bad", "missing slice", "slice 5 (bad/04)"), "export the series again; the others are converted", _listed(lambda images: images.pop(5)), WRITTEN),
    (LIST, "an image that is there twice", ("series 9 bad", "duplicate slices", "slice 4 (bad/03)"), "take the copy out; the others are converted", _listed(lambda images: images.append(images[3])), WRITTEN),
    (LIST, "a slice that is turned", ("series 9 bad", "mixed orientation", "slice 4 (bad/03)"), "take the slice out, or export the series again", _listed(_turn), WRITTEN),
    (LIST, "steps that differ", ("series 9 bad", "uneven steps", "slice 6 (bad/05)"), "export the original series; two volumes may be in one", _listed(_stretch), WRITTEN),
    (LIST, "slices without a position", ("series 9 bad", "slice 1 (bad/00)", "place in space"), "export the original series, not screenshots of it", _listed(lambda images: [image.pop("ImagePositionPatient") for image in images]), WRITTEN),
    (LIST, "nothing but a localiser", ("localiser", "no usable volume"), "export the volumes as well", _scout, ()),
    (LIST, "a file whose pixels are cut off", ("series 9 bad", "slice 6 (bad/05)"), "copy the file again; the others are converted", _cut(0.9), WRITTEN),
    (LIST, "a file whose header is cut off", ("bad/05", "header cannot be read"), "copy the file again; the others are converted", _cut(300), WRITTEN),
    (LIST, "a series that is not there", ("--series 77", "series 4 good"), "choose one of those that the line lists", _listed(None, "--series", "77"), ()),
    (LIST, "an echo that is not there", ("has no echo 3",), "choose one of those that the line lists", _listed(None, "--echo", "3", "--series", "9"), ("out/dicom.json",)),
    (LIST, "an echo in words", ("rss or mean",), "give a number, rss or mean", _listed(None, "--echo", "first"), ()),
    (PREDICT, "one DICOM series with a missing slice", ("009_bad", "not segmented", "missing slice"), "export it again; the others are done", _predicted(lambda images: images.pop(5)), SEGMENTED),
    (PREDICT, "one DICOM series of both knees", ("009_bad", "both knees"), "split it; the others are done", _predicted(None, Laterality="B"), SEGMENTED),
    (PREDICT, "an echo of images that are no DICOM", ("for DICOM",), "leave --echo and --series out", lambda site: ("-i", site.images, "-o", site.out, "--echo", "1"), ()),
    (PREDICT, "a DICOM segmentation of images that are no DICOM", ("--dicom-seg", "no DICOM"), "leave --dicom-seg out", lambda site: ("-i", site.images, "-o", site.out, "--dicom-seg"), ()),
)  # fmt: skip
