"""kneecascade's commands under the stopwatch."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneecascade.benchmark.speed_process import run_measured
from kneecascade.benchmark.speed_settings import Setting
from kneecascade.core.geometry import Int3
from kneecascade.files import read_json

COMMAND = "import sys; from kneecascade.cli.{name} import main; sys.exit(main())"
ANSWERED = (
    "import sys; from pathlib import Path; from kneecascade.benchmark.speed_answers import install; "
    "install(Path(sys.argv.pop(1)), Path(sys.argv.pop(1)), {plain}); "
)
TRAINING = "from kneecascade.benchmark.speed_training import main; main()"

Record = dict[str, Any]


@dataclass(frozen=True)
class Ours:
    """Runs kneecascade by this interpreter.

    Attributes:
        folder: of everything; holds raw/.
        workers: processes where a command takes a number.
        device: "auto", "cpu", "cuda".
    """

    folder: Path
    workers: int
    device: str

    @property
    def log(self) -> Path:
        """What the commands printed."""
        return self.folder / "kneecascade.log"

    def prepare(self, dataset: str) -> Record:
        """Times kc_plan_and_preprocess from nothing; the result stays."""
        shutil.rmtree(self.preprocessed(dataset), ignore_errors=True)
        code = COMMAND.format(name="plan_and_preprocess")
        arguments = ["-d", dataset, "--workers", str(self.workers)]
        run = run_measured([sys.executable, "-c", code, *arguments], self.log, self._places())
        return {"seconds": run.seconds, "peak_gb": run.peak_gb, "cpu_s": run.cpu_s}

    def predict(self, setting: Setting, folds: int = 1, images: int = 1, plain: bool = False) -> Record:
        """Times kc_predict, process start and all, of the first images and folds of a setting.

        Returns:
            "seconds" from process start to process end, "start_s" until the model was loaded, of that
            "load_s" after the imports, "networks_s" both stages of all images, "peak_gb", "fraction".
            What giving the known answers took is taken off.
        """
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        (work / "in").mkdir(parents=True)
        for image in sorted(setting.images.iterdir())[:images]:
            shutil.copy(image, work / "in")
        marks = work / "marks.json"
        code = ANSWERED.format(plain=plain) + COMMAND.format(name="predict")
        folders = ["-i", str(work / "in"), "-o", str(work / "out"), "-m", str(setting.model)]
        numbers = [str(k) for k in range(folds)]
        command = [sys.executable, "-c", code, str(marks), str(setting.answers), *folders]
        run = run_measured([*command, "--device", self.device, "-f", *numbers], self.log, self._places())
        found = read_json(marks)
        steps = read_json(work / "out" / "predictions.json")["cases"]
        return {
            "seconds": run.seconds - found["answers_s"],
            "start_s": found["loaded"] - run.started,
            "load_s": found["loaded"] - found["imported"],
            "networks_s": sum(found["networks_s"]),
            "peak_gb": run.peak_gb,
            "cpu_s": run.cpu_s,
            "fraction": found["fractions"][0],
            "steps": {name: case["seconds"] for name, case in steps.items()},
        }

    def train(
        self, dataset: str, patch: Int3, batch: int, steps: int, batches: int, workers: int | None = None
    ) -> Record:
        """Times training steps of the fine stage; see `speed_training.time_training`."""
        out = self.folder / "training.json"
        places = [str(p) for p in (out, self.preprocessed(dataset), self.folder / "training")]
        sizes = ["--patch", *map(str, patch), "--batch", str(batch)]
        counts = ["--steps", str(steps), "--batches", str(batches), "--device", self.device]
        counts += [] if workers is None else ["--workers", str(workers)]
        run = run_measured([sys.executable, "-c", TRAINING, *places, *sizes, *counts], self.log)
        return {**read_json(out), "peak_gb": run.peak_gb, "cpu_s": run.cpu_s}

    def preprocessed(self, dataset: str) -> Path:
        """Returns where plan and store of a data set lie."""
        return self.folder / "preprocessed" / dataset

    def _places(self) -> dict[str, str]:
        names = {"KC_RAW": "raw", "KC_PREPROCESSED": "preprocessed", "KC_RESULTS": "results"}
        return {variable: str(self.folder / name) for variable, name in names.items()}
