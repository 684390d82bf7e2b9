"""Every bad input we know of: how to make it, what the command says, what a user does about it.

`python tests/bad_inputs.py` prints the page documentation/troubleshooting.md from this table.
"""

# ruff: noqa: E501
from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from bad_dicom import ROWS
from bad_headers import ROWS as HEADERS
from bad_site import Site
from broken_files import ball, cut_short, evil_pickle, flat_nifti, noise, noise_with
from raw_folder import write_case_files, write_json_file

Spoil = Callable[[Site], Sequence[object]]


@dataclass(frozen=True)
class Bad:
    """One bad input.

    Attributes:
        command: such as "kc_train".
        what: the fault in a few words; a row of the page and the name of the test.
        says: what the one line must hold, in order.
        cure: what the user does; a row of the page.
        spoil: makes the fault and returns the arguments.
        new: files (below the site) that may be there afterwards; everything else must be untouched.
    """

    command: str
    what: str
    says: tuple[str, ...]
    cure: str
    spoil: Spoil
    new: tuple[str, ...] = ()


def _after(change: Callable[[Site], object], *arguments: object) -> Spoil:
    def spoil(site: Site) -> Sequence[object]:
        change(site)
        return arguments

    return spoil


def _json(text: str) -> Callable[[Site], object]:
    return lambda site: (site.raw / "dataset.json").write_text(text, "utf-8")


def _entries(**changes: object) -> Callable[[Site], object]:
    return lambda site: write_json_file(site.raw, **changes)


def _training_image(array: np.ndarray) -> Callable[[Site], object]:
    def change(site: Site) -> None:
        path = site.image("spare", array)
        path.replace(site.raw / "imagesTr" / "case1_0000.nii.gz")

    return change


def _plan(change: Callable[[dict], object]) -> Callable[[Site], object]:
    return lambda site: site.edit(site.preprocessed / "plan.json", change)


DATA = "kc_plan_and_preprocess"
PLANNED = ("-d", "1", "--memory-gb", "1", "--workers", "1")

