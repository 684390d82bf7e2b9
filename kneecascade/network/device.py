"""Where to compute and in which precision."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from kneecascade.core.settings import DeviceName
from kneecascade.errors import SettingsError


@dataclass(frozen=True)
class Device:
    """Where a network runs.

    Attributes:
        device: torch's device.
        autocast: precision of the convolutions under torch.autocast; None for float32 throughout.
        description: one line for the user, "CPU, bfloat16 (avx512_bf16)".
    """

    device: torch.device
    autocast: torch.dtype | None
    description: str


def choose_device(name: DeviceName) -> Device:
    """Returns the device asked for; "auto" is the first GPU where there is one, else the CPU.

    "auto" never means Apple's mps: its 3D convolutions are not tried by this project.

    Raises:
        SettingsError: this machine has no such device.
    """
    if name == "cuda" or (name == "auto" and torch.cuda.is_available()):
        return _cuda()
    if name == "mps":
        return _mps()
    return _cpu()


def _cuda() -> Device:
    if not torch.cuda.is_available():
        raise SettingsError(
            "device cuda: torch finds no GPU; use --device cpu, or install torch built for CUDA"
        )
    dtype = torch.bfloat16 if torch.cuda.get_device_capability()[0] >= 8 else torch.float16
    return Device(torch.device("cuda"), dtype, f"{torch.cuda.get_device_name()}, {_short(dtype)}")


def _mps() -> Device:
    if not torch.backends.mps.is_available():
        raise SettingsError("device mps: torch finds no Apple GPU; use --device cpu")
    return Device(torch.device("mps"), None, "Apple GPU (mps), float32")


def _cpu() -> Device:
    native = _native_bfloat16()
    if native:
        return Device(torch.device("cpu"), torch.bfloat16, f"CPU, bfloat16 ({native})")
    return Device(torch.device("cpu"), None, "CPU, float32 (the processor has no bfloat16)")


def _native_bfloat16() -> str:
    # Emulated bfloat16 is slower than float32, so only native instructions count. The functions
    # are torch's own but not in its stable interface: one that is missing means no.
    for instructions, asked in (
        ("amx", "_is_amx_tile_supported"),
        ("avx512_bf16", "_is_avx512_bf16_supported"),
    ):
        function = getattr(torch.cpu, asked, None)
        if function is not None and function():
            return instructions
    return ""


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
