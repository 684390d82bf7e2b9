"""Values and grids of series in every encoding, held against the arrays and SimpleITK's series reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_files import Stack, enhanced, random_stack, series_tags, slices, write, write_series
from pydicom.dataset import Dataset
from pydicom.uid import (
    JPEG2000,
    MPEG4HP41,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from kneecascade.dicom import pixels
from kneecascade.dicom.grouping import ImageSet, group
from kneecascade.dicom.pixels import read_stack
from kneecascade.dicom.scan import scan
from kneecascade.errors import ImageError, MissingExtraError

PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
ENCODER = {JPEG2000Lossless: "openjpeg", JPEGLSLossless: "jpeg_ls", RLELossless: "pydicom"}
syntaxes = pytest.mark.parametrize("syntax", [*PLAIN, *ENCODER], ids=lambda syntax: UID(syntax).keyword)


def need_encoder(syntax: UID) -> None:
    if syntax in ENCODER:
        pytest.importorskip(ENCODER[syntax])


def sets_in(folder: Path) -> list[ImageSet]:
    return group(scan(folder).frames)


@syntaxes
@pytest.mark.parametrize("kind", [np.uint16, np.int16, np.uint8])
def test_every_encoding_gives_the_stored_values(tmp_path: Path, syntax: UID, kind: type) -> None:
    need_encoder(syntax)
    low = -900 if kind is np.int16 else 0
    array = np.random.default_rng(1).integers(low, 250, (8, 33, 40)).astype(kind)
    write_series(tmp_path, Stack(array, angles=(12.0, -8.0)), series_tags(), syntax)
    (found,) = sets_in(tmp_path)
    values = read_stack(found.stacks[0])
    assert values.dtype == kind
    np.testing.assert_array_equal(values, array)


@syntaxes
def test_the_grid_is_that_of_simpleitk(tmp_path: Path, syntax: UID) -> None:
    need_encoder(syntax)
    stack = random_stack(2, shape=(9, 33, 40), angles=(12.0, -8.0), spacing_mm=(0.7, 0.36, 0.37))
    write_series(tmp_path, stack, series_tags(), syntax)
    (found,) = sets_in(tmp_path)
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path))
    image = sitk.ReadImage(names)
    geometry = found.stacks[0].geometry
    assert geometry is not None
    assert [str(frame.path) for frame in found.stacks[0].frames] == list(names)
    np.testing.assert_allclose(geometry.spacing_mm[::-1], image.GetSpacing(), atol=1e-5)
    np.testing.assert_allclose(geometry.origin_mm_xyz, image.GetOrigin(), atol=1e-5)
    np.testing.assert_allclose(geometry.direction_xyz, image.GetDirection(), atol=1e-6)
    np.testing.assert_array_equal(read_stack(found.stacks[0]), sitk.GetArrayFromImage(image))


@pytest.mark.parametrize(
    ("syntax", "encoder", "options"),
    [(JPEG2000, "openjpeg", {"j2k_cr": [4]}), (JPEGLSNearLossless, "jpeg_ls", {"jls_error": 3})],
    ids=["JPEG2000", "JPEGLSNearLossless"],
)
def test_lossy_pixels_are_those_of_simpleitk(
    tmp_path: Path, syntax: UID, encoder: str, options: dict[str, object]
) -> None:
    pytest.importorskip(encoder)
    stack = random_stack(4, shape=(8, 33, 40))
    for path in write_series(tmp_path, stack, series_tags()):
        image = pydicom.dcmread(path)
        image.compress(syntax, generate_instance_uid=False, **options)
        image.save_as(path)
    (found,) = sets_in(tmp_path)
    values = read_stack(found.stacks[0])
    read = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path)))
    np.testing.assert_array_equal(values, sitk.GetArrayFromImage(read))
    assert np.abs(values.astype(int) - stack.array).max() > 0


def test_twelve_bits_of_sixteen(tmp_path: Path) -> None:
    array = np.random.default_rng(1).integers(0, 4096, (8, 6, 6)).astype(np.uint16)
    for k, image in enumerate(slices(Stack(array), series_tags())):
        image.BitsStored, image.HighBit = 12, 11
        write(image, tmp_path / str(k))
    np.testing.assert_array_equal(read_stack(sets_in(tmp_path)[0].stacks[0]), array)


def test_each_slice_has_its_own_scale(tmp_path: Path) -> None:
    stack = random_stack(shape=(8, 6, 7))
    for k, image in enumerate(slices(stack, series_tags())):
        image.RescaleSlope, image.RescaleIntercept = str(1 + 0.25 * k), str(-k)
        write(image, tmp_path / f"{k}")
    values = read_stack(sets_in(tmp_path)[0].stacks[0])
    factor, offset = 1 + 0.25 * np.arange(8), -np.arange(8)
    expected = stack.array * factor[:, None, None] + offset[:, None, None]
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, expected, rtol=1e-6)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless])
def test_a_multi_frame_file_is_sorted_and_scaled_frame_by_frame(tmp_path: Path, syntax: UID) -> None:
    need_encoder(syntax)
    stacks = [random_stack(k, shape=(9, 33, 40), angles=(3.0, 5.0)) for k in (1, 2)]
    slopes = [1 + 0.5 * k for k in range(9)]
    write(enhanced(stacks, series_tags(), slopes), tmp_path / "enhanced", syntax)
    (found,) = sets_in(tmp_path)
    assert len(found.stacks) == 2
    for stack, made in zip(found.stacks, stacks, strict=True):
        expected = made.array * np.array(slopes)[:, None, None] - 3
        np.testing.assert_allclose(read_stack(stack), expected, rtol=1e-6)
        assert stack.geometry is not None
        np.testing.assert_allclose(stack.geometry.origin_mm_xyz, made.origin, atol=1e-5)
        np.testing.assert_allclose(stack.geometry.spacing_mm, made.spacing_mm, atol=1e-5)


def test_384_slices_without_a_word_about_types(tmp_path: Path) -> None:
    stack = random_stack(shape=(384, 3, 4), spacing_mm=(0.36, 0.36, 0.36))
    write_series(tmp_path, stack, series_tags(), ImplicitVRLittleEndian)
    (found,) = sets_in(tmp_path)
    np.testing.assert_array_equal(read_stack(found.stacks[0]), stack.array)


def test_files_without_preamble_are_read(tmp_path: Path) -> None:
    stack = random_stack(shape=(8, 5, 6))
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian):
        folder = tmp_path / syntax.keyword
        folder.mkdir()
        for path in write_series(tmp_path / "whole", stack, series_tags(), syntax):
            data = path.read_bytes()
            length = int.from_bytes(data[140:144], "little")
            (folder / path.name).write_bytes(data[144 + length :])
        np.testing.assert_array_equal(read_stack(sets_in(folder)[0].stacks[0]), stack.array)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless])
def test_a_broken_slice_is_named(tmp_path: Path, syntax: UID) -> None:
    need_encoder(syntax)
    paths = write_series(tmp_path, random_stack(shape=(8, 33, 40)), series_tags(), syntax)
    paths[4].write_bytes(paths[4].read_bytes()[:-300])
    (found,) = sets_in(tmp_path)
    with pytest.raises(ImageError, match=rf"slice 5 \({paths[4].name}\)"):
        read_stack(found.stacks[0])


@pytest.mark.parametrize("syntax", ENCODER, ids=lambda syntax: UID(syntax).keyword)
def test_compressed_pixels_need_no_decoder_of_pydicom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, syntax: UID
) -> None:
    need_encoder(syntax)
    stack = random_stack(shape=(8, 33, 40))
    write_series(tmp_path, stack, series_tags(), syntax)
    monkeypatch.setattr(pixels, "iter_pixels", None)
    np.testing.assert_array_equal(read_stack(sets_in(tmp_path)[0].stacks[0]), stack.array)


def test_an_encoding_that_nothing_decodes_names_the_extra(tmp_path: Path) -> None:
    paths = write_series(tmp_path, random_stack(shape=(8, 33, 40)), series_tags(), RLELossless)
    for path in paths:
        image = pydicom.dcmread(path)
        image.file_meta.TransferSyntaxUID = MPEG4HP41  # films, which no decoder of images reads
        image.save_as(path)
    (found,) = sets_in(tmp_path)
    with pytest.raises(MissingExtraError, match=r"slice \d+ \(IM\d+\): .*kneecascade\[dicom\]"):
        read_stack(found.stacks[0])


def test_the_real_series_are_read_as_simpleitk_reads_them(repository: Path) -> None:
    real = repository.parent / "shared/data/knee_dess_dicom"
    if not real.is_dir():
        pytest.skip("the sample is not here")
    (found,) = sets_in(real)
    assert found.echoes == (1, 2)
    for stack, folder in zip(found.stacks, ("echo_1", "echo_2"), strict=True):
        image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(real / folder)))
        geometry = stack.geometry
        assert geometry is not None
        np.testing.assert_allclose(geometry.spacing_mm[::-1], image.GetSpacing(), atol=1e-6)
        np.testing.assert_allclose(geometry.origin_mm_xyz, image.GetOrigin(), atol=1e-6)
        np.testing.assert_allclose(geometry.direction_xyz, image.GetDirection(), atol=1e-6)
        np.testing.assert_array_equal(read_stack(stack), sitk.GetArrayFromImage(image))


def test_a_refused_stack_is_not_read(tmp_path: Path) -> None:
    images: list[Dataset] = slices(random_stack(shape=(9, 5, 6)), series_tags())
    del images[4]
    for k, image in enumerate(images):
        write(image, tmp_path / str(k))
    with pytest.raises(ImageError, match="missing slice"):
        read_stack(sets_in(tmp_path)[0].stacks[0])