DATA_SETS = (
    Bad(DATA, "a data set that is not there", ("no such data set", "Dataset001_Tiny"), "look into `raw`, or give `--workspace`", lambda site: ("-d", "7")),
    Bad(DATA, "a number that two folders have", ("Dataset001",), "rename one of the folders", _after(lambda s: (s.raw.parent / "Dataset001_Twice").mkdir(), *PLANNED)),
    Bad(DATA, "no dataset.json", ("dataset.json",), "write it; see [dataset_format.md](dataset_format.md)", _after(lambda s: (s.raw / "dataset.json").unlink(), *PLANNED)),
    Bad(DATA, "a dataset.json that is no JSON", ("dataset.json", "not valid JSON"), "mend the place the message names", _after(_json("{labels: 1"), *PLANNED)),
    Bad(DATA, "a dataset.json that is a list", ("dataset.json",), "write an object, `{...}`", _after(_json("[1, 2]"), *PLANNED)),
    Bad(DATA, "a dataset.json without labels", ("dataset.json", "labels"), "add `labels`", _after(_entries(labels=None), *PLANNED)),
    Bad(DATA, "labels without background", ("background",), "give 0 to `background`", _after(_entries(labels={"bone": 1, "cartilage": 2}), *PLANNED)),
    Bad(DATA, "a label value twice", ("labels",), "give every label its own value", _after(_entries(labels={"background": 0, "bone": 1, "cartilage": 1}), *PLANNED)),
    Bad(DATA, "labels made of several values", ("labels",), "give one value a label; regions of nnU-Net are not read", _after(_entries(labels={"background": 0, "bone": [1, 2]}), *PLANNED)),
    Bad(DATA, "no channel names", ("channel_names",), "add `channel_names`", _after(_entries(channel_names=None), *PLANNED)),
    Bad(DATA, "a file ending that no image has", (".nope",), "write the ending your images have", _after(_entries(file_ending=".nope"), *PLANNED)),
    Bad(DATA, "no case to train on", ("imagesTr",), "put images into imagesTr and labels into labelsTr", _after(lambda s: [p.unlink() for p in (*s.raw.glob("imagesTr/*"), *s.raw.glob("labelsTr/*"))], *PLANNED)),
    Bad(DATA, "an image without labels", ("case1",), "add the file to labelsTr or take the image out", _after(lambda s: (s.raw / "labelsTr/case1.nii.gz").unlink(), *PLANNED)),
    Bad(DATA, "labels without an image", ("case1",), "add the image to imagesTr or take the labels out", _after(lambda s: (s.raw / "imagesTr/case1_0000.nii.gz").unlink(), *PLANNED)),
    Bad(DATA, "a channel that is missing", ("case0",), "add the file `case_0001`", _after(_entries(channel_names={"0": "T1", "1": "T2"}), *PLANNED)),
    Bad(DATA, "a channel too many", ("case1",), "name it in dataset.json or take the file away", _after(lambda s: write_case_files(s.raw, "case1", channels=2), *PLANNED)),
    Bad(DATA, "a file that was cut off", ("case1",), "copy the file again", _after(lambda s: cut_short(s.raw / "imagesTr/case1_0000.nii.gz"), *PLANNED)),
    Bad(DATA, "a file that is no image", ("case1",), "replace the file", _after(lambda s: (s.raw / "imagesTr/case1_0000.nii.gz").write_text("hello"), *PLANNED)),
    Bad(DATA, "an image with two dimensions", ("case1", "2"), "give volumes, not slices", _after(lambda s: flat_nifti(s.raw / "imagesTr/case1_0000.nii.gz"), *PLANNED)),
    Bad(DATA, "a value that is not a number", ("case1",), "find out why the image holds NaN", _after(_training_image(noise_with(np.nan)), *PLANNED)),
    Bad(DATA, "a value that is infinite", ("case1",), "find out why the image holds infinity", _after(_training_image(noise_with(np.inf)), *PLANNED)),
    Bad(DATA, "a label value dataset.json does not know", ("case1", "7"), "name it in dataset.json, or mend the labels", _after(lambda s: s.relabel(ball(7)), *PLANNED)),
    Bad(DATA, "labels of another shape than the image", ("case1",), "resample the labels onto the image's grid", _after(lambda s: s.relabel(ball()[:20]), *PLANNED)),
    Bad(DATA, "labels of another spacing", ("case1", "spacing"), "take the image's header for the labels if they belong together", _after(lambda s: s.relabel(ball(), spacing_mm=(1.0, 1.0, 2.0)), *PLANNED)),
    Bad(DATA, "labels with another origin", ("case1", "origin"), "as above", _after(lambda s: s.relabel(ball(), origin_mm_xyz=(5.0, 0.0, 0.0)), *PLANNED)),
    Bad(DATA, "labels with another direction", ("case1", "direction"), "as above", _after(lambda s: s.relabel(ball(), direction_xyz=(-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)), *PLANNED)),
    Bad(DATA, "a label file without any label", ("case1",), "label the case or take it out", _after(lambda s: s.relabel(np.zeros((24, 28, 32), np.uint8)), *PLANNED)),
    Bad(DATA, "subjects.csv without its columns", ("subjects.csv",), "name the columns `case,subject`", _after(lambda s: (s.raw / "subjects.csv").write_text("name;who\ncase0;a\n"), *PLANNED)),
    Bad(DATA, "subjects.csv that forgets a case", ("subjects.csv", "case2"), "add a row for it", _after(lambda s: (s.raw / "subjects.csv").write_text("case,subject\ncase0,a\ncase1,b\n"), *PLANNED)),
    Bad(DATA, "a memory of nothing", ("memory",), "give the GB your GPU or computer has for training", lambda site: ("-d", "1", "--memory-gb", "0")),
    Bad(DATA, "a file where a folder should be", ("preprocessed",), "move the file away", _after(lambda s: _folder_to_file(s.workspace / "preprocessed"), *PLANNED)),
)  # fmt: skip


def _folder_to_file(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)
    folder.write_text("a file")


TRAIN = "kc_train"
FRESH = ("1", "1", "--epochs", "1", "--iterations-per-epoch", "1")

