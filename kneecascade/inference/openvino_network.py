"""A network run by OpenVINO instead of torch, on the same processor."""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from kneecascade.core.geometry import Int3
from kneecascade.core.settings import BackendName, DeviceName
from kneecascade.errors import MissingExtraError, SettingsError
from kneecascade.network.device import Device, choose_device
from kneecascade.network.fit import cut_to_input, pad_to_multiple
from kneecascade.network.joining import JoiningConv

EXAMPLE_STEPS = 4
"""Edge of the example that is converted, in voxels of the network's smallest map."""
HINTS = {torch.bfloat16: "bf16", torch.float16: "f16", None: "f32"}


class OpenVinoNetwork(nn.Module):
    """Takes and returns what the torch network does, in float32; computes in the device's precision.

    Converted once; compiled anew for each shape of input, which takes a fraction of a second. The whole
    input is one forward, without slabs at full resolution: it takes more memory than torch does.

    Args:
        network: in eval mode, BatchNorm folded, float32, on the CPU; left in a state of its own.
        device: says the precision.
    """

    def __init__(self, network: nn.Module, device: Device) -> None:
        super().__init__()
        self.multiple: Int3 = network.multiple  # type: ignore[assignment]
        self.model = _converted(network, self.multiple)
        self.hints = {
            "INFERENCE_PRECISION_HINT": HINTS[device.autocast],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        self.shape: tuple[int, ...] = ()
        self.compiled: Any = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, Z, Y, X) -> (N, num_classes, Z, Y, X), float32 logits."""
        padded = pad_to_multiple(x.float(), self.multiple).contiguous()
        self._compile(tuple(padded.shape))
        # a request of its own: one that is kept would keep its feature maps as well
        request = self.compiled.create_infer_request()
        request.infer({0: padded.numpy()}, share_inputs=True)
        logits = torch.from_numpy(request.get_output_tensor(0).data.copy())
        return cut_to_input([logits], x.shape[2:])[0]

    def _compile(self, shape: tuple[int, ...]) -> None:
        if shape == self.shape:
            return
        from openvino import Core

        model = self.model.clone()
        model.reshape(list(shape))
        self.compiled, self.shape = Core().compile_model(model, "CPU", self.hints), shape


def choose_place(name: DeviceName, backend: BackendName) -> Device:
    """Returns the device asked for, on which this backend can compute.

    Raises:
        MissingExtraError: the backend is not installed.
        SettingsError: this machine has no such device, or the backend cannot use it.
    """
    if backend == "torch":
        return choose_device(name)
    if name not in ("auto", "cpu"):
        raise SettingsError(f"--backend openvino computes on the CPU, not on {name}")
    # It would report its use to its maker; where people's images are looked at, nothing may call home.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "--backend openvino needs OpenVINO: pip install kneecascade[openvino]"
        ) from error
    device = choose_device("cpu")
    return replace(device, description=f"{device.description}, OpenVINO")


def _converted(network: nn.Module, multiple: Int3) -> Any:
    """Returns OpenVINO's model of any input whose sizes are multiples.

    Weights that are computed in the forward do not run in it, so maps are enlarged and joined.
    """
    from openvino import convert_model

    for module in network.modules():
        if isinstance(module, JoiningConv):
            module.enlarging = True
    first = next(module for module in network.modules() if isinstance(module, nn.Conv3d))
    example = torch.zeros(1, first.in_channels, *(EXAMPLE_STEPS * n for n in multiple))
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of the tracer: its branches are the same for all multiples
        return convert_model(network, example_input=example)
