"""Ten plans of ten made-up data sets, far apart in grid, channels, labels, budget and network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kneecascade.core.case import Case
from kneecascade.core.dataset import Dataset
from kneecascade.core.fingerprint import (
    CaseFingerprint,
    ChannelFingerprint,
    DatasetFingerprint,
    LabelFingerprint,
)
from kneecascade.core.geometry import Float3, Int3
from kneecascade.core.labels import Labels
from kneecascade.core.plan import CascadePlan
from kneecascade.planning.planner import make_plan

GREY = ChannelFingerprint(100.0, 30.0, 0.0, 400.0, 5.0, 95.0, 300.0)
CASES = 20
# start, extent (z, y, x) and thickness as shares of the image's edges; thin ones become targets
LARGE: tuple[Float3, Float3, float] = ((0.4, 0.2, 0.15), (0.55, 0.55, 0.7), 0.5)
THIN: tuple[Float3, Float3, float] = ((0.35, 0.2, 0.15), (0.3, 0.55, 0.7), 0.03)


@dataclass(frozen=True)
class MadeUp:
    """One data set to plan for.

    Attributes:
        name: of the kind of images.
        shape_zyx: of each image.
        spacing_mm: (z, y, x).
        memory_gb: the budget.
        channels: images a case.
        labels: foreground labels; every third is a large one.
        depth: of the fine encoder; None for the planner's.
        width: of the fine encoder; None for the planner's.
    """

    name: str
    shape_zyx: Int3
    spacing_mm: Float3
    memory_gb: float
    channels: int = 1
    labels: int = 6
    depth: int | None = None
    width: int | None = None


SETS = (
    MadeUp("hippocampus", (35, 50, 36), (1.0, 1.0, 1.0), 4.0, labels=2),
    MadeUp("half DESS", (192, 192, 160), (0.729, 0.729, 0.7), 3.0),
    MadeUp("full DESS", (384, 384, 160), (0.365, 0.365, 0.7), 2.0),
    MadeUp("full DESS, more memory", (384, 384, 160), (0.365, 0.365, 0.7), 4.0),
    MadeUp("two echoes", (512, 512, 160), (0.3125, 0.3125, 0.8), 3.0, channels=2),
    MadeUp("thick slices", (512, 512, 24), (0.3, 0.3, 3.5), 2.0),
    MadeUp("isotropic, 15 labels", (320, 320, 320), (0.5, 0.5, 0.5), 3.0, labels=15),
    MadeUp("published width", (192, 192, 160), (0.729, 0.729, 0.7), 3.0, depth=18, width=64),
    MadeUp("bottlenecks", (192, 192, 160), (0.729, 0.729, 0.7), 3.0, depth=50),
    MadeUp("axial, four channels", (60, 400, 400), (1.5, 0.4, 0.4), 1.5, channels=4, labels=3),
)


def ten_plans() -> Iterator[tuple[str, CascadePlan]]:
    """Yields a name and a plan for each made-up data set."""
    for made_up in SETS:
        dataset, fingerprint = _data(made_up)
        plan = make_plan(dataset, fingerprint, made_up.memory_gb, made_up.depth, made_up.width)
        yield made_up.name, plan


def _data(made_up: MadeUp) -> tuple[Dataset, DatasetFingerprint]:
    names = tuple(f"label_{k}" for k in range(made_up.labels))
    training = tuple(Case(f"case_{k:02d}", ()) for k in range(CASES))
    dataset = Dataset(
        identifier=1,
        name="Dataset001_MadeUp",
        folder=Path("Dataset001_MadeUp"),
        channel_names=tuple(f"MR{k}" for k in range(made_up.channels)),
        labels=Labels(("background", *names), tuple(range(len(names) + 1))),
        file_ending=".nii.gz",
        training=training,
        test=(),
    )
    cases = tuple(_case(case.name, names, made_up) for case in training)
    return dataset, DatasetFingerprint(dataset.name, "0" * 16, cases)


def _case(name: str, names: tuple[str, ...], made_up: MadeUp) -> CaseFingerprint:
    edges = [n * mm for n, mm in zip(made_up.shape_zyx, made_up.spacing_mm, strict=True)]
    labels = []
    for k, label in enumerate(names):
        start, extent, thick = LARGE if k % 3 == 0 else THIN
        z, y, x = (share * edge for share, edge in zip(extent, edges, strict=True))
        a, b, c = (share * edge for share, edge in zip(start, edges, strict=True))
        volume = (0.4 if k % 3 == 0 else 0.05) * z * y * x
        labels.append(LabelFingerprint(label, volume, (a, b, c), (z, y, x), thick * min(z, y, x), 1, False))
    grey = (GREY,) * made_up.channels
    return CaseFingerprint(name, "0" * 16, made_up.shape_zyx, made_up.spacing_mm, grey, tuple(labels))