TRAINING = (
    Bad(TRAIN, "no plan", ("no plan", "kc_plan_and_preprocess"), "run kc_plan_and_preprocess first", _after(lambda s: (s.preprocessed / "plan.json").unlink(), *FRESH)),
    Bad(TRAIN, "a plan.json that is no JSON", ("plan.json", "not valid JSON"), "mend it, or plan again", _after(lambda s: (s.preprocessed / "plan.json").write_text("{"), *FRESH)),
    Bad(TRAIN, "a plan.json without a field", ("plan.json", "spacing_mm"), "put the field back, or plan again", _after(_plan(lambda p: p["fine"].pop("spacing_mm") and None), *FRESH)),
    Bad(TRAIN, "a plan.json with an unknown field", ("plan.json", "patch_size"), "take it out", _after(_plan(lambda p: p["fine"].update(patch_size=3)), *FRESH)),
    Bad(TRAIN, "a plan.json with a word for a number", ("plan.json", "batch_size"), "write a number", _after(_plan(lambda p: p["coarse"].update(batch_size="two")), *FRESH)),
    Bad(TRAIN, "a patch the network cannot halve", ("plan.json", "patch_shape_zyx"), "take a multiple of the network's stride", _after(_plan(lambda p: p["fine"].update(patch_shape_zyx=[17, 16, 16])), *FRESH)),
    Bad(TRAIN, "a target that is no label", ("plan.json", "targets"), "write a name of dataset.json", _after(_plan(lambda p: p.update(targets=["meniscus"])), *FRESH)),
    Bad(TRAIN, "a case that is not prepared", ("not prepared", "case0"), "run kc_plan_and_preprocess again; what is done is kept", _after(lambda s: (s.preprocessed / "store/case0/case.json").unlink(), *FRESH)),
    Bad(TRAIN, "data that changed since planning", ("changed", "case1"), "run kc_plan_and_preprocess again", _after(_training_image(noise()), *FRESH)),
    Bad(TRAIN, "a fold that does not exist", ("fold 9",), "there are five, 0 to 4, unless splits.json says otherwise", lambda site: ("1", "9", "--epochs", "1")),
    Bad(TRAIN, "a fold that is trained already", ("--continue", "--overwrite"), "choose one of the two flags", lambda site: ("1", "0", "--epochs", "1")),
    Bad(TRAIN, "folds in words", ("no folds",), "write 0, 0-4, 0,2 or all", lambda site: ("1", "first")),
    Bad(TRAIN, "a splits.json with an unknown case", ("splits.json", "case9"), "mend it, or delete it for new folds", _after(lambda s: (s.preprocessed / "splits.json").write_text(json.dumps([{"train": ["case0"], "val": ["case9"]}])), "1", "0", "--epochs", "1")),
    Bad(TRAIN, "a splits.json that is no list", ("splits.json",), "as above", _after(lambda s: (s.preprocessed / "splits.json").write_text("{}"), *FRESH)),
    Bad(TRAIN, "a time limit that is no time", ("no duration",), "write 90s, 40m, 2h", lambda site: (*FRESH, "--time-limit", "soon")),
    Bad(TRAIN, "a batch of nothing", ("above 0",), "give 1 or more", lambda site: (*FRESH, "--batch-size", "0")),
    Bad(TRAIN, "pretrained weights that are not there", ("no such file",), "give the path of the file", lambda site: (*FRESH, "--pretrained", site.root / "resnet_10.pth")),
    Bad(TRAIN, "pretrained weights that are no weights", ("resnet_10.pth",), "download the file again", lambda site: (*FRESH, "--pretrained", _made(site.root / "resnet_10.pth", lambda p: p.write_text("hello")))),
    Bad(TRAIN, "a pretrained file that would run code", ("resnet_10.pth", "refused"), "do not trust this file", lambda site: (*FRESH, "--pretrained", _made(site.root / "resnet_10.pth", evil_pickle))),
    Bad(TRAIN, "pretrained weights of something else", ("resnet_10.pth",), "give a published MedicalNet file", lambda site: (*FRESH, "--pretrained", _made(site.root / "resnet_10.pth", lambda p: torch.save({"state_dict": {"a": torch.zeros(1)}}, p)))),
)  # fmt: skip


def _made(path: Path, make: Callable[[Path], object]) -> Path:
    make(path)
    return path


