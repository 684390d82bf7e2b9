"""kneecascade.network.checkpoint."""

from __future__ import annotations

import pytest
import torch
from plans import tiny_medicalnet, tiny_resunet

from kneecascade.errors import CheckpointError
from kneecascade.network import checkpoint
from kneecascade.network.build import build_network
from kneecascade.network.checkpoint import (
    load_into,
    load_training_state,
    load_weights,
    save_training_state,
    save_weights,
)


def trained(seed: int, plan=None):
    torch.manual_seed(seed)
    network = build_network(plan or tiny_resunet()).to(memory_format=torch.channels_last_3d)
    return network, torch.optim.AdamW(network.parameters(), lr=1e-2)


def steps(network, optimizer, first: int, last: int) -> None:
    for step in range(first, last):
        x = torch.randn(2, 1, 8, 8, 8, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        sum(m.square().mean() for m in network(x)).backward()
        optimizer.step()


def same(a, b) -> bool:
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def test_weights_and_text_come_back(tmp_path):
    network, _ = trained(0, tiny_medicalnet())
    path = tmp_path / "fold_0" / "model.safetensors"
    save_weights(path, network, {"plan": '{"a": "é"}', "epoch": "3"})
    state, metadata = load_weights(path)
    assert metadata == {"plan": '{"a": "é"}', "epoch": "3"}
    assert state.keys() == network.state_dict().keys()
    other, _ = trained(1, tiny_medicalnet())
    assert not same(other, network)
    assert load_into(other, path) == metadata
    assert same(other, network)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_state_dict_is_as_good_as_a_module(tmp_path):
    shared = torch.arange(6.0).reshape(2, 3)
    save_weights(tmp_path / "w.safetensors", {"a": shared, "b": shared.T}, {})
    state, metadata = load_weights(tmp_path / "w.safetensors")
    assert metadata == {}
    assert torch.equal(state["b"], shared.T)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save_weights(path, {"a": torch.ones(1)}, {})

    def broken(tensors, name, metadata):
        name.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(checkpoint, "save_file", broken)
    with pytest.raises(OSError, match="disk full"):
        save_weights(path, {"a": torch.zeros(1)}, {})
    assert float(load_weights(path)[0]["a"]) == 1
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_broken_a_cut_and_a_missing_file_are_named(tmp_path):
    path = tmp_path / "model.safetensors"
    save_weights(path, {"a": torch.ones(100)}, {})
    whole = path.read_bytes()
    for content in (b"", b"nonsense nonsense", whole[:-40]):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"model\.safetensors: broken") as error:
            load_weights(path)
        assert "\n" not in str(error.value)
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        load_weights(tmp_path / "none.safetensors")


def test_weights_of_another_network_are_refused(tmp_path):
    save_weights(tmp_path / "w.safetensors", trained(0)[0], {})
    for plan in (tiny_medicalnet(), tiny_resunet(num_classes=4)):
        with pytest.raises(CheckpointError, match="another network"):
            load_into(trained(0, plan)[0], tmp_path / "w.safetensors")


def test_training_goes_on_bit_by_bit(tmp_path):
    path = tmp_path / "state.safetensors"
    network, optimizer = trained(0)
    steps(network, optimizer, 0, 3)
    optimizer.param_groups[0]["lr"] = 1e-2 / 3
    numbers = {"step": 3, "loss": 0.1 + 0.2, "best": None, "losses": [1e-300, 2.5]}
    save_training_state(path, network, optimizer, numbers)
    steps(network, optimizer, 3, 6)
    resumed, its_optimizer = trained(1)
    assert load_training_state(path, resumed, its_optimizer) == (numbers, {})
    assert its_optimizer.param_groups[0]["lr"] == 1e-2 / 3
    assert not same(resumed, network)
    steps(resumed, its_optimizer, 3, 6)
    assert same(resumed, network)


def test_a_state_before_the_first_step(tmp_path):
    network, optimizer = trained(0)
    save_training_state(tmp_path / "s.safetensors", network, optimizer, {})
    other, its_optimizer = trained(1)
    assert load_training_state(tmp_path / "s.safetensors", other, its_optimizer)[0] == {}
    assert same(other, network)


def test_weights_are_no_training_state(tmp_path):
    network, optimizer = trained(0)
    path = tmp_path / "s.safetensors"
    save_weights(path, {f"module.{n}": t for n, t in network.state_dict().items()}, {})
    with pytest.raises(CheckpointError, match="not a training state"):
        load_training_state(path, network, optimizer)
    save_weights(path, network, {})
    with pytest.raises(CheckpointError, match="another network"):
        load_training_state(path, network, optimizer)
