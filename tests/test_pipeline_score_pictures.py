from __future__ import annotations

from kneecascade.core.labels import Labels
from kneecascade.pipeline.score_pictures import worst_cases
from kneecascade.pipeline.score_tables import show_scores
from kneecascade.pipeline.scores_file import FolderScores


def _scores(dice: dict[str, list[float | None]]) -> FolderScores:
    cases = {
        name: {label: {"dice": value} for label, value in zip("xy", values, strict=True)}
        for name, values in dice.items()
    }
    return FolderScores(cases, {}, Labels(("background", "x", "y"), (0, 1, 2)), {}, {}, {}, {})


def test_the_worst_are_those_of_lowest_mean_dice() -> None:
    scores = _scores({"good": [0.9, 0.8], "half": [0.4, None], "none": [None, None], "bad": [0.0, 0.6]})
    assert worst_cases(scores, 2) == [("bad", 0.3), ("half", 0.4)]
    assert len(worst_cases(scores)) == 3


def test_no_case_no_table() -> None:
    show_scores(_scores({}), (1.0,))
