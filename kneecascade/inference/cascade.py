"""The trained cascade: coarse look, region, fine look, labels on the grid of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from torch import nn

from kneecascade.core.case import LabelVolume, Side, Volume
from kneecascade.core.geometry import Box
from kneecascade.core.piece_rules import PieceRule
from kneecascade.core.plan import CascadePlan, StagePlan
from kneecascade.core.settings import BackendName, DeviceName
from kneecascade.core.trace import PreparedCase, Region, Trace
from kneecascade.evaluation.overlap import label_volumes_ml
from kneecascade.evaluation.quality_file import read_reference
from kneecascade.evaluation.quality_limits import QualityReference
from kneecascade.imaging.components import at_least
from kneecascade.imaging.small_pieces import drop_small_pieces
from kneecascade.inference.folds import coarse_share, one_plan, trained_folds, weights_file
from kneecascade.inference.openvino_network import choose_place
from kneecascade.inference.pieces import drop_far_pieces
from kneecascade.inference.plausibility import Doubt, doubt_of_difference, doubt_of_volumes
from kneecascade.inference.region import find_region, region_around, whole_region
from kneecascade.inference.result import CascadeResult, Look
from kneecascade.inference.sides import answer_both_ways, certainty, contradiction, needs_both_ways
from kneecascade.inference.stage import Limits, load_stage, needs_tiles, predict_stage
from kneecascade.inference.sureness import mean_and_votes, sureness_of
from kneecascade.inference.target_box import believable_box, border_flags
from kneecascade.inference.timed import timed
from kneecascade.inference.two_knees import require_one_knee
from kneecascade.network.device import Device
from kneecascade.planning.plan_file import read_plan
from kneecascade.preprocessing.disagreement import gross_disagreement
from kneecascade.preprocessing.mixture import mix_in
from kneecascade.preprocessing.transform import fine_image, native_box, prepare, restore, restore_coarse


@dataclass(frozen=True, eq=False)
class Cascade:
    """Networks of one or several folds under one plan.

    Attributes:
        plan: of grids, labels and regions.
        coarse: networks of the coarse stage, one a fold, as `stage.ready` returns them.
        fine: networks of the fine stage, one a fold.
        device: where they lie.
        limits: memory of one forward.
        folds: names of the folds, for the record.
        tta: average over the plan's mirrorings in both stages.
        coarse_share: of the coarse stage in the probabilities of a region that it has found.
        rules: which pieces of labels are kept in the end; none, all.
        reference: what training knees measure; it helps to tell the side of a knee. None for none.
    """

    plan: CascadePlan
    coarse: Sequence[nn.Module]
    fine: Sequence[nn.Module]
    device: Device
    limits: Limits = field(default_factory=Limits)
    folds: tuple[str, ...] = ()
    tta: bool = False
    coarse_share: float = 0.0
    rules: tuple[PieceRule, ...] = ()
    reference: QualityReference | None = None

    @property
    def mirror_axes(self) -> tuple[int, ...]:
        """Axes that are mirrored; none where the plan knows none or `tta` is off."""
        return self.plan.mirror_axes if self.tta else ()

    def predict(
        self,
        volume: Volume,
        name: str = "image",
        coarse_alone: bool = False,
        whole: bool = False,
        keep_probabilities: bool = False,
        side: Side = "unknown",
        refuse_two: bool = False,
    ) -> CascadeResult:
        """Segments one image.

        Where the plan has a canonical side and the image's is unknown, it is segmented as both; the answer
        that fits the anatomy is kept, and flagged. Where a target is missing or too small after the fine look
        at the region, the fine stage looks at the whole image once; the more plausible one is kept, flagged.

        Args:
            volume: (C, Z, Y, X) on any grid.
            name: of the case, for messages.
            coarse_alone: restore the coarse stage's labels as well.
            whole: let the fine stage look at the whole image, whatever the coarse stage found.
            keep_probabilities: return the fine stage's probabilities as well.
            side: of the knee.
            refuse_two: refuse an image that shows two knees; without it the larger one is segmented, flagged.

        Raises:
            ImageError: the number of channels is not the plan's, or the image shows two knees.
        """

        def answer(taken_for: Side) -> CascadeResult:
            seconds: dict[str, float] = {}
            with timed(seconds, "prepare"):
                prepared = prepare(volume, self.plan, name, taken_for, in_parts=True)
            coarse = self._coarse(prepared, refuse_two, seconds)
            return self._answer(prepared, coarse, taken_for, coarse_alone, whole, seconds)

        both = needs_both_ways(side, self.plan)
        found = answer_both_ways(answer, self.plan, self.reference) if both else answer(side)
        result = self._tidied(found) if self.rules else found
        return result if keep_probabilities else replace(result, fine_probabilities=None)

    def _coarse(self, prepared: PreparedCase, refuse_two: bool, seconds: dict[str, float]) -> np.ndarray:
        with timed(seconds, "coarse"):
            coarse = self._probabilities(self.coarse, prepared.coarse, self.plan.coarse)
            if refuse_two:
                require_one_knee(coarse, prepared.trace, self.plan)
        return coarse

    def _answer(
        self,
        prepared: PreparedCase,
        coarse: np.ndarray,
        side: Side,
        coarse_alone: bool,
        whole: bool,
        seconds: dict[str, float],
    ) -> CascadeResult:
        with timed(seconds, "region"):
            found = whole_region(prepared.trace) if whole else find_region(coarse, prepared.trace, self.plan)
        look = self._look_closely(prepared, coarse, found, seconds)
        if look.doubt.lost and not found.whole:
            look = self._look_everywhere(prepared, coarse, look, seconds)
        alone = None
        if coarse_alone:
            with timed(seconds, "restore"):
                alone = restore_coarse(coarse, prepared.trace, self.plan)
        result = self._result(look, prepared.trace, side, seconds)
        sure = certainty((coarse, look.probabilities), self.plan)
        return replace(result, coarse_labels=alone, certainty=sure)

    def _result(self, look: Look, trace: Trace, side: Side, seconds: dict[str, float]) -> CascadeResult:
        seen = self._seen(look.region.box, trace)
        swapped = contradiction(look.labels, self.plan, side)
        return CascadeResult(
            labels=look.labels,
            coarse_labels=None,
            fine_probabilities=look.probabilities,
            region=look.region,
            trace=trace,
            flags=(*look.region.flags, *border_flags(look, trace, self.plan), *look.doubt.flags, *swapped),
            volumes_ml=look.volumes_ml,
            seconds=seconds,
            sureness=look.sureness,
            in_tiles=needs_tiles(self.plan.fine, seen.shape_zyx, self.device, self.limits),
        )

    def _tidied(self, result: CascadeResult) -> CascadeResult:
        """Returns the result without the pieces that the rules drop; its probabilities stay as they are."""
        found, plan = result.labels, self.plan
        seconds = dict(result.seconds)
        with timed(seconds, "pieces"):
            voxel_mm3 = found.geometry.voxel_mm3
            array, lost_mm3 = drop_small_pieces(found.array, plan.labels, self.rules, voxel_mm3)
            volumes = label_volumes_ml(array, plan.labels, voxel_mm3) if lost_mm3 else result.volumes_ml
        return replace(
            result,
            labels=LabelVolume(array, found.geometry),
            volumes_ml=volumes,
            dropped_mm3=lost_mm3,
            seconds=seconds,
        )

    def _look_closely(
        self, prepared: PreparedCase, coarse: np.ndarray, region: Region, seconds: dict[str, float]
    ) -> Look:
        """Returns the fine stage's answer on one region, joined with the coarse stage's outside."""
        with timed(seconds, "fine"):
            wide = self._seen(region.box, prepared.trace)
            image = fine_image(prepared, wide)
            fine, votes = mean_and_votes(
                self.fine, lambda some: self._probabilities(some, image, self.plan.fine)
            )
            corners = zip(region.box.start_zyx, wide.start_zyx, region.box.shape_zyx, strict=True)
            cut = tuple(slice(a - low, a - low + n) for a, low, n in corners)
            fine = fine[(slice(None), *cut)]
            sureness = sureness_of(fine, [vote[cut] for vote in votes], self.plan.labels)
            share = 0.0 if region.whole else self.coarse_share
            mix_in(fine, coarse, region.box, prepared.trace, share)
        with timed(seconds, "restore"):
            labels, far = self._join(coarse, fine, region, prepared.trace, share)
            volumes = label_volumes_ml(labels.array, self.plan.labels, labels.geometry.voxel_mm3)
        doubt = doubt_of_volumes(volumes, self.plan, "the fine stage") + far
        return Look(region, fine, labels, volumes, doubt, sureness)

    def _join(
        self, coarse: np.ndarray, fine: np.ndarray, region: Region, trace: Trace, share: float
    ) -> tuple[LabelVolume, Doubt]:
        """Returns the labels of both stages, and what is odd about how far they reach.

        After a look at the whole image the coarse stage decides far from the targets, as always: the fine
        stage has seen little of bone shafts and of air.
        """
        labels, far, differing = self._restored(coarse, fine, region, trace, share)
        box = believable_box(labels, trace, self.plan) if region.whole else None
        around = region_around(box, trace, self.plan) if box else region.box
        if around == region.box:
            return labels, far + differing
        inner = fine[(slice(None), *around.slices)]
        labels, _, differing = self._restored(coarse, inner, Region(around, 1.0), trace, share)
        return labels, far + differing

    def _restored(
        self, coarse: np.ndarray, fine: np.ndarray, region: Region, trace: Trace, share: float
    ) -> tuple[LabelVolume, Doubt, Doubt]:
        """Returns the labels; what is odd about how far they reach, and about how the stages differ."""
        found = gross_disagreement(coarse, fine, region.box, trace, self.plan, share)
        labels = restore(coarse, fine, region, trace, self.plan, found)
        far = drop_far_pieces(labels, coarse, native_box(region.box, trace), trace, self.plan)
        return labels, far, doubt_of_difference(found.share if found else 0.0)

    def _look_everywhere(
        self, prepared: PreparedCase, coarse: np.ndarray, first: Look, seconds: dict[str, float]
    ) -> Look:
        """Returns the more plausible of a first look and one at the whole image; says which in a flag."""
        region = replace(whole_region(prepared.trace, first.region.flags), at_border=first.region.at_border)
        second = self._look_closely(prepared, coarse, region, seconds)
        better = second.doubt.amount < first.doubt.amount
        kept, which = (second, "the whole image's") if better else (first, "the region's")
        flag = f"looked at the whole image as well ({first.doubt.flags[0]}); kept {which} answer"
        return replace(kept, region=replace(kept.region, flags=(*kept.region.flags, flag)))

    def _probabilities(
        self, networks: Sequence[nn.Module], image: np.ndarray, stage: StagePlan
    ) -> np.ndarray:
        return predict_stage(networks, image, stage, self.device, self.limits, self.mirror_axes)

    def _seen(self, box: Box, trace: Trace) -> Box:
        """Returns what the fine network sees of a region's box.

        Fewer voxels than a training patch would leave it without the context it knows.
        """
        return at_least(box, self.plan.fine.patch_shape_zyx, trace.fine_shape_zyx)


def load_cascade(
    model_folder: Path | str,
    folds: Sequence[int] | None = None,
    device: DeviceName = "auto",
    limits: Limits | None = None,
    tta: bool = False,
    backend: BackendName = "torch",
) -> Cascade:
    """Loads trained folds of a model; `load_cascade(folder).predict(volume)` segments an image.

    Args:
        model_folder: results/Dataset001_Name, with fold_0 and so on.
        folds: their numbers; None for every trained fold.
        device: where to compute.
        limits: memory of one forward; None for the defaults.
        tta: average over the plan's mirrorings in both stages.
        backend: what computes the networks.

    Raises:
        CheckpointError: a fold is not trained, its weights are broken, or folds do not fit together.
        MissingExtraError: the backend is not installed.
        PlanError: the plan of a fold is broken.
        SettingsError: this machine has no such device, or the backend cannot use it.
    """
    return load_folds(trained_folds(Path(model_folder), folds), device, limits, tta, backend)


def load_folds(
    fold_folders: Sequence[Path],
    device: DeviceName,
    limits: Limits | None = None,
    tta: bool = False,
    backend: BackendName = "torch",
) -> Cascade:
    """Loads the folds in these folders; see `load_cascade`."""
    plans = {folder.name: read_plan(folder / "plan.json") for folder in fold_folders}
    chosen = choose_place(device, backend)
    pairs = list(zip(fold_folders, plans.values(), strict=True))
    plan = one_plan(plans)
    sided = plan.canonical_side != "none"
    return Cascade(
        plan=plan,
        coarse=[load_stage(weights_file(f, "coarse"), plan.coarse, chosen, backend) for f, plan in pairs],
        fine=[load_stage(weights_file(f, "fine"), plan.fine, chosen, backend) for f, plan in pairs],
        device=chosen,
        limits=replace(limits or Limits(), in_slabs=backend == "torch"),
        folds=tuple(plans),
        tta=tta,
        coarse_share=min(coarse_share(fold_folders), plan.region.most_coarse_share),
        reference=read_reference(fold_folders[0].parent) if sided else None,
    )
