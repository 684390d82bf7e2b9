"""From runs to table, page and picture: speed_numbers, speed_page, speed_picture, speed_run, speed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kneecascade.benchmark.speed import FULL, QUICK, Speed, SpeedSettings, Task
from kneecascade.benchmark.speed_numbers import Numbers, Row
from kneecascade.benchmark.speed_page import BEGIN, END, cells, page, verdict, write_into
from kneecascade.benchmark.speed_picture import draw_speed
from kneecascade.benchmark.speed_run import show_speed
from kneecascade.errors import InputError
from kneecascade.files import write_json


def ours(seconds: float, networks: float = 1.0, **more: Any) -> dict[str, Any]:
    """Returns the record of a prediction."""
    found = {"seconds": seconds, "networks_s": networks, "start_s": 2.0, "load_s": 0.5, "peak_gb": 1.0}
    return {**found, "fraction": 0.3, **more}


def peer(seconds: float, tiles: int = 10) -> dict[str, Any]:
    """Returns the record of a prediction with 2 tiles done, 4 s each, the network 3 s of them."""
    found = {"seconds": seconds, "tiles": tiles, "done": 2, "tile_s": [4.0, 4.0], "network_s": [3.0, 3.0]}
    return {**found, "start_s": 8.0, "load_s": 1.0, "peak_gb": 4.0}


def training(seconds: float) -> dict[str, Any]:
    """Returns the record of three steps, the first one slow."""
    return {
        "patch": [10, 10, 10],
        "batch": 2,
        "wait_s": [9.0, 0.1 * seconds, 0.1 * seconds],
        "step_s": [9.0, 0.9 * seconds, 0.9 * seconds],
        "data_alone_s": [0.5, 0.5],
    }


def data(with_peer: bool = True) -> dict[str, Any]:
    """Returns what `Speed.run` would."""
    about = {
        "system": "Linux",
        "processors": 2,
        "workers": 2,
        "python": "3.11",
        "torch": "2.13",
        "quick": False,
        "folds": 5,
        "images": 3,
        "cases": [2, 4],
        "edges": [288, 384, 480],
        "large": [320, 512, 512],
        "nnunet": {"versions": {"nnunetv2": "2.8.1", "torch": "2.13"}, "threads": 2} if with_peer else None,
    }
    runs = {
        "ours cold": [ours(3.0), ours(2.0), ours(9.0)],
        "ours warm": [ours(7.0)],
        "ours folds": [ours(8.0)],
        "ours plain": [ours(12.0, networks=6.0)],
        "ours edge 288": [ours(2.5)],
        "ours edge 480": [ours(3.5)],
        "ours labels": [ours(4.0)],
        "ours large": [ours(5.0)],
        "ours prepare few": [{"seconds": 6.0}],
        "ours prepare many": [{"seconds": 8.0}],
        "ours train": [training(1.0)],
    }
    if with_peer:
        runs |= {
            "peer cold": [peer(20.0), peer(22.0), peer(30.0)],
            "peer labels": [peer(28.0)],
            "peer prepare few": [{"seconds": 30.0}],
            "peer prepare many": [{"seconds": 40.0}],
            "peer train": [training(4.0)],
        }
    return {"about": about, "tiles": [5, 10, 16] if with_peer else [], "runs": runs}


def row(numbers: Numbers, what: str) -> Row:
    """Returns the row whose name begins so."""
    return next(r for r in numbers.rows() if r.what.startswith(what))


def test_tiles_that_were_left_out_are_added() -> None:
    numbers = Numbers(data())
    assert numbers.peer_cold_s() == (22 - 8) + 10 * 4
    assert numbers.peer_cold_s(tiles=16) == (22 - 8) + 16 * 4
    assert numbers.peer_defaults_s(5) == 54 + (8 * 5 - 1) * 10 * 3


def test_the_table_takes_medians_and_ratios() -> None:
    numbers = Numbers(data())
    assert row(numbers, "one knee, one fold").ratio == 54 / 3
    assert row(numbers, "one more knee").ours == (7 - 3) / 2
    assert row(numbers, "plan and preprocess").ratio == 5
    assert row(numbers, "peak").ratio == 4
    assert row(numbers, "training, thousand").ratio == pytest.approx(4)
    assert row(numbers, "training, thousand").ours == pytest.approx(2)
    assert row(numbers, "training, waiting").ours == pytest.approx(10)


def test_a_training_with_more_workers_has_its_own_rows() -> None:
    record = data()
    record["runs"] |= {"ours train more": [training(2.0)], "peer train more": [training(8.0)]}
    assert row(Numbers(record), "the same with 4 workers, thousand").ratio == pytest.approx(4)
    assert not [r for r in Numbers(data()).rows() if "4 workers" in r.what]  # of an older run


def test_the_factors_multiply_to_the_whole() -> None:
    numbers = Numbers(data())
    parts = numbers.split()
    assert parts is not None
    assert parts["cascade"] == 10 * 3 / 6
    assert parts["engine"] == 6
    assert parts["cascade"] * parts["engine"] * parts["rest"] == pytest.approx(54 / 3)


def test_targets_are_reached_or_missed() -> None:
    assert verdict(Row("a", 10.0, 1.0, "s", 5)).endswith("reached")
    assert verdict(Row("a", 10.0, 5.0, "s", 5)).endswith("missed")
    assert verdict(Row("a", None, 5.0, "s", 5)) == "5 times"
    assert Row("rate", 1.0, 2.0, "", None, True).ratio == 2
    assert Row("nothing", 1.0, 0.0, "s").ratio is None


@pytest.mark.parametrize("with_peer", [True, False])
def test_the_page_says_it_all(with_peer: bool, tmp_path: Path) -> None:
    write_json(tmp_path / "speed.json", data(with_peer))
    site = tmp_path / "site" / "page.md"
    site.parent.mkdir()
    site.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n")
    show_speed(tmp_path, site)
    text = site.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "stale" not in text
    assert "160x480x480" in text
    assert ("extrapolated: 6 of 3 times 10 tiles" in text) == with_peer
    assert ("Of the whole factor, 5.0 times is the cascade" in text) == with_peer
    for picture in (tmp_path / "speed.png", site.parent / "pictures" / "speed.png"):
        assert picture.read_bytes()[:4] == b"\x89PNG"
    columns = {line.count("|") for line in text.splitlines() if line.startswith("| one knee")}
    assert columns == {len(cells(Row("a", 1.0, 1.0, "s"))) + 1}


def test_a_quick_run_is_not_to_be_quoted() -> None:
    found = data()
    found["about"]["quick"] = True
    assert "not to be quoted" in page(Numbers(found), "speed.png")
    assert QUICK.tiles < FULL.tiles


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("nothing here")
    with pytest.raises(InputError, match="to write between"):
        write_into(tmp_path / "page.md", "text")
    with pytest.raises(InputError, match="no such page"):
        write_into(tmp_path / "none.md", "text")


def test_the_picture_leaves_out_what_is_no_cost(tmp_path: Path) -> None:
    draw_speed(tmp_path / "p.png", [Row("a", 10.0, 1.0, "s"), Row("b", 1.0, 2.0, "", None, True)])
    assert (tmp_path / "p.png").stat().st_size > 1000


def test_tasks_are_interleaved(tmp_path: Path) -> None:
    done: list[str] = []

    def work(name: str) -> dict[str, Any]:
        done.append(name)
        return {"seconds": 1.0}

    speed = Speed(tmp_path, SpeedSettings(quick=True, skip_peer=True))
    speed._interleave("x", [Task("a", 2, lambda: work("a")), Task("b", 1, lambda: work("b"))])
    assert done == ["a", "b", "a"]
    assert {name: len(records) for name, records in speed.found.items()} == {"a": 2, "b": 1}
