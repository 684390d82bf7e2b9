"""The speed benchmark as a page: the table of targets, the split, how costs grow."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kneecascade.benchmark.marked_section import markdown_table, marks, write_section
from kneecascade.benchmark.speed_numbers import Numbers, Row

BEGIN, END = marks("speed")


def page(numbers: Numbers, picture: str) -> str:
    """Returns the section in Markdown; `picture` is its path from the page."""
    parts = [_conditions(numbers), _targets(numbers.rows()), f"![speed]({picture})"]
    parts += [_split(numbers), _growth(numbers)]
    return "\n\n".join(part for part in parts if part)


def write_into(file: Path, section: str) -> None:
    """Replaces what stands between the two marks of a page.

    Raises:
        InputError: the page is missing or has no marks.
    """
    write_section(file, "speed", section)


def verdict(row: Row) -> str:
    """Returns the target of a row and whether it was reached; "" for none."""
    if row.target is None:
        return ""
    if row.ratio is None:
        return f"{row.target:g} times"
    return f"{row.target:g} times: {'reached' if row.ratio >= row.target else 'missed'}"


def cells(row: Row) -> list[str]:
    """Returns the texts of a row: what, nnU-Net, kneecascade, times better, target."""
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    return [row.what, _amount(row.peer, row.unit), _amount(row.ours, row.unit), ratio, verdict(row)]


def _conditions(numbers: Numbers) -> str:
    about, runs = numbers.data["about"], numbers.runs
    cold = runs["ours cold"][0]
    lines = [
        f"`kc_benchmark speed{' --quick' if about['quick'] else ''}`, {about['system']}, "
        f"{about['processors']} processors, {about['workers']} workers, Python {about['python']}, "
        f"torch {about['torch']}. Made-up knees of 160x384x384 voxels; the region is "
        f"{100 * cold['fraction']:.0f} % of the image; weights are untrained, at the architectures that "
        "both tools plan for the data set. Medians over rounds, the tools in turn.",
    ]
    if numbers.compared:
        lines.append(_about_peer(numbers))
    if about["quick"]:
        lines.append("A quick run: it shows that it works; its numbers are not to be quoted.")
    return "\n".join(lines)


def _about_peer(numbers: Numbers) -> str:
    peer, runs = numbers.data["about"]["nnunet"], numbers.runs
    done = sum(record["done"] for record in runs["peer cold"])
    training = runs["peer train"][0]
    patch = "x".join(map(str, training["patch"]))
    return (
        f"nnU-Net {peer['versions']['nnunetv2']} with torch {peer['versions']['torch']}, {peer['threads']} "
        f"threads. Its predictions are extrapolated: {done} of {len(runs['peer cold'])} times "
        f"{numbers.tiles} tiles were done, {numbers.tile_s:.2f} s each (the network "
        f"{numbers.tile_network_s:.2f} s); everything else of a prediction was done in full. Mirroring and "
        "folds add forwards of the network alone. Its warm time is its tiles alone, since its reading and "
        f"writing run beside them. Training is at a patch of {patch}, batch {training['batch']}, "
        f"{numbers.data['about']['workers']} workers."
    )


def _targets(rows: Iterable[Row]) -> str:
    header = ["what", "nnU-Net", "kneecascade", "times better", "target"]
    return markdown_table(header, [cells(row) for row in rows])


def _split(numbers: Numbers) -> str:
    parts = numbers.split()
    if parts is None:
        return ""
    return (
        f"Of the whole factor, {parts['cascade']:.1f} times is the cascade (the networks' time in the same "
        f"plain float32 torch: {parts['peer_network_s']:.1f} s against {parts['plain_network_s']:.1f} s), "
        f"{parts['engine']:.1f} times the engine (the same networks: {parts['plain_network_s']:.1f} s plain, "
        f"{parts['network_s']:.1f} s as kneecascade runs them), {parts['rest']:.2f} times everything else."
    )


def _growth(numbers: Numbers) -> str:
    about, cold, runs = numbers.data["about"], numbers.middle("ours cold"), numbers.runs
    peer = numbers.compared
    rows: list[tuple[str, float | None, float]] = []
    for edge, tiles in zip(about["edges"], numbers.data["tiles"] or [None] * 3, strict=True):
        task = f"ours edge {edge}" if f"ours edge {edge}" in runs else "ours cold"
        theirs = numbers.peer_cold_s(tiles=tiles) if peer else None
        rows.append((f"160x{edge}x{edge} voxels, the knee the same", theirs, numbers.middle(task)))
    labels = numbers.peer_cold_s("peer labels") if peer else None
    rows.append(("15 classes instead of 8", labels, numbers.middle("ours labels")))
    if "ours large" in runs:
        shape = "x".join(map(str, about["large"]))
        peak = numbers.middle("ours large", "peak_gb")
        what = f"{shape} voxels at its own spacing, 15 classes (peak {peak:.2g} GB)"
        rows.append((what, None, numbers.middle("ours large")))
    for folds in (1, about["folds"]):
        theirs = numbers.peer_defaults_s(folds, 1) if peer else None
        rows.append((f"folds: {folds}", theirs, cold if folds == 1 else numbers.middle("ours folds")))
    images = about["images"]
    several = numbers.peer_cold_s() + (images - 1) * numbers.tiles * numbers.tile_s if peer else None
    rows.append((f"images: {images}", several, numbers.middle("ours warm")))
    for cases, name in zip(about["cases"], ("few", "many"), strict=True):
        theirs = numbers.middle(f"peer prepare {name}") if peer else None
        rows.append((f"plan and preprocess, cases: {cases}", theirs, numbers.middle(f"ours prepare {name}")))
    texts = [[str(what), _amount(a, "s"), _amount(b, "s")] for what, a, b in rows]
    return "How costs grow, seconds with process start:\n\n" + markdown_table(
        ["what", "nnU-Net", "kneecascade"], texts
    )


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    text = f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()
