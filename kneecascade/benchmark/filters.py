"""What each filter does to noise, edges and shading of phantom knees, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.optimize import curve_fit
from scipy.special import erf

from kneecascade.console import say, show_table, tracked
from kneecascade.core.filters import ImageFilter
from kneecascade.core.geometry import Float3, Int3
from kneecascade.files import write_json
from kneecascade.imaging.denoise import denoise
from kneecascade.phantom.anatomy import NAMES, labels_on, make_knee, on_grid
from kneecascade.phantom.contrast import add_noise, clean_parts
from kneecascade.planning.intensities import NO_FILTER, parse_filters

CHAINS = (NO_FILTER, "median", "curvature", "nlm", "n4", "n4+median", "n4+curvature", "n4+nlm")
SPACING_MM: Float3 = (0.365, 0.365, 0.7)
SHAPE: Int3 = (160, 176, 96)
WHOLE_SPACING_MM: Float3 = (1.0, 1.0, 1.4)
WHOLE_SHAPE: Int3 = (140, 140, 80)
TIMED_SHAPE: Int3 = (384, 384, 160)
NOISE = 0.035  # of the grey value of fluid, the middle of what phantoms get
GREY = 1000.0
CARTILAGE = NAMES.index("femoral_cartilage")
# edges are looked at where cartilage on the femur is thick enough to have two
EDGE_MM, EDGE_STEP_MM, THICK_MM = 1.6, 0.1, 1.6
TEN_TO_NINETY = 2.563  # standard deviations of a Gaussian between 10 and 90 % of its integral
BRIGHT, BLOCK_MM = 0.15, 5.0


@dataclass(frozen=True, eq=False)
class ScannedKnee:
    """A phantom knee twice, with other noise, and all that is known of it.

    Attributes:
        scans: two float32 (Z, Y, X), alike but for the noise.
        even: the same without noise or shading.
        cartilage: bool, the inner voxels of the femoral cartilage.
        near_bone: bool, voxels near the bone under thick cartilage.
        depth_mm: distance of those from the bone's surface, negative inside.
        spacing_mm: (z, y, x).
    """

    scans: tuple[np.ndarray, np.ndarray]
    even: np.ndarray
    cartilage: np.ndarray
    near_bone: np.ndarray
    depth_mm: np.ndarray
    spacing_mm: Float3


@dataclass(frozen=True)
class Effect:
    """What a chain of filters did, means over knees.

    Attributes:
        snr: mean over standard deviation of the noise in femoral cartilage; the noise is the difference of
            two scans over the square root of 2 (NEMA MS 1).
        edge_mm: 10 to 90 % width of the edge between femur and cartilage.
        shading_percent: standard deviation, over blocks of bright tissue of a whole knee, of what is left of
            the shading.
        seconds: processor time of one volume of `TIMED_SHAPE`, which other programs do not lengthen; None
            where it was not timed.
    """

    snr: float
    edge_mm: float
    shading_percent: float
    seconds: float | None


def benchmark_filters(output: Path, knees: int = 3, timed: bool = True) -> dict[str, Effect]:
    """Measures every chain on phantom knees and prints a table.

    Args:
        output: JSON file with the numbers.
        knees: how many.
        timed: whether to time each chain on a volume of full size, which takes minutes.
    """
    middles = [scanned_knee(k) for k in range(knees)]
    wholes = [scanned_knee(k, WHOLE_SHAPE, WHOLE_SPACING_MM) for k in range(knees)]
    large = _repeated(middles[0].scans[0], TIMED_SHAPE) if timed else None
    effects: dict[str, Effect] = {}
    for chain in tracked(CHAINS, "filtering", len(CHAINS)):
        effects[chain] = measure(chain, middles, wholes, large)
        write_json(output, {name: vars(effect) for name, effect in effects.items()})
    _show(effects, knees)
    return effects


def scanned_knee(seed: int, shape_zyx: Int3 = SHAPE, spacing_mm: Float3 = SPACING_MM) -> ScannedKnee:
    """Returns what a field of view shows of a procedural knee, rendered twice with other noise."""
    z, y, x = (n * mm for n, mm in zip(shape_zyx, spacing_mm, strict=True))
    knee = make_knee((seed, 1), (z, y, x), "right")
    labels = labels_on(knee, shape_zyx)
    draw = np.random.default_rng((seed, 2))
    even, shading = clean_parts(labels, spacing_mm, draw)
    first, second = (add_noise(even * shading, NOISE, draw) * np.float32(GREY) for _ in range(2))
    depth = on_grid(knee.bones.femur, shape_zyx)
    thick = on_grid(knee.thickness_mm[0], shape_zyx, linear=True) > THICK_MM
    near = (np.abs(depth) < EDGE_MM) & thick
    inner = ndimage.binary_erosion(labels == CARTILAGE)
    return ScannedKnee((first, second), even * np.float32(GREY), inner, near, depth[near], spacing_mm)


def measure(
    chain: str, middles: Sequence[ScannedKnee], wholes: Sequence[ScannedKnee], large: np.ndarray | None = None
) -> Effect:
    """Returns what a chain does, averaged over knees.

    Args:
        chain: as in --denoise.
        middles: middles of knees in fine voxels, at least one.
        wholes: whole knees in coarse voxels, for the shading.
        large: a volume to time the chain on, or None.
    """
    filters = parse_filters(chain)
    snr, edge = np.mean([_noise_and_edge(knee, filters) for knee in middles], axis=0).tolist()
    shading = np.mean([_shading(knee, filters) for knee in wholes])
    seconds = None
    if large is not None:
        start = time.process_time()
        denoise(large[None], SPACING_MM, filters)
        seconds = round(time.process_time() - start, 1)
    return Effect(round(snr, 1), round(edge, 3), round(float(100 * shading), 1), seconds)


def edge_width_mm(values: np.ndarray, depth_mm: np.ndarray) -> float:
    """Returns the 10 to 90 % width of an edge, from an error function fitted to its mean profile.

    Args:
        values: grey values of voxels on both sides.
        depth_mm: their signed distances from the edge.
    """
    steps = np.round(depth_mm / EDGE_STEP_MM).astype(int)
    places = np.arange(steps.min(), steps.max() + 1)
    profile = ndimage.mean(values, steps, places)

    def edge(x: np.ndarray, low: float, high: float, middle: float, sigma: float) -> np.ndarray:
        return low + (high - low) * 0.5 * (1 + erf((x - middle) / (sigma * np.sqrt(2))))

    start = (float(profile[0]), float(profile[-1]), 0.0, 0.3)
    fitted, _ = curve_fit(edge, places * EDGE_STEP_MM, profile, start, maxfev=10_000)
    return float(TEN_TO_NINETY * abs(fitted[3]))


def shading_left(image: np.ndarray, even: np.ndarray, spacing_mm: Float3) -> float:
    """Returns the standard deviation over blocks of the logarithm of image over even image.

    Blocks are Gaussian means over bright tissue, wide enough that noise and edges average out.
    """
    bright = even > BRIGHT * GREY
    sigma = [BLOCK_MM / mm for mm in spacing_mm]
    share = ndimage.gaussian_filter(bright.astype(np.float32), sigma)
    sums = [ndimage.gaussian_filter(np.where(bright, a, 0), sigma) for a in (image, even)]
    trusted = bright & (share > 0.3)
    return float(np.log(sums[0][trusted] / sums[1][trusted]).std())


def _noise_and_edge(knee: ScannedKnee, filters: tuple[ImageFilter, ...]) -> tuple[float, float]:
    first, second = (denoise(scan[None], knee.spacing_mm, filters)[0] for scan in knee.scans)
    noise = (first - second)[knee.cartilage].std() / np.sqrt(2)
    snr = float(first[knee.cartilage].mean() / noise)
    return snr, edge_width_mm(first[knee.near_bone], knee.depth_mm)


def _shading(knee: ScannedKnee, filters: tuple[ImageFilter, ...]) -> float:
    clean = denoise(knee.scans[0][None], knee.spacing_mm, filters)[0]
    return shading_left(clean, knee.even, knee.spacing_mm)


def _repeated(volume: np.ndarray, shape_zyx: Int3) -> np.ndarray:
    times = [-(-n // m) for n, m in zip(shape_zyx, volume.shape, strict=True)]
    z, y, x = shape_zyx
    return np.ascontiguousarray(np.tile(volume, times)[:z, :y, :x])


def _show(effects: dict[str, Effect], knees: int) -> None:
    size = "x".join(map(str, TIMED_SHAPE))
    header = ["filters", "SNR", "edge (mm)", "shading left (%)", f"processor seconds for {size}"]
    rows = [
        [
            chain,
            f"{effect.snr:.1f}",
            f"{effect.edge_mm:.2f}",
            f"{effect.shading_percent:.1f}",
            "-" if effect.seconds is None else f"{effect.seconds:.1f}",
        ]
        for chain, effect in effects.items()
    ]
    show_table(f"Filters on {knees} phantom knees", header, rows)
    say("SNR in femoral cartilage from two scans; the edge is between femur and cartilage, 10 to 90 %")
