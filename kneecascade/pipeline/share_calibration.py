"""Chooses the coarse stage's share inside the region on the held-out cases of a fold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kneecascade.console import say
from kneecascade.core.coarse_errors import CoarseErrors
from kneecascade.core.plan import CascadePlan
from kneecascade.core.record import to_plain
from kneecascade.core.settings import DeviceName
from kneecascade.evaluation.coarse_share import SHARES, ShareChoice, ShareScores, choose_share, score_shares
from kneecascade.inference.folds import COARSE_SHARE, weights_file
from kneecascade.inference.stage import Limits, load_stage, predict_stage
from kneecascade.network.checkpoint import load_metadata, load_weights, save_weights
from kneecascade.network.device import choose_device
from kneecascade.pipeline.held_out import held_out_answers
from kneecascade.preprocessing.mixture import mix_in
from kneecascade.preprocessing.store import StoredCase, read_whole


def calibrate_share(
    fold_folder: Path,
    plan: CascadePlan,
    errors: CoarseErrors,
    cases: Sequence[StoredCase],
    device: DeviceName,
) -> None:
    """Chooses the share and writes it into the metadata of the fine stage's weights, which stay as they are.

    A file that has one is left as it is. Arguments and errors as in `held_out.held_out_answers`.
    """
    path = weights_file(fold_folder, "fine")
    shares = [share for share in SHARES if share <= plan.region.most_coarse_share]
    if len(shares) < 2 or COARSE_SHARE in load_metadata(path):
        return
    where = choose_device(device)
    coarse = load_stage(weights_file(fold_folder, "coarse"), plan.coarse, where)
    targets, scores = plan.labels.indices(plan.targets), []
    for answer in held_out_answers(fold_folder, plan, errors, cases, device, "joining the stages"):
        image = read_whole(answer.case.coarse_image, answer.case.name).astype(np.float32)
        found = predict_stage([coarse], image, plan.coarse, where, Limits())
        theirs = np.zeros_like(answer.probabilities)
        mix_in(theirs, found, answer.box, answer.case.trace, 1.0)
        dice = score_shares(answer.probabilities, theirs, answer.reference, targets, shares)
        scores.append(ShareScores(answer.subject, dice))
    chosen = choose_share(scores, shares)
    state, metadata = load_weights(path)
    save_weights(path, state, {**metadata, COARSE_SHARE: json.dumps(to_plain(chosen))})
    _tell(chosen)


def _tell(chosen: ShareChoice) -> None:
    if chosen.share:
        say(
            f"inside the region the coarse stage has a share of {chosen.share:g}: Dice of the targets there "
            f"{chosen.dice_before:.3f} to {chosen.dice_after:.3f} on {chosen.cases} held-out cases"
        )
    else:
        say(f"inside the region the fine stage decides alone, by {chosen.cases} held-out cases")
