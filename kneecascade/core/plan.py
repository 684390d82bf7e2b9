"""The plan: every choice the self-configuration made, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kneecascade.core.colors import Rgb, default_colors
from kneecascade.core.filters import ImageFilter
from kneecascade.core.geometry import Float3, Int3
from kneecascade.core.labels import Labels

Normalization = Literal["percentile_zscore", "zscore", "none", "histogram"]
CanonicalSide = Literal["none", "left", "right"]


@dataclass(frozen=True)
class ResUNetPlan:
    """A residual encoder-decoder.

    Attributes:
        kind: always "resunet".
        in_channels: image channels.
        num_classes: background included.
        features: channels of each level, finest first.
        strides: stride (z, y, x) on entering each level; the first is (1, 1, 1).
        kernels: convolution kernel (z, y, x) of each level.
        blocks: residual blocks of each encoder level.
    """

    kind: Literal["resunet"]
    in_channels: int
    num_classes: int
    features: tuple[int, ...]
    strides: tuple[Int3, ...]
    kernels: tuple[Int3, ...]
    blocks: tuple[int, ...]


@dataclass(frozen=True)
class MedicalNetPlan:
    """A MedicalNet encoder (3D ResNet) with ASPP and a decoder to full resolution.

    Attributes:
        kind: always "medicalnet_aspp".
        in_channels: image channels.
        num_classes: background included.
        depth: 10, 18, 34, 50, 101, 152 or 200.
        width: channels of layer1's blocks; 64 as published.
        strides: strides (z, y, x) of conv1, of the max-pool and of layer2.
        dilations: dilations of layer3 and layer4.
        aspp_rates: rate (z, y, x) of each parallel branch; (1, 1, 1) is the 1x1x1 branch.
        aspp_channels: channels of each branch and of the ASPP's output.
        decoder_features: channels of the decoder at the resolution of the input, of conv1, of layer1.
        stem_features: channels of the full-resolution stem.
    """

    kind: Literal["medicalnet_aspp"]
    in_channels: int
    num_classes: int
    depth: int
    width: int
    strides: tuple[Int3, Int3, Int3]
    dilations: tuple[int, int]
    aspp_rates: tuple[Int3, ...]
    aspp_channels: int
    decoder_features: tuple[int, int, int]
    stem_features: int


NetworkPlan = ResUNetPlan | MedicalNetPlan


@dataclass(frozen=True)
class StagePlan:
    """One stage of the cascade.

    Attributes:
        spacing_mm: voxel spacing (z, y, x) on the canonical grid the stage works at.
        patch_shape_zyx: training patch in voxels, divisible by the network's total stride.
        batch_size: patches a step.
        thin_labels: labels resampled with precedence so that sheets stay closed.
        estimated_memory_gb: planner's estimate of the training peak.
        network: the network.
    """

    spacing_mm: Float3
    patch_shape_zyx: Int3
    batch_size: int
    thin_labels: tuple[str, ...]
    estimated_memory_gb: float
    network: ResUNetPlan | MedicalNetPlan


@dataclass(frozen=True)
class RegionPlan:
    """How the coarse labels become a region, and which regions are believable.

    Attributes:
        margin_mm: added on every side of the kept components' bounding box.
        min_component_mm3: smallest component kept, one value a target.
        min_volume_mm3: smallest believable volume, one value a target.
        max_volume_mm3: largest believable volume, one value a target.
        min_extent_mm: smallest believable extent (z, y, x) of the box without margin.
        max_extent_mm: largest believable extent (z, y, x) of the box without margin.
        blend_mm: inside the region's faces the coarse stage fades into the fine one over this length.
        fine_reach_mm: farther from the targets than this both stages decide where they differ grossly.
        most_coarse_share: of the coarse stage in the region's probabilities that held-out cases may choose.
        max_label_extent_mm: largest believable extent (z, y, x), one a target; none given, none checked.
        min_gap_mm: least distance in training from the targets to the image's foot, head, front, back, right
            and left side; nearer is taken for a cut. None given, any contact is.
    """

    margin_mm: float
    min_component_mm3: tuple[float, ...]
    min_volume_mm3: tuple[float, ...]
    max_volume_mm3: tuple[float, ...]
    min_extent_mm: Float3
    max_extent_mm: Float3
    blend_mm: float = 3.0
    fine_reach_mm: float = 8.0
    most_coarse_share: float = 0.4
    max_label_extent_mm: tuple[Float3, ...] = ()
    min_gap_mm: tuple[float, ...] = ()


@dataclass(frozen=True)
class CascadePlan:
    """The whole plan, as written to plan.json.

    Attributes:
        version: kneecascade version that made the plan.
        dataset_name: "Dataset001_Name".
        data_hash: hash of the raw data the plan was made from.
        channel_names: one name a channel.
        labels: label names and values.
        file_ending: of the raw images, with its dot.
        targets: labels that make the region; the fine stage decides inside it, but about other labels far
            from the targets, where the stages differ grossly, both do.
        normalization: one choice a channel.
        memory_gb: what --memory-gb asked for.
        mirror_axes: axes (0 z, 1 y, 2 x) that augmentation may mirror.
        region: how regions are made.
        coarse: the stage that looks at the whole image.
        fine: the stage that looks at the region.
        denoise: filters applied before normalisation, in their order.
        denoise_seconds: mean cost of the filters a training case, as measured on some.
        histogram_landmarks: grey values of the standard histogram, one list a channel; empty for a channel
            that is normalised otherwise. None given where no channel is.
        canonical_side: images of the other side are mirrored before the networks and back after; "none"
            where no label tells medial from lateral.
        colors: (red, green, blue) of each label in pictures and colour tables; none given, the defaults.
    """

    version: str
    dataset_name: str
    data_hash: str
    channel_names: tuple[str, ...]
    labels: Labels
    file_ending: str
    targets: tuple[str, ...]
    normalization: tuple[Normalization, ...]
    memory_gb: float
    mirror_axes: tuple[int, ...]
    region: RegionPlan
    coarse: StagePlan
    fine: StagePlan
    denoise: tuple[ImageFilter, ...] = ()
    denoise_seconds: float = 0.0
    histogram_landmarks: tuple[tuple[float, ...], ...] = ()
    canonical_side: CanonicalSide = "none"
    colors: tuple[Rgb, ...] = ()

    @property
    def label_colors(self) -> tuple[Rgb, ...]:
        """The colour of each label, background first."""
        return self.colors or default_colors(self.labels.names)
