"""nnU-Net v2 under the stopwatch; run by the interpreter of nnU-Net's own environment.

Imports nothing of kneecascade. Everything is done by nnU-Net's own functions; what is changed is how
many tiles and training steps are done, and the clock is read around them.

    speed_peer.py about     OUT
    speed_peer.py tiles     OUT PLANS Z,Y,X ...
    speed_peer.py model     OUT DATASET
    speed_peer.py predict   OUT LIMIT ARGUMENTS OF nnUNetv2_predict ...
    speed_peer.py train     OUT DATASET PLANS_NAME STEPS BATCHES DEVICE
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

CONFIGURATION = "3d_fullres"


def about(out: Path) -> None:
    """Writes versions and threads."""
    from importlib.metadata import version

    import torch

    names = ("nnunetv2", "torch", "numpy", "SimpleITK")
    found = {name: version(name) for name in names}
    _write(out, {"versions": found, "threads": torch.get_num_threads(), "cuda": torch.cuda.is_available()})


def tiles(out: Path, plans: str, *shapes: str) -> None:
    """Writes how many tiles each image shape takes."""
    from nnunetv2.inference.sliding_window_prediction import compute_steps_for_sliding_window as steps

    patch = json.loads(Path(plans).read_text())["configurations"][CONFIGURATION]["patch_size"]
    counts = {}
    for text in shapes:
        shape = [max(int(n), p) for n, p in zip(text.split(","), patch, strict=True)]
        z, y, x = (len(axis) for axis in steps(shape, patch, 0.5))
        counts[text] = z * y * x
    _write(out, {"patch": patch, "tiles": counts})


def model(out: Path, dataset: str) -> None:
    """Saves an untrained network of the planned architecture as if it were trained, as fold 0."""
    import torch
    from nnunetv2.run.run_training import get_trainer_from_args

    trainer = get_trainer_from_args(dataset, CONFIGURATION, 0, device=torch.device("cpu"))
    trainer.initialize()
    trainer.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
    folder = Path(trainer.output_folder)
    trainer.save_checkpoint(str(folder / "checkpoint_final.pth"))
    raw = Path(trainer.preprocessed_dataset_folder_base)
    shutil.copy(raw / "nnUNetPlans.json", folder.parent / "plans.json")
    shutil.copy(raw / "dataset.json", folder.parent / "dataset.json")
    millions = sum(p.numel() for p in trainer.network.parameters()) / 1e6
    _write(out, {"million_parameters": millions})


def predict(out: Path, limit: str, *arguments: str) -> None:
    """Runs nnUNetv2_predict, but only the first tiles of every image; writes when what happened."""
    marks: dict[str, Any] = {"tile_starts": [], "network_s": [], "tiles": []}
    from nnunetv2.inference import predict_from_raw_data as module

    marks["imported"] = time.time()
    kind = module.nnUNetPredictor
    load, slicers, forward = (
        kind.initialize_from_trained_model_folder,
        kind._internal_get_sliding_window_slicers,
        kind._internal_maybe_mirror_and_predict,
    )

    def loaded(self: Any, *a: Any, **k: Any) -> None:
        load(self, *a, **k)
        marks["loaded"] = time.time()

    def first_tiles(self: Any, shape: Any) -> Any:
        every = slicers(self, shape)
        marks["tiles"].append(len(every))
        return every[: int(limit)]

    def timed(self: Any, part: Any) -> Any:
        marks["tile_starts"].append(time.time())
        start = time.perf_counter()
        result = forward(self, part)
        marks["network_s"].append(time.perf_counter() - start)
        marks["last_tile_end"] = time.time()
        return result

    kind.initialize_from_trained_model_folder = loaded
    kind._internal_get_sliding_window_slicers = first_tiles
    kind._internal_maybe_mirror_and_predict = timed
    sys.argv = ["nnUNetv2_predict", *arguments]
    module.predict_entry_point()
    _write(out, marks)


def train(out: Path, dataset: str, plans_name: str, steps: str, batches: str, device: str) -> None:
    """Times training steps, the wait for each one's data, and the loader alone."""
    import torch
    from nnunetv2.run.run_training import get_trainer_from_args

    if device == "cpu":
        torch.set_num_threads(multiprocessing.cpu_count())  # as nnUNetv2_train does
    trainer = get_trainer_from_args(
        dataset, CONFIGURATION, "all", plans_identifier=plans_name, device=torch.device(device)
    )
    trainer.disable_checkpointing = True
    trainer.on_train_start()
    trainer.on_epoch_start()
    trainer.on_train_epoch_start()
    waited, stepped = [], []
    for _ in range(int(steps)):
        batch, seconds = _clocked(lambda: next(trainer.dataloader_train))
        waited.append(seconds)
        stepped.append(_clocked(partial(trainer.train_step, batch))[1])
    for _ in range(trainer.dataloader_train.num_cached):  # what the workers have ready already
        next(trainer.dataloader_train)
    alone = [_clocked(lambda: next(trainer.dataloader_train))[1] for _ in range(int(batches))]
    for loader in (trainer.dataloader_train, trainer.dataloader_val):
        loader._finish()
    manager = trainer.configuration_manager
    sizes = {"patch": list(manager.patch_size), "batch": manager.batch_size}
    _write(out, {**sizes, "wait_s": waited, "step_s": stepped, "data_alone_s": alone})


def _clocked(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def _write(out: Path, data: dict[str, Any]) -> None:
    out.write_text(json.dumps(data))


if __name__ == "__main__":
    verbs: dict[str, Callable[..., None]] = {
        "about": about,
        "tiles": tiles,
        "model": model,
        "predict": predict,
        "train": train,
    }
    verbs[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
