"""nnU-Net v2 trained and predicting; run by the interpreter of nnU-Net's own environment.

Imports nothing of kneecascade. Plan, network, loss, augmentation, optimiser and schedule are nnU-Net's own;
only the numbers of epochs and of steps an epoch are set. The number of threads stays the environment's, as
kneecascade's.

    accuracy_peer.py about     OUT
    accuracy_peer.py calibrate OUT DATASET DEVICE PLANS STEPS
    accuracy_peer.py train     OUT DATASET DEVICE PLANS EPOCHS ITERATIONS VALIDATION SEED
    accuracy_peer.py predict   OUT ARGUMENTS OF nnUNetv2_predict ...
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

CONFIGURATION = "3d_fullres"


def about(out: Path) -> None:
    """Writes the versions, and whether there is a GPU."""
    from importlib.metadata import version

    import torch

    found = {name: version(name) for name in ("nnunetv2", "torch")}
    _write(out, {"versions": found, "threads": torch.get_num_threads(), "cuda": torch.cuda.is_available()})


def calibrate(out: Path, dataset: str, device: str, plans: str, steps: str) -> None:
    """Writes the seconds of a training step, a validation step and what an epoch takes beside them."""
    import torch

    trainer = _trainer(dataset, device, plans)
    trainer.disable_checkpointing = True
    trainer.num_epochs, trainer.num_iterations_per_epoch = 2, 1
    trainer.on_train_start()
    trainer.on_epoch_start()
    trainer.on_train_epoch_start()
    first = trainer.train_step(next(trainer.dataloader_train))  # warms up
    timed = [_clocked(lambda: trainer.train_step(next(trainer.dataloader_train))) for _ in range(int(steps))]
    trainer.on_train_epoch_end([first])
    with torch.no_grad():
        trainer.on_validation_epoch_start()
        outputs: list[Any] = []
        check = _clocked(lambda: outputs.append(trainer.validation_step(next(trainer.dataloader_val))))
        trainer.on_validation_epoch_end(outputs)
    trainer.disable_checkpointing = False
    end = _clocked(trainer.on_epoch_end)  # a picture, and a checkpoint where it is the best so far
    _finish(trainer)
    (Path(trainer.output_folder) / "checkpoint_best.pth").unlink(missing_ok=True)
    found = {}
    for k, clock in enumerate(("wall", "processor")):
        middle = sorted(one[k] for one in timed)[len(timed) // 2]
        found[clock] = {"step_s": middle, "validation_s": check[k], "epoch_s": end[k]}
    manager = trainer.configuration_manager
    _write(out, {**found, "patch": list(manager.patch_size), "batch": manager.batch_size})


def train(
    out: Path,
    dataset: str,
    device: str,
    plans: str,
    epochs: str,
    iterations: str,
    validation: str,
    seed: str,
) -> None:
    """Trains fold 0 to the end of its schedule, without validating; goes on where a checkpoint lies."""
    import numpy as np
    import torch

    random.seed(int(seed))
    np.random.seed(int(seed))
    torch.manual_seed(int(seed))
    trainer = _trainer(dataset, device, plans)
    folder = Path(trainer.output_folder)
    resumed = False
    trainer.num_epochs, trainer.num_iterations_per_epoch = int(epochs), int(iterations)
    trainer.num_val_iterations_per_epoch = int(validation)
    trainer.save_every = max(1, int(epochs) // 5)
    latest = folder / "checkpoint_latest.pth"
    if not (folder / "checkpoint_final.pth").is_file():
        resumed = latest.is_file()
        if resumed:
            trainer.load_checkpoint(str(latest))
        else:
            trainer.initialize()
        took = _clocked(trainer.run_training)
        _write(folder / "took.json", {"wall_s": took[0], "processor_s": took[1], "resumed": resumed})
    manager = trainer.configuration_manager
    million = 0.0 if trainer.network is None else sum(p.numel() for p in trainer.network.parameters()) / 1e6
    sizes = {"patch": list(manager.patch_size), "batch": manager.batch_size, "million_parameters": million}
    _write(out, {**json.loads((folder / "took.json").read_text()), **sizes})


def predict(out: Path, *arguments: str) -> None:
    """Runs nnUNetv2_predict; counts forwards and their multiply-adds."""
    import torch
    from nnunetv2.inference import predict_from_raw_data as module

    counted = {"tiles": 0, "macs": 0}
    kind = module.nnUNetPredictor
    forward = kind._internal_maybe_mirror_and_predict

    def tile(self: Any, part: Any) -> Any:
        counted["tiles"] += 1
        if "a tile" not in counted:
            counted["a tile"] = 0
            hooks = [m.register_forward_hook(count) for m in self.network.modules() if _multiplies(m)]
            result = forward(self, part)
            for hook in hooks:
                hook.remove()
        else:
            result = forward(self, part)
        counted["macs"] += counted["a tile"]
        return result

    def count(layer: Any, inputs: Any, result: Any) -> None:
        # a transposed convolution multiplies each input voxel with its whole kernel
        spread = "Transpose" in type(layer).__name__
        counted["a tile"] += (inputs[0] if spread else result).numel() * prod(layer.weight.shape[1:])

    kind._internal_maybe_mirror_and_predict = tile
    torch.set_num_threads = lambda nthreads: None  # the environment's number, not all processors
    sys.argv = ["nnUNetv2_predict", *arguments]
    module.predict_entry_point()
    _write(out, {"tiles": counted["tiles"], "macs": counted["macs"]})


def _multiplies(layer: Any) -> bool:
    return type(layer).__name__ in ("Conv2d", "Conv3d", "ConvTranspose2d", "ConvTranspose3d")


def _trainer(dataset: str, device: str, plans: str) -> Any:
    import torch
    from nnunetv2.run.run_training import get_trainer_from_args

    return get_trainer_from_args(
        dataset, CONFIGURATION, 0, plans_identifier=plans, device=torch.device(device)
    )


def _finish(trainer: Any) -> None:
    for loader in (trainer.dataloader_train, trainer.dataloader_val):
        if hasattr(loader, "_finish"):
            loader._finish()


def _clocked(work: Callable[[], Any]) -> tuple[float, float]:
    """Returns the seconds of the wall clock and of this process's threads."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def _write(out: Path, data: dict[str, Any]) -> None:
    out.write_text(json.dumps(data))


if __name__ == "__main__":
    verbs: dict[str, Callable[..., None]] = {
        "about": about,
        "calibrate": calibrate,
        "train": train,
        "predict": predict,
    }
    verbs[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
