"""kneecascade.network.device."""

from __future__ import annotations

import pytest
import torch

from kneecascade.errors import SettingsError
from kneecascade.network.device import choose_device


def test_cpu_uses_bfloat16_only_where_the_processor_has_it(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    device = choose_device("cpu")
    assert (device.device.type, device.autocast) == ("cpu", torch.bfloat16)
    assert device.description == "CPU, bfloat16 (avx512_bf16)"
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    device = choose_device("cpu")
    assert device.autocast is None
    assert "float32" in device.description


def test_a_torch_that_cannot_tell_means_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported", raising=False)
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    assert choose_device("cpu").autocast is None


def test_auto_takes_the_cpu_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto").device.type == "cpu"


@pytest.mark.parametrize(("capability", "dtype"), [((7, 5), torch.float16), ((9, 0), torch.bfloat16)])
def test_a_gpu_uses_the_half_precision_it_has(monkeypatch, capability, dtype):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    device = choose_device("auto")
    assert (device.device.type, device.autocast) == ("cuda", dtype)
    assert device.description == f"Some GPU, {str(dtype).split('.')[1]}"


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_what_is_not_there_is_refused(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SettingsError, match=f"device {name}"):
        choose_device(name)
