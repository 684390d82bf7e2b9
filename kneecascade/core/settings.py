"""What a user may set for one run; everything has a default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["coarse", "fine"]
SideChoice = Literal["auto", "left", "right", "unknown"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
BackendName = Literal["torch", "openvino"]
ClockName = Literal["wall", "processor"]


@dataclass(frozen=True)
class TrainSettings:
    """One run of kc_train.

    Attributes:
        epochs: epochs of each stage; None stands for 250, or for as many as the time limit allows.
        iterations_per_epoch: steps an epoch.
        time_limit_s: wall-clock seconds for the whole fold; the schedules end inside it.
        coarse_time_share: share of the time limit that the coarse stage gets.
        batch_size: overrides the plan's, in both stages.
        learning_rate: peak learning rate of AdamW.
        weight_decay: of AdamW.
        seed: of everything random.
        device: where to train.
        stages: which stages to train, in order.
        resume: go on from the last checkpoint; finished stages are kept.
        overwrite: start anew where a trained fold lies.
        pretrained: MedicalNet weights for the fine encoder, or the folder of a model trained here.
        synthetic: paint the training cases' labels with random contrasts instead of showing their images.
        sequences: painted contrasts, names of `training.contrasts.SEQUENCES`; none given, any.
        workers: processes that read patches when the data do not fit in memory.
        patience: epochs without a better smoothed held-out pseudo-Dice of the targets that end a stage.
        ema: whether a moving average of the weights is saved in place of the last.
        target_dice: mean Dice of the targets on the held-out cases that is good enough; None for any.
        max_rounds: schedules of the fine stage at most, where there is a target.
        clock: what counts against the time limit of a stage: the wall clock, or the seconds that all threads
            of this process computed, which another program on the machine does not stretch.
        calibrate_volumes: move the output so that the targets' mean volume on held-out cases is right.
    """

    epochs: int | None = None
    iterations_per_epoch: int = 100
    time_limit_s: float | None = None
    coarse_time_share: float = 0.3
    batch_size: int | None = None
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    seed: int = 0
    device: DeviceName = "auto"
    stages: tuple[Stage, ...] = ("coarse", "fine")
    resume: bool = False
    overwrite: bool = False
    pretrained: str | None = None
    synthetic: bool = False
    sequences: tuple[str, ...] = ()
    workers: int = 2
    patience: int | None = None
    ema: bool = False
    target_dice: float | None = None
    max_rounds: int = 1
    clock: ClockName = "wall"
    calibrate_volumes: bool = True


@dataclass(frozen=True)
class PredictSettings:
    """One run of kc_predict.

    Attributes:
        device: where to compute.
        memory_limit_gb: where one forward would take more by estimate, the stage works in tiles.
        pictures: whether to draw contours of every result.
        step_size: tile step over tile size, where tiles are used.
        save_coarse: whether to write the coarse stage's labels as well.
        tta: whether to average over the plan's mirrorings, in both stages.
        save_probabilities: whether to write the fine stage's probabilities of the region.
        resume: keep finished cases of the same model, image and settings.
        series: which DICOM series; None for all.
        echo: which echo of a DICOM series, "rss" or "mean"; None for "rss".
        dicom_seg: whether to write a DICOM segmentation as well.
        side: of all images; "auto" takes each one's from subjects.csv or DICOM.
        postprocess: drop the small pieces that the model's postprocessing.json names.
        backend: what computes the networks.
    """

    device: DeviceName = "auto"
    memory_limit_gb: float = 6.0
    pictures: bool = False
    step_size: float = 0.5
    save_coarse: bool = False
    tta: bool = False
    save_probabilities: bool = False
    resume: bool = False
    series: str | None = None
    echo: str | None = None
    dicom_seg: bool = False
    side: SideChoice = "auto"
    postprocess: bool = True
    backend: BackendName = "torch"
