"""From the runs of a speed benchmark to the numbers that are shown: medians, sums, ratios."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

Record = dict[str, Any]
Runs = Mapping[str, list[Record]]
MIRRORINGS = 8


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: was measured.
        peer: nnU-Net's number; None where it was not measured.
        ours: kneecascade's number.
        unit: of both.
        target: smallest ratio aimed at; None for none.
        higher_is_better: a rate, not a cost.
    """

    what: str
    peer: float | None
    ours: float
    unit: str
    target: float | None = None
    higher_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times better kneecascade is; None without nnU-Net or where ours is 0."""
        if self.peer is None or self.ours == 0 or self.peer == 0:
            return None
        return self.ours / self.peer if self.higher_is_better else self.peer / self.ours


class Numbers:
    """What the runs amount to.

    Args:
        data: as `speed.Speed.run` returns it.

    Attributes:
        runs: records by task.
        tiles: of nnU-Net's in one knee.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data, self.runs = data, data["runs"]
        self.compared = "peer cold" in self.runs
        self.tiles = self.runs["peer cold"][0]["tiles"] if self.compared else 0

    def middle(self, task: str, what: str = "seconds") -> float:
        """Returns the median of one number over the rounds of a task."""
        return median(record[what] for record in self.runs[task])

    @property
    def tile_s(self) -> float:
        """Seconds of one of nnU-Net's tiles, its part of the weighted sum included."""
        return median(s for record in self.runs["peer cold"] for s in record["tile_s"])

    @property
    def tile_network_s(self) -> float:
        """Seconds of the network in one of nnU-Net's tiles."""
        return median(s for record in self.runs["peer cold"] for s in record["network_s"])

    def peer_cold_s(self, task: str = "peer cold", tiles: int | None = None) -> float:
        """Returns nnU-Net's seconds file to file, the tiles that were left out added."""
        tiles = self.tiles if tiles is None else tiles
        rest = median(r["seconds"] - sum(r["tile_s"]) for r in self.runs[task])
        return rest + tiles * self.tile_s

    def peer_defaults_s(self, folds: int = 5, mirrorings: int = MIRRORINGS) -> float:
        """Returns nnU-Net's seconds with mirroring and folds: their forwards added."""
        return self.peer_cold_s() + (mirrorings * folds - 1) * self.tiles * self.tile_network_s

    @property
    def warm_s(self) -> float:
        """Seconds of each further knee in one process of kneecascade."""
        images = self.data["about"]["images"]
        return (self.middle("ours warm") - self.middle("ours cold")) / (images - 1)

    def rate(self, task: str) -> float:
        """Returns thousands of voxels a second in training, waiting included, the first step left out."""
        record = self.runs[task][0]
        seconds = median(
            wait + step for wait, step in zip(record["wait_s"][1:], record["step_s"][1:], strict=True)
        )
        return _voxels(record) / seconds / 1e3

    def waiting(self, task: str) -> float:
        """Returns the share of the training time spent waiting for data, in percent."""
        record = self.runs[task][0]
        waited, stepped = sum(record["wait_s"][1:]), sum(record["step_s"][1:])
        return 100 * waited / (waited + stepped)

    def data_rate(self, task: str) -> float:
        """Returns thousands of voxels a second that reading and augmenting alone would give."""
        record = self.runs[task][0]
        return _voxels(record) / (sum(record["data_alone_s"]) / len(record["data_alone_s"])) / 1e3

    def per_case(self, tool: str) -> float:
        """Returns seconds of plan and preprocessing over the cases, of the larger data set."""
        return self.middle(f"{tool} prepare many") / self.data["about"]["cases"][1]

    def split(self) -> Record | None:
        """Splits the cold ratio into three factors: the cascade, the engine, the rest.

        Cascade: the networks' time, both in plain float32 torch. Engine: kneecascade's networks, plain
        over as they are used. Rest: what remains, start, reading, resampling, writing.
        """
        if not self.compared:
            return None
        theirs = self.tiles * self.tile_network_s
        plain, fast = self.middle("ours plain", "networks_s"), self.middle("ours cold", "networks_s")
        cascade, engine = theirs / plain, plain / fast
        whole = self.peer_cold_s() / self.middle("ours cold")
        seconds = {"peer_network_s": theirs, "plain_network_s": plain, "network_s": fast}
        return {**seconds, "cascade": cascade, "engine": engine, "rest": whole / (cascade * engine)}

    def rows(self) -> list[Row]:
        """Returns the table of targets."""
        cold, folds = self.middle("ours cold"), self.data["about"]["folds"]
        return [
            Row("one knee, one fold, no mirroring, cold", self._peer(self.peer_cold_s), cold, "s", 35),
            Row(
                "one more knee in the same process, warm",
                self._peer(lambda: self.tiles * self.tile_s),
                self.warm_s,
                "s",
                60,
            ),
            Row(
                f"one knee, both tools' defaults (ours {folds} folds)",
                self._peer(lambda: self.peer_defaults_s(folds)),
                self.middle("ours folds"),
                "s",
                600,
            ),
            Row("peak memory of prediction", self._peak("peer cold"), self._peak("ours cold") or 0, "GB", 3),
            self._row("plan and preprocess, a case", self.per_case, "s", 5),
            Row(
                "start to model loaded",
                self._of("peer cold", "start_s"),
                self.middle("ours cold", "start_s"),
                "s",
            ),
            Row(
                "of that, loading the model",
                self._of("peer cold", "load_s"),
                self.middle("ours cold", "load_s"),
                "s",
            ),
            Row("training, thousand voxels a second", *self._pair(self.rate), "", None, True),
            Row("training, waiting for data", *self._pair(self.waiting), "%"),
            Row("data alone, thousand voxels a second", *self._pair(self.data_rate), "", None, True),
            *self._with_more_workers(),
        ]

    def _row(self, what: str, number: Callable[[str], float], unit: str, target: float | None) -> Row:
        return Row(what, number("peer") if self.compared else None, number("ours"), unit, target)

    def _pair(self, number: Callable[[str], float], more: str = "") -> tuple[float | None, float]:
        return (number(f"peer train{more}") if self.compared else None, number(f"ours train{more}"))

    def _with_more_workers(self) -> list[Row]:
        """Returns the rows of the training with more workers; none in the record of an older run."""
        if "ours train more" not in self.runs:
            return []
        rates = self._pair(self.rate, " more")
        return [
            Row("the same with 4 workers, thousand voxels a second", *rates, "", None, True),
            Row("the same with 4 workers, waiting for data", *self._pair(self.waiting, " more"), "%"),
        ]

    def _peer(self, number: Callable[[], float]) -> float | None:
        return number() if self.compared else None

    def _of(self, task: str, what: str) -> float | None:
        return self.middle(task, what) if task in self.runs else None

    def _peak(self, task: str) -> float | None:
        return max(r["peak_gb"] for r in self.runs[task]) if task in self.runs else None


def _voxels(record: Record) -> int:
    z, y, x = record["patch"]
    return int(z * y * x * record["batch"])
