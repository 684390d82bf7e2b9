"""kc_benchmark speed from start to files."""

from __future__ import annotations

from pathlib import Path

from kneecascade.benchmark.speed import Speed, SpeedSettings
from kneecascade.benchmark.speed_numbers import Numbers
from kneecascade.benchmark.speed_page import cells, page, write_into
from kneecascade.benchmark.speed_picture import draw_speed
from kneecascade.console import say, show_table
from kneecascade.files import read_json, write_json, write_text


def benchmark_speed(output: Path, settings: SpeedSettings, documentation: Path | None = None) -> None:
    """Measures, writes speed.json, speed.md and speed.png, shows the table.

    Args:
        output: folder for these, and for data and environments that the next run uses again.
        settings: of the run.
        documentation: a page whose marked section is replaced; the picture goes to pictures/ beside it.

    Raises:
        KneecascadeError: a tool could not be installed or failed.
    """
    output = output.absolute()
    write_json(output / "speed.json", Speed(output, settings).run())
    show_speed(output, documentation)


def show_speed(output: Path, documentation: Path | None = None) -> None:
    """Writes page and picture from a speed.json that is there already; shows the table."""
    numbers = Numbers(read_json(output / "speed.json"))
    rows = numbers.rows()
    draw_speed(output / "speed.png", rows)
    write_text(output / "speed.md", page(numbers, "speed.png") + "\n")
    if documentation:
        draw_speed(documentation.parent / "pictures" / "speed.png", rows)
        write_into(documentation, page(numbers, "pictures/speed.png"))
    header = ["what", "nnU-Net", "kneecascade", "times better", "target"]
    show_table("Speed", header, [cells(row) for row in rows])
    say(f"Everything is in {output}")
