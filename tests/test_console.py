"""Messages reach the terminal and the log file."""

import subprocess
import sys

from kneecascade.console import log_file, say, show_table, tracked, warn


def test_messages_go_to_the_right_stream(capsys):
    say("plain [0, 1]")
    warn("careful")
    captured = capsys.readouterr()
    assert captured.out == "plain [0, 1]\n"
    assert captured.err == "warning: careful\n"


def test_the_log_keeps_what_was_said_while_open(tmp_path, capsys):
    with log_file(tmp_path / "deep" / "run.log"):
        say("inside")
        warn("doubt")
        show_table("t", ["label", "Dice"], [["femur", "0.98"]])
    say("outside")
    text = (tmp_path / "deep" / "run.log").read_text()
    assert "INFO inside" in text
    assert "WARNING doubt" in text
    assert "femur  0.98" in text
    assert "outside" not in text
    assert "0.98" in capsys.readouterr().out


def test_a_line_is_shown_once_where_a_library_logs_to_the_root(tmp_path):
    program = (
        "import logging, sys; from pathlib import Path; from kneecascade.console import log_file, say\n"
        "with log_file(Path(sys.argv[1])):\n    logging.debug('as batchgenerators does')\n    say('once')"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "run.log")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("once\n", "")


def test_a_narrow_table_keeps_long_names_whole(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    show_table("t", ["case", "file"], [["a", "hippocampus_of_somebody_0000.nii.gz"]])
    rows = [line.split("│")[2].strip() for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert "".join(rows) == "hippocampus_of_somebody_0000.nii.gz"


def test_tracked_yields_everything_once():
    assert list(tracked(iter("abc"), "letters", total=3)) == ["a", "b", "c"]


def test_a_warning_is_printed_once_in_a_program_without_logging(tmp_path):
    program = "from kneecascade.console import warn; warn('careful')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "warning: careful\n"
