"""Miniature copies of public data sets, in the layouts in which they are published.

A knee here is made of blocks: femur above tibia, patella's cartilage in front, the medial side wider than
the lateral one, so that a wrong turn of any axis is seen. Bone is dark, cartilage bright.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

BACKGROUND, BONE, CARTILAGE = 60, 20, 150
SHAPE = (24, 20, 16)
"""Foot to head, front to back, right to left."""


def block_knee(side: str = "right", shape: Sequence[int] = SHAPE) -> dict[str, np.ndarray]:
    """Returns a mask (Z, Y, X) of every structure, in canonical axes."""
    nz, ny, nx = shape
    z, y, x = np.ogrid[:nz, :ny, :nx]
    z, y, x = (index / n for index, n in zip((z, y, x), shape, strict=True))
    # 0 is the medial edge: the patient's left of a right knee
    across = 1 - x if side == "right" else x
    columns = (y > 0.25) & (y < 0.85)
    medial, lateral = (across > 0.1) & (across < 0.46), (across > 0.56) & (across < 0.8)
    both = (across > 0.1) & (across < 0.8)
    knee = {
        "femur": (z > 0.62) & columns & both,
        "femoral_cartilage": (z > 0.52) & (z <= 0.62) & columns & both,
        "medial_meniscus": (z > 0.44) & (z <= 0.52) & (y > 0.6) & (y < 0.8) & medial,
        "lateral_meniscus": (z > 0.44) & (z <= 0.52) & (y > 0.4) & (y < 0.55) & lateral,
        "medial_tibial_cartilage": (z > 0.36) & (z <= 0.44) & columns & medial,
        "lateral_tibial_cartilage": (z > 0.36) & (z <= 0.44) & columns & lateral,
        "tibia": (z <= 0.36) & (z > 0.05) & columns & both,
        "patellar_cartilage": (y > 0.1)
        & (y <= 0.18)
        & (z > 0.6)
        & (z < 0.8)
        & (across > 0.3)
        & (across < 0.6),
    }
    return {name: np.broadcast_to(mask, shape) for name, mask in knee.items()}


def labels_of(knee: dict[str, np.ndarray], values: dict[str, int]) -> np.ndarray:
    """Returns uint8 labels; "tibial_cartilage" stands for both of its parts where they have no values."""
    labels = np.zeros(knee["femur"].shape, np.uint8)
    for structure, mask in knee.items():
        value = values.get(structure, values.get(structure.partition("_")[2], 0))
        labels[mask] = value if value else labels[mask]
    return labels


def grey_image(knee: dict[str, np.ndarray], seed: int = 0) -> np.ndarray:
    """Returns an int16 image with a different number in nearly every voxel."""
    shape = next(iter(knee.values())).shape
    image = np.full(shape, BACKGROUND, float)
    for name, mask in knee.items():
        image[mask] = BONE if name in ("femur", "tibia") else CARTILAGE
    return np.rint(image + np.random.default_rng(seed).normal(0, 6, shape)).clip(1).astype(np.int16)


def write_nifti(path: Path, array_zyx: np.ndarray, spacing_xyz: Sequence[float] = (0.7, 0.4, 0.4)) -> None:
    """Writes a canonical array: file axes run right to left, front to back, foot to head."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(array_zyx))
    image.SetSpacing([float(mm) for mm in spacing_xyz])
    image.SetOrigin((-30.0, 12.0, 5.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


def write_mhd(path: Path, array_zyx: np.ndarray, spacing_xyz: Sequence[float]) -> None:
    """Writes a header and raw data by hand: axial axes, whatever the voxels are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {"uint8": "MET_UCHAR", "int16": "MET_SHORT"}[str(array_zyx.dtype)]
    raw = path.with_suffix(".raw")
    raw.write_bytes(np.ascontiguousarray(array_zyx).tobytes())
    lines = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "0 0 0",
        "CenterOfRotation": "0 0 0",
        "AnatomicalOrientation": "RAI",
        "ElementSpacing": " ".join(map(str, spacing_xyz)),
        "DimSize": " ".join(map(str, array_zyx.shape[::-1])),
        "ElementType": kind,
        "ElementDataFile": raw.name,
    }
    path.write_text("\n".join(f"{key} = {value}" for key, value in lines.items()) + "\n")


def write_hdf5(path: Path, **arrays: np.ndarray) -> None:
    """Writes arrays under their keys."""
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for key, array in arrays.items():
            file.create_dataset(key, data=array)


CM_VALUES = {
    "femur": 1,
    "femoral_cartilage": 2,
    "tibia": 3,
    "medial_tibial_cartilage": 4,
    "lateral_tibial_cartilage": 5,
}
BONE_VALUES = {"femur": 1, "femoral_cartilage": 2, "tibia": 3, "tibial_cartilage": 4}
SOFT = (
    "femoral_cartilage",
    "medial_tibial_cartilage",
    "lateral_tibial_cartilage",
    "patellar_cartilage",
    "medial_meniscus",
    "lateral_meniscus",
)
SKM_VALUES = {
    "patellar_cartilage": 1,
    "femoral_cartilage": 2,
    "medial_tibial_cartilage": 3,
    "lateral_tibial_cartilage": 4,
    "medial_meniscus": 5,
    "lateral_meniscus": 6,
}


def write_oaizib_cm(source: Path, training: int = 2, tests: int = 1, shape: Sequence[int] = SHAPE) -> Path:
    """Writes OAIZIB-CM; odd knees are right, even ones left; one person a knee, grades 0 to 4 in turn."""
    import openpyxl

    (source / "info").mkdir(parents=True)
    sides = []
    header = ["CMT-ID", "SubjectID", "KneeSide", "Gender", "Age", "BMI", "KLGrade"]
    for part, word, numbers in (
        ("Tr", "train", range(1, training + 1)),
        ("Ts", "test", range(training + 1, training + tests + 1)),
    ):
        book = openpyxl.Workbook()
        book.active.append(header)
        for number in numbers:
            side = "right" if number % 2 else "left"
            knee = block_knee(side, shape)
            write_nifti(source / f"images{part}/oaizib_{number:03d}_0000.nii.gz", grey_image(knee, number))
            write_nifti(source / f"labels{part}/oaizib_{number:03d}.nii.gz", labels_of(knee, CM_VALUES))
            sides.append(f"oaizib_{number:03d}.nii.gz,{side}")
            book.active.append([number, 9000000 + number, 1 if number % 2 else 2, 1, 60, 25.5, number % 5])
        book.save(source / f"info/subInfo_{word}.xlsx")
    (source / "info/kneeSideInfo.csv").write_text("\n".join(sides) + "\n")
    return source


def write_oai_zib(source: Path, images: Path, numbers: Sequence[int], shape: Sequence[int] = SHAPE) -> Path:
    """Writes OAI-ZIB masks on permuted, flipped voxels with a wrong grid, and OAI images beside them."""
    for k, number in enumerate(numbers):
        knee = block_knee("right", shape)
        write_nifti(images / f"{number}_DESS.nii.gz", grey_image(knee, k))
        labels = labels_of(knee, BONE_VALUES)
        # the mask's slices come last and run the other way, its rows run upwards
        broken = labels.transpose(1, 0, 2)[:, ::-1, ::-1]
        write_mhd(
            source / f"segmentation/segmentation_masks/{number}.segmentation_masks.mhd",
            np.ascontiguousarray(broken),
            (0.36, 0.36, 0.7),
        )
    doc = source / "segmentation/doc"
    doc.mkdir()
    half = len(numbers) // 2
    for k, part in enumerate((numbers[:half], numbers[half:])):
        (doc / f"2foldCrossValidation-List{k + 1}.txt").write_text("\n".join(map(str, part)) + "\n")
    lines = [f"{number}: 0.C.2/{number}/20050101/{k}" for k, number in enumerate(numbers)]
    (doc / "oai_mri_paths.txt").write_text("\n".join(lines) + "\n")
    return source


def write_ski10(source: Path, numbers: Sequence[int] = (1, 2, 61, 101), shape: Sequence[int] = SHAPE) -> Path:
    """Writes SKI10: file axes run front to back, head to foot, left to right under an axial header."""
    for number in numbers:
        knee = block_knee("left", shape)
        for array, word in ((grey_image(knee, number), "image"), (labels_of(knee, BONE_VALUES), "labels")):
            if word == "labels" and number > 100:
                continue
            sagittal = array.transpose(2, 0, 1)[::-1, ::-1]
            write_mhd(source / f"{word}-{number:03d}.mhd", sagittal, (0.39, 0.39, 1.0))
    return source


def write_iwoai2019(source: Path, people: dict[str, int] | None = None, shape: Sequence[int] = SHAPE) -> Path:
    """Writes the challenge's HDF5 files, two visits a person; the lateral meniscus is the fifth mask."""
    for part, count in (people or {"train": 2, "valid": 1, "test": 1}).items():
        for person in range(1, count + 1):
            for visit in (0, 1):
                knee = block_knee("right" if person % 2 else "left", shape)
                masks = [knee[name] for name in (*SOFT[:4], SOFT[5], SOFT[4])]
                stem = source / part / f"{part}_{person:03d}_V{visit:02d}"
                image = grey_image(knee, 10 * person + visit).astype(np.float32)
                # rows from head to foot, columns front to back, slices left to right
                write_hdf5(stem.with_suffix(".im"), data=image[::-1, :, ::-1])
                one_hot = np.stack(masks, axis=-1).astype(np.uint8)
                write_hdf5(stem.with_suffix(".seg"), data=one_hot[::-1, :, ::-1])
    return source


def write_skm_tea(source: Path, counts: Sequence[int] = (2, 1, 1), shape: Sequence[int] = SHAPE) -> Path:
    """Writes SKM-TEA; every second scan runs right to left instead of left to right."""
    number = 0
    for split, count in zip(("train", "val", "test"), counts, strict=True):
        entries = []
        for _ in range(count):
            number += 1
            name, reverse = f"MTR_{number:03d}", number % 2 == 0
            knee = block_knee("right", shape)
            axes = ["SI", "AP", "RL" if reverse else "LR"]
            turn = (slice(None, None, -1), slice(None), slice(None, None, None if reverse else -1))
            first = grey_image(knee, number)
            echoes = {"echo1": first[turn], "echo2": (first // 2)[turn]}
            one_hot = np.stack([knee[structure] for structure in SKM_VALUES], axis=-1)[turn]
            write_hdf5(source / f"image_files/{name}.h5", **echoes, seg=one_hot.astype(np.uint8))
            mask = source / f"segmentation_masks/dicom-track/{name}.nii.gz"
            write_nifti(mask, labels_of(knee, SKM_VALUES), (0.8, 0.3125, 0.3125))
            entries.append(
                {
                    "id": number,
                    "file_name": f"{name}.h5",
                    "scan_id": name,
                    "subject_id": number,
                    "timepoint": 0,
                    "voxel_spacing": [0.3125, 0.3125, 0.8],
                    "matrix_shape": list(shape),
                    "orientation": axes,
                    "num_echoes": 2,
                }
            )
        file = source / f"annotations/v1.0.0/{split}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"info": {}, "categories": [], "images": entries, "annotations": []}))
    return source
