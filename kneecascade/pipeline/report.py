"""One HTML file that shows a cohort of results: a sortable table, and a page a knee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import kneecascade
from kneecascade.console import say, tracked, warn
from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.colors import default_colors
from kneecascade.core.labels import Labels
from kneecascade.core.reference_ranges import volume_range_ml
from kneecascade.dicom.source import read_again
from kneecascade.errors import InputError, KneecascadeError
from kneecascade.files import read_json, write_text
from kneecascade.imaging.files import grid_difference, read_labels, read_volume
from kneecascade.imaging.orientation import canonical_axes, canonical_geometry, to_canonical
from kneecascade.pipeline.quality import doubt_of
from kneecascade.pipeline.report_measures import Measures, read_measures
from kneecascade.pipeline.report_meshes import SMALL_STRUCTURES, case_meshes
from kneecascade.pipeline.report_model import model_record
from kneecascade.planning.dataset_folder import find_cases
from kneecascade.preprocessing.transform import class_indices
from kneecascade.report.page import page, viewer_script
from kneecascade.report.slices import Colour, planes

Record = dict[str, Any]
PREDICTIONS = "predictions.json"
FOOTER = (
    "Research use only: neither the segmentation nor a number on this page is a diagnosis. Made by "
    f"kneecascade {kneecascade.__version__}. Head is up, anterior is left in sagittal slices, the patient's "
    "right is left in axial and coronal ones. Surfaces in the 3D view are simplified for looking at, not for "
    "measuring. Expected ranges are wide limits around published means of osteoarthritis cohorts."
)


@dataclass(frozen=True)
class ReportSettings:
    """What goes into a report.

    Attributes:
        images: folder of the images, where they no longer lie where kc_predict found them.
        biomarkers: folder of kc_biomarkers' results; None looks for one inside the results.
        with_3d: whether to embed the 3D view.
        frames: slices a plane.
    """

    images: Path | None = None
    biomarkers: Path | None = None
    with_3d: bool = True
    frames: int = 40


def require_viewer() -> None:
    """Tells of a missing 3D viewer before the work, not after it.

    Raises:
        SettingsError: the extra `report` is not installed.
    """
    viewer_script()


def write_report(results: Path, output: Path | None = None, settings: ReportSettings | None = None) -> int:
    """Writes the report of a folder that kc_predict filled.

    Args:
        results: the folder with predictions.json in it.
        output: the HTML file; None for report.html in `results`.
        settings: None for the defaults.

    Returns:
        How many cases have no page, because they were not segmented or files are missing.

    Raises:
        InputError: there is no predictions.json, or no case in it.
        SettingsError: the 3D viewer is not installed.
    """
    settings = settings or ReportSettings()
    if not (results / PREDICTIONS).is_file():
        raise InputError(f"{results}: no {PREDICTIONS} in it; give a folder that kc_predict wrote")
    predictions = read_json(results / PREDICTIONS)
    labels, cases = _labels(predictions, results), predictions.get("cases") or {}
    if not cases:
        raise InputError(f"{results / PREDICTIONS}: no case in it")
    title = f"{results.resolve().name}: cartilage of {len(cases)} knees"
    if settings.with_3d:
        require_viewer()
    measures = read_measures(settings.biomarkers or results / "biomarkers", settings.biomarkers is not None)
    shown, colours = [], _colours(predictions, labels)
    for name, record in tracked(cases.items(), "drawing", len(cases)):
        shown.append(_case(name, record, results, labels, measures, settings, colours))
    path = output or results / "report.html"
    write_text(path, page(title, _data(title, predictions, results, labels, shown), settings.with_3d))
    failed = sum("error" in case for case in shown)
    say(f"{len(shown) - failed} of {len(shown)} cases have a page: {path}")
    return failed


def _data(title: str, predictions: Record, results: Path, labels: Labels, cases: list[Record]) -> Record:
    names = labels.names[1:]
    small = [name for name in names if any(word in name.lower() for word in SMALL_STRUCTURES)] or list(names)
    dice = _dice(results / "scores.json")
    for case in cases:
        case["dice"] = dice.get(case["name"])
    scored = {name for found in dice.values() for name in found}
    return {
        "title": title,
        "cases": cases,
        "volume_labels": small,
        "dice_labels": [name for name in small if name in scored],
        "ranges": {name: volume_range_ml(name) for name in names},
        "colours": {
            name: _hex(colour)
            for name, colour in zip(names, _colours(predictions, labels).values(), strict=True)
        },
        "model": model_record(predictions),
        "footer": FOOTER,
    }


def _case(
    name: str,
    record: Record,
    results: Path,
    labels: Labels,
    measures: Measures,
    settings: ReportSettings,
    colours: Mapping[int, Colour],
) -> Record:
    """Returns everything about one case; what keeps it from having a page stands in "error"."""
    if "error" in record:
        return {"name": name, "flags": [], "error": f"not segmented: {record['error']}"}
    try:
        volume, found = _read(name, record, results, settings.images)
    except KneecascadeError as error:
        warn(f"{name}: no page: {error}")
        return {
            "name": name,
            "flags": list(record["flags"]),
            "volumes_ml": record["volumes_ml"],
            "error": str(error),
        }
    axes, flips = canonical_axes(volume.geometry)
    spacing = canonical_geometry(volume.geometry).spacing_mm
    image = to_canonical(volume.array[0], axes, flips)
    classes = class_indices(to_canonical(found.array, axes, flips), labels)
    return {
        "name": name,
        "text": f"{_side_text(record)}; {_grid_text(volume)}; {_region_text(record)}",
        "doubt": doubt_of(record),
        "training_cases": (record.get("quality") or {}).get("training_cases", 0),
        "flags": list(record["flags"]),
        "volumes_ml": record["volumes_ml"],
        "region": record["region"],
        "seconds": record["seconds"],
        "planes": planes(image, classes, spacing, colours, settings.frames),
        "meshes": _meshes(name, volume, classes, labels, measures) if settings.with_3d else [],
        "maps": measures.maps(name),
        "measures": measures.rows(name),
    }


def _meshes(
    name: str, volume: Volume, classes: np.ndarray, labels: Labels, measures: Measures
) -> list[Record]:
    thickness = measures.thickness(name, volume.geometry)
    if thickness is not None:
        thickness = to_canonical(thickness, *canonical_axes(volume.geometry))
    return case_meshes(classes, canonical_geometry(volume.geometry).spacing_mm, labels, thickness)


def _side_text(record: Record) -> str:
    side = record.get("side", "unknown")
    return f"{side} knee" if side in ("left", "right") else "side unknown"


def _region_text(record: Record) -> str:
    return f"region {100 * record['region']['fraction']:.0f} % of the image"


def _grid_text(volume: Volume) -> str:
    size = " x ".join(str(n) for n in volume.geometry.shape_zyx)
    edges = " x ".join(f"{edge:.3g}" for edge in volume.geometry.spacing_mm)
    return f"{size} voxels of {edges} mm (z, y, x of the file)"


def _read(name: str, record: Record, results: Path, images: Path | None) -> tuple[Volume, LabelVolume]:
    label_file = Path(record["file"])
    if not label_file.is_file():
        label_file = results / label_file.name
    files = _image_files(name, record, images)
    volume = read_again(files, record["dicom"]) if "dicom" in record else read_volume(files)
    found = read_labels(label_file)
    difference = grid_difference(volume.geometry, found.geometry)
    if difference:
        raise InputError(f"{label_file}: {difference} differs from the image; predict again")
    return volume, found


def _image_files(name: str, record: Record, images: Path | None) -> Sequence[Path]:
    files = [Path(file) for file in record.get("images", [])]
    if images is not None:
        ending = "".join(Path(record["file"]).name.partition(".")[1:])
        there = {case.name: case.images for case in find_cases(images, ending, max(1, len(files)), True)}
        files = list(there.get(name, ()))
    if not files or not all(file.is_file() for file in files):
        raise InputError(f"the image of {name} is not there; --images FOLDER says where the images lie")
    return files


def _labels(predictions: Record, results: Path) -> Labels:
    found = predictions.get("labels") if isinstance(predictions, dict) else None
    if not isinstance(found, dict) or not found:
        raise InputError(f"{results / PREDICTIONS}: names no labels; predict again")
    return Labels(tuple(found), tuple(found.values()))


def _dice(path: Path) -> dict[str, dict[str, float | None]]:
    """Returns Dice by case and label where kc_evaluate left them, else nothing."""
    if not path.is_file():
        return {}
    cases: Mapping[str, Record] = read_json(path).get("cases", {})
    return {
        name: {label: measured.get("dice") for label, measured in found.items()}
        for name, found in cases.items()
    }


def _colours(predictions: Record, labels: Labels) -> dict[int, Colour]:
    """Returns the colours of the pictures that kc_predict draws, by class index."""
    chosen = predictions.get("colors") or {}
    pairs = zip(labels.names, default_colors(labels.names), strict=True)
    colours = enumerate(tuple(chosen.get(name, colour)) for name, colour in pairs)
    return {k: colour for k, colour in colours if k}


def _hex(colour: Colour) -> str:
    red, green, blue = colour
    return f"#{red:02x}{green:02x}{blue:02x}"
