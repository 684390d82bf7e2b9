from dataclasses import replace

from kneecascade.training.history import (
    HISTORY,
    PICTURE,
    Epoch,
    append_epoch,
    cut_history,
    draw_progress,
    read_history,
)

FIRST = Epoch(1, 10, 1e-3, 1.5, 1.4, {"bone": 0.5, "cartilage": None}, 3.2, 0.01, 0)


def test_epochs_come_back(tmp_path):
    second = replace(FIRST, epoch=2, train_loss=None, held_out_loss=None, pseudo_dice={})
    for epoch in (FIRST, second):
        append_epoch(tmp_path, epoch)
    assert read_history(tmp_path) == [FIRST, second]


def test_what_the_checkpoint_does_not_know_is_cut(tmp_path):
    for k in range(1, 4):
        append_epoch(tmp_path, replace(FIRST, epoch=k))
    assert [e.epoch for e in cut_history(tmp_path, 2)] == [1, 2]
    assert [e.epoch for e in read_history(tmp_path)] == [1, 2]
    assert cut_history(tmp_path / "new", 0) == []


def test_a_line_that_was_cut_off_is_dropped(tmp_path):
    append_epoch(tmp_path, FIRST)
    with (tmp_path / HISTORY).open("a") as stream:
        stream.write('{"epoch": 2, "st')
    assert read_history(tmp_path) == [FIRST]


def test_the_line_for_the_user(tmp_path):
    assert "cartilage" not in FIRST.text()
    assert "bone 0.500" in FIRST.text()
    assert "2 steps skipped" in replace(FIRST, skipped=2).text()
    assert FIRST.mean_dice == 0.5
    assert replace(FIRST, pseudo_dice={}).mean_dice is None


def test_a_picture_is_drawn(tmp_path):
    draw_progress(tmp_path, [FIRST, replace(FIRST, epoch=2, step=20, held_out_loss=None)])
    assert (tmp_path / PICTURE).read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 1
