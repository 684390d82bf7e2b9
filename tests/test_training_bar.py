import io

import pytest
from rich.console import Console
from rich.progress import Progress

from kneecascade.training.bar import Bar
from kneecascade.training.history import Epoch

EPOCH = Epoch(1, 3, 0.1, 0.5, 0.4, {"bone": 0.8, "cartilage": 0.6, "patella": None}, 1.0, 0.0, 0)


@pytest.mark.parametrize("hidden", [False, True])
def test_the_bar_tells_loss_and_dice(hidden):
    with Progress(console=Console(file=io.StringIO()), disable=hidden) as display:
        bar = Bar(display, "coarse fold_0")
        bar.show(3, 10, [EPOCH], [0.25, 0.75])
        task = display.tasks[0]
    assert bar.hidden is hidden
    assert task.description == "coarse fold_0"
    if not hidden:
        assert (task.completed, task.total) == (3, 10)
        assert task.fields["note"] == "loss 0.500, held-out Dice 0.700"
