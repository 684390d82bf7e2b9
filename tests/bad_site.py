"""A small workspace with a data set, its plan, a trained model and images, for tests to spoil."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from plans import tiny_plan
from raw_folder import write_case_files, write_raw
from tiny_models import knee

from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Geometry
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.inference.folds import weights_file
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import save_weights
from kneecascade.pipeline.plan_and_preprocess import prepare_case
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.plan_file import write_plan
from kneecascade.preprocessing.store import case_key
from kneecascade.workspace import PLAN, STORE

NAME = "Dataset001_Tiny"


@dataclass(frozen=True)
class Site:
    """Where everything lies.

    Attributes:
        root: holds the workspace, `images` to predict, and room for outputs.
    """

    root: Path

    @property
    def workspace(self) -> Path:
        """The workspace of the commands."""
        return self.root / "workspace"

    @property
    def raw(self) -> Path:
        """The raw data set, three cases to train and one to test."""
        return self.workspace / "raw" / NAME

    @property
    def preprocessed(self) -> Path:
        """Its plan and store."""
        return self.workspace / "preprocessed" / NAME

    @property
    def model(self) -> Path:
        """A model whose fold 0 is trained."""
        return self.workspace / "results" / NAME

    @property
    def images(self) -> Path:
        """Two images to predict: one.nii.gz, two.nii.gz."""
        return self.root / "images"

    @property
    def out(self) -> Path:
        """Where results go; not there yet."""
        return self.root / "out"

    def edit(self, path: Path, change: Callable[[Any], Any]) -> None:
        """Reads JSON, changes it in place or takes what is returned, writes it back."""
        data = json.loads(path.read_text("utf-8"))
        changed = change(data)
        path.write_text(json.dumps(data if changed is None else changed), "utf-8")

    def image(self, name: str, array: np.ndarray, ending: str = ".nii.gz", **geometry: Any) -> Path:
        """Writes an image with this name into `images`."""
        path = self.images / f"{name}{ending}"
        write_channel(array.astype(np.float32), Geometry(array.shape, (1.0, 1.0, 1.0), **geometry), path)
        return path

    def relabel(self, array: np.ndarray, **geometry: Any) -> None:
        """Writes other labels for case1 of the data set."""
        grid = {"spacing_mm": (1.0, 1.0, 1.0), **geometry}
        write_labels(
            LabelVolume(array, Geometry(array.shape, **grid)), self.raw / "labelsTr" / "case1.nii.gz"
        )


def build_site(root: Path) -> Site:
    """Makes everything; the networks are not trained, their weights are drawn."""
    site = Site(root)
    raw = read_dataset(write_raw(site.raw, cases=3, test=1))
    plan = tiny_plan()
    write_plan(plan, site.preprocessed / PLAN)
    for case in raw.training:
        prepare_case((case, case_key(case, plan)), plan, site.preprocessed / STORE)
    torch.manual_seed(0)
    for stage, stage_plan in (("coarse", plan.coarse), ("fine", plan.fine)):
        save_weights(weights_file(site.model / "fold_0", stage), build_network(stage_plan.network), {})  # type: ignore[arg-type]
    write_plan(plan, site.model / "fold_0" / PLAN)
    for k, name in enumerate(("one", "two")):
        volume, _ = knee(k)
        write_channel(volume.array[0], volume.geometry, site.images / f"{name}.nii.gz")
    write_case_files(site.root / "reference", "one", part="")
    return site
