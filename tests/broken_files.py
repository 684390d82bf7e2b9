"""Contents that no command should take: cut, flat, spoilt, or code in place of weights."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np


def cut_short(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def ball(value: int = 1) -> np.ndarray:
    labels = np.zeros((24, 28, 32), np.uint8)
    labels[8:16, 8:16, 8:16] = value
    return labels


def noise(shape: tuple[int, ...] = (24, 28, 32)) -> np.ndarray:
    return np.random.default_rng(0).normal(100, 20, shape)


def noise_with(value: float) -> np.ndarray:
    array = noise()
    array[3, 4, 5] = value
    return array


def flat_nifti(path: Path) -> None:
    """Writes a NIfTI header by hand that says two dimensions."""
    header = np.zeros(352, np.uint8).tobytes()
    values = bytearray(header)
    values[0:4] = np.int32(348).tobytes()
    values[40:56] = np.array([2, 8, 8, 1, 1, 1, 1, 1], np.int16).tobytes()
    values[70:74] = np.array([16, 32], np.int16).tobytes()
    values[76:92] = np.array([1, 1, 1, 1], np.float32).tobytes()
    values[108:112] = np.float32(352).tobytes()
    values[344:348] = b"n+1\x00"
    path.write_bytes(gzip.compress(bytes(values) + np.ones(64, np.float32).tobytes()))


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("this must never run",))


def evil_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"state_dict": Evil()}))
