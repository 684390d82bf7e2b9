"""What a report says about the model: who it is, how it did on cases it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kneecascade.files import read_json

Record = dict[str, Any]


def model_record(predictions: Mapping[str, Any]) -> Record:
    """Returns the model's name and its validation scores, over all folds used.

    Args:
        predictions: content of predictions.json.

    Returns:
        text, selection (what the scores chose), and validation: a row a label with the mean Dice of
        the coarse stage and of the cascade over all held-out cases; no rows where none were found.
    """
    model = predictions.get("model", {})
    folder, folds = Path(str(model.get("folder", ""))), list(model.get("folds", []))
    summaries = [folder / fold / "validation" / "summary.json" for fold in folds]
    found = [read_json(path) for path in summaries if path.is_file()]
    selections = list(dict.fromkeys(str(s["selection"]) for s in found if "selection" in s))
    device, plan = predictions.get("device", ""), model.get("plan_hash", "?")
    text = f"{model.get('dataset', 'unknown')}, {', '.join(folds)}; plan {plan}; {device}"
    if predictions.get("data_licence"):
        text += f"; licence of the training data: {predictions['data_licence']}"
    note = f"Dice on held-out cases ({'; '.join(selections)})." if found else ""
    return {"text": text, "selection": note, "validation": _rows(found)}


def _rows(summaries: list[Record]) -> list[Record]:
    names = list(dict.fromkeys(name for summary in summaries for name in summary["dice"]))
    rows = []
    for name in names:
        parts = [summary["dice"][name] for summary in summaries if name in summary["dice"]]
        coarse, cascade = (_mean([part[stage] for part in parts]) for stage in ("coarse", "cascade"))
        count = sum(part["cascade"]["n"] for part in parts)
        rows.append({"label": name, "coarse": coarse, "cascade": cascade, "n": count})
    return rows


def _mean(parts: list[Record]) -> float | None:
    """Returns the mean over cases from means over parts of them."""
    known = [(part["mean"], part["n"]) for part in parts if part["n"] and part["mean"] is not None]
    total = sum(n for _, n in known)
    return sum(mean * n for mean, n in known) / total if total else None