PREDICT = "kc_predict"
ONE_DONE = ("out/one.nii.gz", "out/predictions.json", "out/labels.ctbl", "out/labels_itksnap.txt")
BOTH_DONE = (*ONE_DONE, "out/two.nii.gz")


def _predict(change: Callable[[Site], object], *more: object) -> Spoil:
    def spoil(site: Site) -> Sequence[object]:
        change(site)
        return ("-i", site.images, "-o", site.out, *more)

    return spoil


def _nothing(site: Site) -> None:
    return None


PREDICTION = (
    Bad(PREDICT, "a model folder that is not there", ("no such model folder",), "give the folder that holds fold_0", lambda site: ("-i", site.images, "-o", site.out, "-m", site.root / "none")),
    Bad(PREDICT, "two models and no choice", ("choose one with -d", "Dataset002_Other"), "choose with -d", _predict(lambda s: _copy(s.model, s.model.parent / "Dataset002_Other"))),
    Bad(PREDICT, "a fold that is not trained", ("not trained: fold 3",), "leave it out of `-f`, or train it", _predict(_nothing, "-f", "0", "3")),
    Bad(PREDICT, "weights that were cut off", ("broken checkpoint",), "copy them again, or train again", _predict(lambda s: cut_short(s.model / "fold_0/fine/model.safetensors"))),
    Bad(PREDICT, "weights of another network", ("of another network",), "put plan.json and weights of one training together", _predict(lambda s: _copy(s.model / "fold_0/coarse/model.safetensors", s.model / "fold_0/fine/model.safetensors"))),
    Bad(PREDICT, "a broken plan beside the weights", ("plan.json",), "restore it from training", _predict(lambda s: (s.model / "fold_0/plan.json").write_text("{}"))),
    Bad(PREDICT, "an input that is not there", ("no such file or folder",), "check the path", lambda site: ("-i", site.root / "none", "-o", site.out)),
    Bad(PREDICT, "a folder without images", ("no images",), "give the folder that holds the images", lambda site: ("-i", _made(site.root / "empty", lambda p: p.mkdir()), "-o", site.out)),
    Bad(PREDICT, "a file as output for a folder", ("give a folder",), "give a folder after -o", lambda site: ("-i", site.images, "-o", site.root / "all.nii.gz")),
    Bad(PREDICT, "an output that is the input", ("overwrite the image",), "choose another folder", lambda site: ("-i", site.images, "-o", site.images)),
    Bad(PREDICT, "a step of nothing", ("step size",), "give more than 0, at most 1", _predict(_nothing, "--step-size", "0")),
    Bad(PREDICT, "a memory limit below nothing", ("memory limit",), "give 0 or more", _predict(_nothing, "--memory-limit-gb", "-1")),
    Bad(PREDICT, "one image cut off among others", ("three", "not segmented"), "copy the file again; the others are done", _predict(lambda s: cut_short(s.image("three", noise()))), BOTH_DONE),
    Bad(PREDICT, "one file that is no image", ("three", "not segmented"), "replace it; the others are done", _predict(lambda s: (s.images / "three.nii.gz").write_text("hello")), BOTH_DONE),
    Bad(PREDICT, "one image with a value that is not a number", ("three", "not segmented", "not finite"), "replace it, such as by 0 outside the scan; the others are done", _predict(lambda s: s.image("three", noise_with(np.nan))), BOTH_DONE),
    Bad(PREDICT, "one image (.mha) with a value that is infinite", ("three", "not segmented", "not finite"), "as above", _predict(lambda s: s.image("three", noise_with(np.inf), ".mha")), BOTH_DONE),
    Bad(PREDICT, "one image with two dimensions", ("three", "not segmented"), "give volumes; the others are done", _predict(lambda s: flat_nifti(s.images / "three.nii.gz")), BOTH_DONE),
    Bad(PREDICT, "one image with the wrong channels", ("two", "no such file"), "give the channels the model was trained on", _predict(lambda s: (s.images / "two.nii.gz").rename(s.images / "two_0001.nii.gz")), ONE_DONE),
)  # fmt: skip


def _copy(source: Path, target: Path) -> None:
    import shutil

    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)


TOGETHER = "kc_cross_validation"


