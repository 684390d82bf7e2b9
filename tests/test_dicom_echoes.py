"""Which echo, or what of all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_files import Stack, random_stack, series_tags, write_series

from kneecascade.dicom.echoes import check_echo, echo_stacks, read_channels, read_combined
from kneecascade.dicom.grouping import ImageSet, group
from kneecascade.dicom.scan import scan
from kneecascade.errors import ImageError, SettingsError


@pytest.fixture
def pair(tmp_path: Path) -> tuple[ImageSet, list[Stack]]:
    tags = series_tags()
    stacks = [random_stack(k, tags={"EchoNumbers": k, "EchoTime": str(10 * k)}) for k in (1, 2)]
    for k, stack in enumerate(stacks):
        write_series(tmp_path, stack, tags, first=1 + 100 * k)
    (found,) = group(scan(tmp_path).frames)
    return found, stacks


def test_combinations(pair: tuple[ImageSet, list[Stack]]) -> None:
    found, (one, two) = pair
    a, b = one.array.astype(float), two.array.astype(float)
    np.testing.assert_allclose(read_combined(found.stacks, "rss").array[0], np.hypot(a, b), rtol=1e-6)
    np.testing.assert_allclose(read_combined(found.stacks, "mean").array[0], (a + b) / 2, rtol=1e-6)
    assert read_combined(found.stacks, "rss").array.dtype == np.float32
    both = read_channels(found.stacks)
    np.testing.assert_array_equal(both.array, np.stack([a, b]))
    np.testing.assert_array_equal(read_combined(found.stacks[1:], "rss").array[0], b)


def test_an_echo_by_its_number(pair: tuple[ImageSet, list[Stack]]) -> None:
    found, _ = pair
    assert echo_stacks(found, "2") == (found.stacks[1],)
    assert echo_stacks(found, None) == echo_stacks(found, "rss") == found.stacks
    with pytest.raises(ImageError, match="has no echo 3; there: 1, 2"):
        echo_stacks(found, "3")


@pytest.mark.parametrize("echo", ["", "0", "-1", "max", "1,2", "1.0"])
def test_nonsense_is_refused(echo: str) -> None:
    with pytest.raises(SettingsError, match="rss or mean"):
        check_echo(echo)


def test_sense_is_not() -> None:
    for echo in (None, "1", "12", "rss", "mean"):
        check_echo(echo)
