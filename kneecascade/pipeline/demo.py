"""The whole job on made-up knees: phantoms, plan, two folds, prediction, scores."""

from __future__ import annotations

import shutil
from pathlib import Path

import kneecascade
from kneecascade.console import say
from kneecascade.core.settings import DeviceName, PredictSettings, TrainSettings
from kneecascade.errors import SettingsError
from kneecascade.files import write_json
from kneecascade.pipeline.evaluate import evaluate_folders
from kneecascade.pipeline.phantom import make_phantoms
from kneecascade.pipeline.phantom_recipe import Recipe
from kneecascade.pipeline.plan_and_preprocess import PlanSettings, plan_and_preprocess
from kneecascade.pipeline.predict import predict_images
from kneecascade.pipeline.shipped import DEFAULT
from kneecascade.pipeline.train import train_folds
from kneecascade.workspace import Workspace, find_workspace

DATASET = "Dataset001_Phantom"
MARK = "demo.json"
FOLDS = (0, 1)
TRAINING, UNSEEN = 12, 2
# small enough that some dozen steps a stage fit into minutes on two slow cores, the width that of the start
MEMORY_GB, FINE_WIDTH, LEARNING_RATE = 1.0, 24, 3e-3
PARTS = ("raw", "preprocessed", "results", "predictions")


def run_demo(folder: Path, minutes: float = 5.0, seed: int = 0, device: DeviceName = "auto") -> None:
    """Makes phantom knees, plans, trains two folds, predicts unseen knees, scores and draws them.

    The folds start from the model that comes along: minutes on a slow processor are too few from nothing.

    Args:
        folder: everything is written here; it must be new, empty, or an earlier demo's, which is replaced.
        minutes: of training with its validation, both folds together.
        seed: of phantoms and training.
        device: where to train and predict.

    Raises:
        SettingsError: the folder holds something else, or there is no time to train.
    """
    if not 0 < minutes < 1e5:
        raise SettingsError(f"--minutes {minutes:g}: must be above 0")
    workspace = _emptied(folder)
    raw, predictions = workspace.raw / DATASET, folder / "predictions"
    _step(1, f"{TRAINING} phantom knees to train on, {UNSEEN} to keep unseen")
    make_phantoms(raw, TRAINING, Recipe(seed=seed, tests=UNSEEN))
    _step(2, "check, measure, plan, prepare")
    plan_and_preprocess(workspace, DATASET, PlanSettings(memory_gb=MEMORY_GB, fine_width=FINE_WIDTH))
    _step(3, f"train folds {FOLDS[0]} and {FOLDS[1]}, from {DEFAULT}, {minutes:g} minutes")
    train_folds(workspace, DATASET, FOLDS, _training(60 * minutes / len(FOLDS), seed, device))
    _step(4, "predict the unseen knees with both folds")
    model = workspace.results / DATASET
    predict_images(model, raw / "imagesTs", predictions, None, PredictSettings(device=device, pictures=True))
    _step(5, "score them")
    evaluate_folders(raw / "labelsTs", predictions)
    _tell_where(folder, model, predictions)


def _training(seconds: float, seed: int, device: DeviceName) -> TrainSettings:
    return TrainSettings(
        time_limit_s=seconds,
        iterations_per_epoch=20,
        learning_rate=LEARNING_RATE,
        pretrained=DEFAULT,
        seed=seed,
        device=device,
    )


def _emptied(folder: Path) -> Workspace:
    """Returns the workspace inside the folder, with nothing of an earlier demo left."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not (folder / MARK).is_file():
        raise SettingsError(f"{folder}: is there already but is no demo; choose another with -o")
    for part in PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)
    write_json(folder / MARK, {"kneecascade": kneecascade.__version__})
    return find_workspace(str(folder))


def _step(number: int, what: str) -> None:
    say(f"\n[{number}/5] {what}")


def _tell_where(folder: Path, model: Path, predictions: Path) -> None:
    say(f"\nDone. So short a training, from {DEFAULT}, shows that every step works, not how good it can get.")
    say(f"  pictures      {predictions / 'pictures'}")
    say(f"  predictions   {predictions}, with flags in predictions.json")
    say(f"  plan          {folder / 'preprocessed' / DATASET / 'plan.json'}")
    say(f"  trained folds {model}: training.jsonl and progress.png a stage, validation/summary.json")
    say("Your own data, once they lie in kc_workspace/raw/Dataset002_Name:")
    say("  kc_plan_and_preprocess -d 2")
    say("  kc_train 2 0")
    say("  kc_predict -d 2 -i IMAGES -o OUT --pictures")
    say("The format: documentation/dataset_format.md; every flag: documentation/commands.md")
