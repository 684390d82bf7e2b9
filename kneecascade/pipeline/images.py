"""Which images a command was given: a folder of them, one file, or DICOM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kneecascade.core.case import Case
from kneecascade.dicom.sniff import has_preamble, holds_dicom, is_dicom
from kneecascade.errors import InputError, SettingsError
from kneecascade.planning.dataset_folder import find_cases

if TYPE_CHECKING:
    from kneecascade.dicom.source import Source

ENDINGS = (".nii.gz", ".nii", ".mha", ".mhd", ".nrrd", ".gipl", ".gipl.gz", ".hdr", ".img", ".img.gz")
"""Endings of 3D images that SimpleITK reads and writes."""
DICOM_RESULT = ".nii.gz"


@dataclass(frozen=True)
class Job:
    """One image to segment.

    Attributes:
        case: its name and files.
        output: where its labels go.
        source: the DICOM images it comes of; None where the files are images themselves.
    """

    case: Case
    output: Path
    source: Source | None = None


def find_jobs(
    inputs: Path,
    output: Path,
    channels: int,
    file_ending: str,
    series: str | None = None,
    echo: str | None = None,
) -> list[Job]:
    """Lists the images of a folder, or the one image of a file, with their outputs.

    Args:
        inputs: a folder of images or an image; channels are name_0000, name_0001 and so on, a single
            channel needs no suffix.
        output: a folder; may be a file where `inputs` is one.
        channels: of the model.
        file_ending: of the model's data set, looked for first.
        series: which DICOM series; None for all.
        echo: which echo of a DICOM series; None for root-sum-of-squares.

    Raises:
        InputError: there is no such file or folder, or no image in it.
        SettingsError: a result would overwrite an image; a DICOM setting without DICOM.
    """
    if _is_dicom_input(inputs, file_ending):
        return _jobs_of_dicom(inputs, output, _find_sources(inputs, channels, series, echo))
    if series or echo:
        raise SettingsError(f"{inputs}: --series and --echo are for DICOM, and here is none")
    if inputs.is_dir():
        if image_ending(output) or output.is_file():
            raise SettingsError(f"{output}: give a folder as output for a folder of images")
        jobs = _jobs_of_folder(inputs, output, channels, file_ending)
    elif inputs.is_file():
        jobs = [_job_of_file(inputs, output, channels)]
    else:
        raise InputError(f"{inputs}: no such file or folder")
    for job in jobs:
        if job.output.resolve() in {image.resolve() for image in job.case.images}:
            raise SettingsError(f"{job.output}: would overwrite the image; choose another output")
    return jobs


def check_dicom_seg(jobs: Sequence[Job]) -> None:
    """Checks that DICOM segmentations can be written.

    Raises:
        SettingsError: the images are no DICOM.
        MissingExtraError: highdicom is not installed.
    """
    from kneecascade.dicom.segmentation import require_highdicom

    require_highdicom()
    for job in jobs:
        if job.source is None:
            raise SettingsError(
                f"--dicom-seg: {job.case.name} is no DICOM; a segmentation refers to DICOM images"
            )


def image_ending(path: Path, more: Sequence[str] = ()) -> str:
    """Returns the ending of an image's file name, with its dot; "" where it is none."""
    fitting = [ending for ending in (*more, *ENDINGS) if path.name.endswith(ending)]
    return max(fitting, key=len, default="")


def strip_ending(path: Path) -> str:
    """Returns the file name without the image ending."""
    return path.name.removesuffix(image_ending(path))


def _is_dicom_input(inputs: Path, file_ending: str) -> bool:
    """Tells whether there is DICOM, and no image file of another kind at the top of the folder."""
    if not inputs.is_dir():
        # the bytes of other images may happen to look like the start of a file without preamble
        return has_preamble(inputs) or (not image_ending(inputs, (file_ending,)) and is_dicom(inputs))
    endings = dict.fromkeys((file_ending, *ENDINGS))
    images = (path for ending in endings for path in inputs.glob(f"*{ending}"))
    return all(has_preamble(path) for path in images) and holds_dicom(inputs)


def _find_sources(folder: Path, channels: int, series: str | None, echo: str | None) -> dict[str, Source]:
    from kneecascade.pipeline.dicom_images import find_sources  # pydicom is loaded for DICOM alone

    return find_sources(folder, channels, series, echo)


def _jobs_of_dicom(inputs: Path, output: Path, sources: dict[str, Source]) -> list[Job]:
    if not image_ending(output):
        return [_job_of_source(n, output / f"{n}{DICOM_RESULT}", s) for n, s in sources.items()]
    if len(sources) > 1:
        raise SettingsError(f"{output}: {inputs} holds {len(sources)} volumes; give a folder as output")
    return [_job_of_source(strip_ending(output), output, source) for source in sources.values()]


def _job_of_source(name: str, output: Path, source: Source) -> Job:
    return Job(Case(name, source.files, side=source.side), output, source)


def _jobs_of_folder(folder: Path, output: Path, channels: int, file_ending: str) -> list[Job]:
    jobs: dict[str, Job] = {}
    for ending in dict.fromkeys((file_ending, *ENDINGS)):
        for case in find_cases(folder, ending, channels, single_ok=True):
            if case.name in jobs:
                raise InputError(f"{folder}: {case.name} is there with two endings; remove one")
            jobs[case.name] = Job(case, output / f"{case.name}{ending}")
    if not jobs:
        like = f"name{file_ending}" if channels == 1 else f"name_0000{file_ending} to name_{channels - 1:04d}"
        raise InputError(f"{folder}: no images in it; expected files like {like}")
    return [jobs[name] for name in sorted(jobs)]


def _job_of_file(file: Path, output: Path, channels: int) -> Job:
    ending = image_ending(file) or file.suffix
    match = re.fullmatch(r"(.+)_\d{4}", file.name.removesuffix(ending))
    if match:
        name = match[1]
        images = tuple(file.with_name(f"{name}_{k:04d}{ending}") for k in range(channels))
    elif channels == 1:
        name, images = file.name.removesuffix(ending), (file,)
    else:
        raise InputError(f"{file}: the model needs {channels} channels, name_0000{ending} and so on")
    target = output if image_ending(output) and not output.is_dir() else output / f"{name}{ending}"
    return Job(Case(name, images), target)
