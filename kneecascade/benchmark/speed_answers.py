"""Inside a timed kc_predict: untrained networks do their full work, their answers become known ones.

So regions, results and files are those of a trained model, and no time goes into training one. What
replacing the answers costs is measured and told, to be taken off. Starts with `install`, before the command.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kneecascade import allocator
from kneecascade.core.geometry import Int3
from kneecascade.files import write_json
from kneecascade.imaging import components
from kneecascade.inference import cascade, plain

COARSE_FILE, FINE_FILE = "coarse_classes.npy", "fine_classes.npy"


class Answers:
    """Class indices of one knee on both whole grids, given as probabilities of 0 and 1.

    Args:
        folder: with COARSE_FILE and FINE_FILE, uint8 (Z, Y, X).
    """

    def __init__(self, folder: Path) -> None:
        self.coarse = np.load(folder / COARSE_FILE, mmap_mode="r")
        self.fine = np.load(folder / FINE_FILE, mmap_mode="r")
        self.wide: Any = None

    def write(self, probabilities: np.ndarray) -> None:
        """Overwrites a stage's probabilities (K, z, y, x); the fine stage's are those of `self.wide`."""
        classes = self.coarse
        if probabilities.shape[1:] != classes.shape:
            classes = self.fine[self.wide.slices]
        if probabilities.shape[1:] != classes.shape:
            raise ValueError(f"no answer known for a grid of {probabilities.shape[1:]}")
        for k, probability in enumerate(probabilities):
            np.equal(classes, k, out=probability)


def install(marks_file: Path, answers_folder: Path, in_plain_float32: bool = False) -> None:
    """Wraps the steps of the cascade; what happened when is written as the process ends.

    Args:
        marks_file: gets "imported" and "loaded" (seconds since the epoch), "networks_s" (coarse and fine
            in turn), "answers_s" (what the replacing took in all), "fractions" (of each region).
        answers_folder: see `Answers`.
        in_plain_float32: do without every speed-up of the networks (`inference.plain`).
    """
    answers = Answers(answers_folder)
    marks: dict[str, Any] = {"imported": time.time(), "networks_s": [], "answers_s": 0.0, "fractions": []}
    load, stage, region = (getattr(cascade, name) for name in ("load_folds", "predict_stage", "find_region"))
    if in_plain_float32:
        setattr(allocator, "tune_allocator", lambda: False)  # noqa: B010 - mypy minds the plain way

    def loaded(folders: Sequence[Path], device: Any, limits: Any, tta: bool, backend: str) -> Any:
        plainly = (folders, device, limits, tta)  # plain torch is its own backend
        result = plain.plain_cascade(*plainly) if in_plain_float32 else load(*plainly, backend)
        marks["loaded"] = time.time()
        return result

    def answered(*a: Any, **k: Any) -> np.ndarray:
        start = time.perf_counter()
        probabilities = stage(*a, **k)
        networks = time.perf_counter()
        answers.write(probabilities)
        marks["networks_s"].append(networks - start)
        marks["answers_s"] += time.perf_counter() - networks
        return probabilities

    def found(probabilities: np.ndarray, trace: Any, plan: Any) -> Any:
        result = region(probabilities, trace, plan)
        smallest: Int3 = plan.fine.patch_shape_zyx
        answers.wide = components.at_least(result.box, smallest, trace.fine_shape_zyx)
        marks["fractions"].append(result.fraction)
        return result

    for name, wrapper in (("load_folds", loaded), ("predict_stage", answered), ("find_region", found)):
        setattr(cascade, name, wrapper)
    atexit.register(lambda: write_json(marks_file, marks))