def _with_splits(site: Site) -> None:
    names = ["case0", "case1", "case2"]
    splits = [{"train": [n for n in names if n != name], "val": [name]} for name in names]
    (site.preprocessed / "splits.json").write_text(json.dumps(splits))


def _folds(change: Callable[[Site], object], *more: object) -> Spoil:
    def spoil(site: Site) -> Sequence[object]:
        _with_splits(site)
        change(site)
        return ("1", *more)

    return spoil


OTHERS = (
    Bad(TOGETHER, "folds that are not trained", ("not trained: fold 1,2", "kc_train 1 1,2 --continue", "--folds 0"), "train them, add `--train`, or leave them out", _folds(_nothing)),
    Bad(TOGETHER, "no folds yet", ("splits.json", "kc_plan_and_preprocess"), "plan first", lambda site: ("1",)),
    Bad(TOGETHER, "a fold trained on what it holds out", ("fold_0", "trained on case0", "--overwrite"), "put the old splits.json back, or train anew", _folds(lambda s: (s.model / "fold_0/run.json").write_text('{"training": ["case0"]}'), "--folds", "0")),
    Bad(TOGETHER, "a test set without references", ("no test set", "labelsTs"), "set cases aside when planning, or label them", _folds(lambda s: (s.raw / "labelsTs/unseen0.nii.gz").unlink(), "--test")),
    Bad(TOGETHER, "a time limit without training", ("add --train",), "add `--train`", _folds(_nothing, "--time-limit", "1m")),
    Bad(PREDICT, "a broken postprocessing.json", ("postprocessing.json", "kc_cross_validation"), "delete it, or run kc_cross_validation again", _predict(lambda s: (s.model / "postprocessing.json").write_text("{}"))),
    Bad("kc_evaluate", "a reference folder that is not there", ("no such folder",), "check -r", lambda site: ("-r", site.root / "none", "-p", site.raw / "labelsTr")),
    Bad("kc_evaluate", "a folder without references", ("no reference",), "give the folder of the reference labels", lambda site: ("-r", _made(site.root / "empty", lambda p: p.mkdir()), "-p", site.raw / "labelsTr")),
    Bad("kc_evaluate", "a prediction that is missing", ("case1",), "predict it; the others are scored", _after(lambda s: _copy(s.raw / "labelsTr", s.out) or (s.out / "case1.nii.gz").unlink()), ("out/scores.json", "out/scores.csv")),
    Bad("kc_report", "a folder without predictions", ("no predictions.json", "kc_predict"), "give a folder kc_predict wrote", lambda site: (site.images,)),
    Bad("kc_convert_dataset", "a source that is not there", ("none",), "check --source", lambda site: ("msd", "--source", site.root / "none", "-d", "5")),
    Bad("kc_phantom", "anatomies that are not there", ("none",), "check --anatomy", lambda site: ("-o", site.out, "--anatomy", site.root / "none")),
    Bad("kc_phantom", "a number of knees below nothing", ("-1",), "give 0 or more", lambda site: ("-o", site.out, "-n", "-1")),
    Bad("kc_demo", "a folder with something else in it", ("images",), "give a new folder", lambda site: ("-o", site.images)),
)  # fmt: skip

DICOM = tuple(Bad(*row) for row in (*HEADERS, *ROWS))
ALL: tuple[Bad, ...] = (*DATA_SETS, *TRAINING, *PREDICTION, *OTHERS, *DICOM)
HEAD = """# Troubleshooting

Every command ends a mistake with one line that begins with `error:` or `warning:` and names the file, and with exit code 2.
Nothing is lost or half-written; in a batch the other cases are done. `--debug` shows where in the program it happened.
This page is made from the table that the tests go through (`python tests/bad_inputs.py`).
"""


def page() -> str:
    """Returns documentation/troubleshooting.md."""
    lines = [HEAD]
    for command in dict.fromkeys(bad.command for bad in ALL):
        lines += [f"## {command}", "", "| what is wrong | the line holds | what to do |", "|---|---|---|"]
        for bad in ALL:
            if bad.command == command:
                says = ", ".join(f"`{part}`" for part in bad.says)
                lines.append(f"| {bad.what} | {says} | {bad.cure} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
