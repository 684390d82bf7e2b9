"""How regions for the fine stage's training err: as the coarse stage did on held-out cases."""

from __future__ import annotations

from statistics import mean, pstdev

from kneecascade.console import say
from kneecascade.core.coarse_errors import CoarseErrors, Piece
from kneecascade.core.plan import CascadePlan
from kneecascade.training.sampling import GUESSED, Sampling


def sampling_from(errors: CoarseErrors | None, plan: CascadePlan) -> Sampling:
    """Returns how patches of the fine stage are drawn.

    The faces of a region lie off by the mean and the spread of what was measured over all sides of the
    cases whose pieces were all found. A piece is lost, or a spurious one added, as often as measured;
    half a case more in each hundred per cent (Jeffreys' rule) keeps what was never seen from being
    impossible.

    Args:
        errors: of the fold's coarse stage; None where it is not trained yet: guesses stay.
        plan: with the margin that was chosen.
    """
    # where no region was found the whole image is the region, and no piece of it is lost
    found = [case for case in errors.cases if not case.whole] if errors else []
    if not found:
        why = "no coarse stage measured yet" if errors is None else "the coarse stage found no region"
        say(f"fine: {why}, regions are drawn with guessed errors")
        return GUESSED
    intact = [case for case in found if not case.lost and not case.spurious]
    sides = [side for case in intact if case.beyond_mm for face in case.beyond_mm for side in face]
    spurious = [piece for case in found for piece in case.spurious]
    sampling = Sampling(
        margin_mm=round(plan.region.margin_mm - (mean(sides) if sides else 0.0), 2),
        # an even spread from -j to j has the standard deviation j / sqrt(3)
        margin_jitter_mm=round(3**0.5 * pstdev(sides), 2) if sides else GUESSED.margin_jitter_mm,
        lost_chance=_chance(sum(bool(case.lost) for case in found), len(found)),
        spurious_chance=_chance(sum(bool(case.spurious) for case in found), len(found)),
        spurious_mm3=_volume(spurious) or max(plan.region.min_component_mm3),
    )
    say(
        f"fine: regions reach {sampling.margin_mm:.3g} ± {sampling.margin_jitter_mm:.3g} mm beyond the "
        f"targets, lose a piece in {100 * sampling.lost_chance:.0f} %, gain one in "
        f"{100 * sampling.spurious_chance:.0f} %, as measured on {len(found)} held-out cases"
    )
    return sampling


def _chance(count: int, cases: int) -> float:
    return round((count + 0.5) / (cases + 1), 4)


def _volume(pieces: list[Piece]) -> float:
    return round(mean(piece.volume_mm3 for piece in pieces), 1) if pieces else 0.0
