"""Messages reach the terminal and the log file."""

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


def test_tracked_yields_everything_once():
    assert list(tracked(iter("abc"), "letters", total=3)) == ["a", "b", "c"]
