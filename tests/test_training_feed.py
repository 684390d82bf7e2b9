import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from plans import tiny_plan
from prepared import cube_case

from kneecascade.errors import TrainingError
from kneecascade.training.cases import stage_case
from kneecascade.training.feed import Feed
from kneecascade.training.patches import PatchSource

CPU = torch.device("cpu")


def source():
    return PatchSource(
        [stage_case(cube_case(k), "fine", tiny_plan()) for k in range(2)], (8, 8, 8), (1.0,) * 3
    )


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_steps_come_in_order_from_memory_and_from_processes(workers):
    with Feed(source(), 2, (0, 1, 0), 4, workers, CPU) as feed:
        for step in range(4, 9):
            image, labels = feed.next()
            wanted = source().batch(2, (0, 1, 0, step))
            assert np.array_equal(image.numpy(), wanted["image"])
            assert np.array_equal(labels.numpy(), wanted["label"])


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_the_workers_error_is_the_trainings(workers):
    good = source()
    broken = replace(good, cases=[replace(good.cases[0], image=np.zeros((1, 2, 2, 2), np.float16))])
    with (
        Feed(broken, 2, (0,), 0, workers, CPU) as feed,
        pytest.raises(
            TrainingError, match=r"step 0: case_0: its prepared arrays cannot be read \(ValueError"
        ),
    ):
        feed.next()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_dies_ends_the_training_within_seconds():
    def go_on(feed):
        for _ in range(20):
            feed.next()

    start = time.monotonic()
    with Feed(source(), 2, (0, 1, 0), 0, 2, CPU) as feed:
        feed.next()
        os.kill(feed._processes._processes[0].pid, signal.SIGKILL)
        with pytest.raises(TrainingError, match="a process that reads patches died"):
            go_on(feed)
    assert time.monotonic() - start < 10
