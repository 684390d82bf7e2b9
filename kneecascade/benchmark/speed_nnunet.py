"""nnU-Net's commands under the stopwatch."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from kneecascade.benchmark.speed_phantoms import link
from kneecascade.benchmark.speed_process import Run, run_measured
from kneecascade.benchmark.speed_settings import Setting
from kneecascade.core.geometry import Int3
from kneecascade.files import read_json, write_json

SCRIPT = Path(__file__).with_name("speed_peer.py")
PLANS = "nnUNetPlans"
EQUAL_PLANS = "nnUNetPlansEqual"

Record = dict[str, Any]


@dataclass(frozen=True)
class NNUNet:
    """Runs nnU-Net v2 by the interpreter of its own environment.

    Attributes:
        python: that interpreter.
        folder: of everything; shares raw/ with kneecascade.
        workers: processes where a command takes a number.
        device: "cpu" or "cuda".
    """

    python: Path
    folder: Path
    workers: int
    device: str

    def about(self) -> Record:
        """Returns versions and threads."""
        return self._script("about")[1]

    def prepare(self, dataset: str) -> Record:
        """Times nnUNetv2_plan_and_preprocess from nothing; the result stays."""
        shutil.rmtree(self._preprocessed(dataset), ignore_errors=True)
        workers = str(self.workers)
        number = str(int(dataset[7:10]))
        arguments = ["-d", number, "-c", "3d_fullres", "-np", workers, "-npfp", workers]
        command = str(self.python.with_name("nnUNetv2_plan_and_preprocess"))
        run = run_measured([command, *arguments], self.folder / "nnunet.log", self._places())
        return {"seconds": run.seconds, "peak_gb": run.peak_gb, "cpu_s": run.cpu_s}

    def make_model(self, dataset: str) -> None:
        """Saves an untrained network of the planned architecture as fold 0."""
        self._script("model", dataset)

    def make_model_with_pieces(self, dataset: str, new: str, pieces: int) -> None:
        """Saves an untrained network of the same plan for every label in pieces."""
        target = self._preprocessed(new)
        target.mkdir(parents=True, exist_ok=True)
        plans = read_json(self._preprocessed(dataset) / f"{PLANS}.json")
        write_json(target / f"{PLANS}.json", {**plans, "dataset_name": new})
        content = read_json(self._preprocessed(dataset) / "dataset.json")
        count = (len(content["labels"]) - 1) * pieces
        labels = {"background": 0, **{f"label_{k}": k for k in range(1, count + 1)}}
        write_json(target / "dataset.json", {**content, "labels": labels})
        prepared = Path(f"{PLANS}_3d_fullres")  # nnU-Net looks at the files' endings there
        for file in (self._preprocessed(dataset) / prepared).iterdir():
            link(file, target / prepared / file.name)
        self.make_model(new)

    def tiles(self, dataset: str, shapes: list[Int3]) -> dict[str, int]:
        """Returns how many tiles images of these shapes take, by "Z,Y,X"."""
        plans = str(self._preprocessed(dataset) / f"{PLANS}.json")
        return self._script("tiles", plans, *(",".join(map(str, s)) for s in shapes))[1]["tiles"]

    def predict(self, dataset: str, setting: Setting, limit: int) -> Record:
        """Times nnUNetv2_predict of one image, one fold, no mirroring, but the first tiles only.

        Returns:
            "seconds" from process start to process end, "tiles" a whole image has, "done" of them,
            "tile_s" of one tile with its share of the sum, "network_s" its network alone, "start_s"
            until the model was loaded, of that "load_s" after the imports, "peak_gb".
        """
        work = self.folder / "work_nnunet"
        shutil.rmtree(work, ignore_errors=True)
        (work / "in").mkdir(parents=True)
        shutil.copy(min(setting.images.iterdir()), work / "in")
        arguments = ["-d", dataset, "-i", str(work / "in"), "-o", str(work / "out"), "-c", "3d_fullres"]
        plain = ["-f", "0", "--disable_tta", "-device", self.device]
        run, found = self._script("predict", str(limit), *arguments, *plain)
        clock = [*found["tile_starts"], found["last_tile_end"]]
        return {
            "seconds": run.seconds,
            "tiles": found["tiles"][0],
            "done": len(found["tile_starts"]),
            "tile_s": [b - a for a, b in pairwise(clock)],
            "network_s": found["network_s"],
            "start_s": found["loaded"] - run.started,
            "load_s": found["loaded"] - found["imported"],
            "peak_gb": run.peak_gb,
            "cpu_s": run.cpu_s,
        }

    def train(self, dataset: str, patch: Int3, batch: int, steps: int, batches: int) -> Record:
        """Times training steps of its own architecture at another patch and batch."""
        folder = self._preprocessed(dataset)
        plans = read_json(folder / f"{PLANS}.json")
        plans["configurations"]["3d_fullres"] |= {"patch_size": list(patch), "batch_size": batch}
        write_json(folder / f"{EQUAL_PLANS}.json", {**plans, "plans_name": EQUAL_PLANS})
        counts = (str(steps), str(batches), self.device)
        run, found = self._script("train", dataset, EQUAL_PLANS, *counts)
        return {**found, "peak_gb": run.peak_gb, "cpu_s": run.cpu_s}

    def _script(self, verb: str, *arguments: str) -> tuple[Run, Record]:
        out = self.folder / "nnunet_marks.json"
        out.unlink(missing_ok=True)
        command = [str(self.python), str(SCRIPT), verb, str(out), *arguments]
        run = run_measured(command, self.folder / "nnunet.log", self._places())
        return run, read_json(out)

    def _preprocessed(self, dataset: str) -> Path:
        return self.folder / "preprocessed_nnunet" / dataset

    def _places(self) -> dict[str, str]:
        folders = {"raw": "raw", "preprocessed": "preprocessed_nnunet", "results": "results_nnunet"}
        places = {f"nnUNet_{name}": str(self.folder / folder) for name, folder in folders.items()}
        return {**places, "nnUNet_n_proc_DA": str(self.workers)}
