from __future__ import annotations

import pytest

from kneecascade.evaluation.thickness import volume_over_half_surface_mm


def test_a_wide_sheet_and_nothing() -> None:
    assert volume_over_half_surface_mm(2.5 * 100, 2 * 100) == pytest.approx(2.5)
    assert volume_over_half_surface_mm(0.0, 0.0) is None
