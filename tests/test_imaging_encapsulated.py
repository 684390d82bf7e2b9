"""Compressed frames through SimpleITK."""

from __future__ import annotations

from pathlib import Path

import pytest

from kneecascade.errors import ImageError
from kneecascade.imaging.encapsulated import decode_frame


def test_what_cannot_be_decoded_is_an_error() -> None:
    def junk(path: Path) -> None:
        path.write_bytes(b"junk" * 100)

    with pytest.raises(ImageError, match="cannot be decoded"):
        decode_frame(junk)
