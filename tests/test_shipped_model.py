"""The model that comes along: small, whole, and able to find a knee it never saw."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
import torch
from source import ROOT

from kneecascade.core.case import Volume
from kneecascade.core.geometry import Geometry
from kneecascade.evaluation.quality_file import read_reference
from kneecascade.inference.cascade import load_cascade
from kneecascade.phantom.leg import make_leg
from kneecascade.pipeline.pack_model import OF_IMAGES
from kneecascade.pipeline.shipped import DEFAULT, folder_bytes, read_card, shipped_models
from kneecascade.training.paint import Painting, paint

MOST_BYTES = 20_000_000
LEAST_DICE = {"femur": 0.8, "tibia": 0.8, "femoral_cartilage": 0.5, "tibial_cartilage": 0.4}
"""Far below what it reaches: a broken file or another normalisation scores next to nothing."""
SPACING = (1.2, 1.2, 1.2)


@pytest.fixture(scope="module")
def folder() -> Path:
    return shipped_models()[DEFAULT]


def test_it_is_small_and_says_what_it_is(folder: Path) -> None:
    assert folder_bytes(folder) <= MOST_BYTES
    card = read_card(folder)
    assert {"licence", "trained_on", "command", "seed", "limits", "kneecascade"} <= set(card)
    assert "procedural" in card["trained_on"]
    text = (ROOT / "documentation/model_card.md").read_text("utf-8")
    assert card["command"] in text


def test_it_knows_how_sure_it_should_be_and_no_limits_of_images(folder: Path) -> None:
    reference = read_reference(folder)
    assert reference is not None
    there = {(limit.check, limit.what) for limit in reference.limits}
    for name in reference.labels.foreground:
        assert {("entropy", name), ("soft Dice", name)} <= there
    assert not {check for check, _ in there} & set(OF_IMAGES)


def test_every_file_of_it_is_installed(folder: Path) -> None:
    patterns = re.findall(r'"(models/[^"]+)"', (ROOT / "setup.py").read_text("utf-8"))
    assert patterns
    for file in folder.rglob("*"):
        if file.is_file():
            name = file.relative_to(folder.parent.parent).as_posix()
            levels = [p for p in patterns if p.count("/") == name.count("/") and fnmatch(name, p)]
            assert levels, name


def test_it_finds_a_freshly_painted_knee(folder: Path) -> None:
    leg = make_leg((20261122, 5), SPACING, "left")
    painting = Painting(thick_share=0.0)
    tissue = torch.from_numpy(leg.tissues)
    image = paint(
        tissue, SPACING, np.random.default_rng(1), torch.Generator().manual_seed(1), painting, "DESS"
    )
    z, y, x = leg.labels.shape
    volume = Volume(
        image.numpy(), Geometry((z, y, x), SPACING, (0.0, 0.0, 0.0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))
    )
    cascade = load_cascade(folder, None, "cpu")
    # the file's x and y run against the canonical axes, so the canonical map is turned to it
    wanted = leg.labels[:, ::-1, ::-1]
    turned = Volume(np.ascontiguousarray(volume.array[:, :, ::-1, ::-1]), volume.geometry)
    found = cascade.predict(turned).labels.array
    names = cascade.plan.labels
    for name, least in LEAST_DICE.items():
        a, b = found == names.values[names.index(name)], wanted == names.index(name)
        assert 2 * (a & b).sum() / (a.sum() + b.sum()) > least, name
