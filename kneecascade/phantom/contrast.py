"""DESS-like grey values: from a map of tissues to a noisy image.

The contrast was fixed by eye beside a real sagittal DESS knee before any network was trained on it:
marrow and cortical bone nearly black, menisci dark, cartilage bright-grey, muscle and synovium
about as bright as cartilage, fluid brightest. It is not meant to be changed afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from kneecascade.core.geometry import Float3, Int3
from kneecascade.phantom import tissue as t
from kneecascade.phantom.noise import smooth_field

CONTOUR_ERROR_MM = (0.12, 0.2)
"""Standard deviation of what is rendered against what is labelled, along each axis: people who draw
contours err by about a quarter of a millimetre. Labels against what is rendered: .90 to .97 Dice of
femoral cartilage at .36 x .36 x .7 mm, .93 on average, and no network can score above that."""
CONTOUR_WAVELENGTH_MM = 4.0
BLUR_MM = 0.25
BIAS = 0.18
BIAS_WAVELENGTH_MM = 70.0


@dataclass(frozen=True)
class Texture:
    """Grey value of a tissue and how much it varies, as shares of it, at three wavelengths."""

    grey: float
    wide: float = 0.0
    middle: float = 0.0
    fine: float = 0.0


def render(anatomy: np.ndarray, spacing_mm: Float3, seed: tuple[int, ...]) -> np.ndarray:
    """Renders an anatomy.

    Args:
        anatomy: (Z, Y, X) on the canonical grid, see `tissue.place_tissues`.
        spacing_mm: (z, y, x).
        seed: of everything random; the same seed gives the same image.

    Returns:
        float32 (Z, Y, X), never negative.
    """
    draw = np.random.default_rng(seed)
    grey, shading = clean_parts(anatomy, spacing_mm, draw)
    return add_noise(grey * shading, draw.uniform(0.025, 0.045), draw) * np.float32(draw.uniform(300, 3000))


def clean_parts(
    anatomy: np.ndarray, spacing_mm: Float3, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the image without shading and noise, and the shading it is to be multiplied by.

    Args:
        anatomy: as in `render`.
        spacing_mm: (z, y, x).
        draw: source of randomness.
    """
    shown = misdrawn(anatomy, spacing_mm, draw)
    return _clean(t.place_tissues(shown, spacing_mm, draw), spacing_mm, draw)


def render_tissues(tissues: np.ndarray, spacing_mm: Float3, seed: tuple[int, ...]) -> np.ndarray:
    """Renders a map of tissues, such as a `leg`'s, as `render` does; float32 (Z, Y, X)."""
    draw = np.random.default_rng(seed)
    grey, shading = _clean(tissues, spacing_mm, draw)
    return add_noise(grey * shading, draw.uniform(0.025, 0.045), draw) * np.float32(draw.uniform(300, 3000))


def _clean(
    tissues: np.ndarray, spacing_mm: Float3, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    grey = _grey_values(tissues, spacing_mm, draw)
    sigma = [BLUR_MM / mm * draw.uniform(0.9, 1.4) for mm in spacing_mm]
    grey = ndimage.gaussian_filter(grey, sigma)
    return grey, np.exp(BIAS * smooth_field(draw, _shape(tissues), spacing_mm, BIAS_WAVELENGTH_MM))


def misdrawn(anatomy: np.ndarray, spacing_mm: Float3, draw: np.random.Generator) -> np.ndarray:
    """Moves every border a little, smoothly, as a drawn contour differs from the tissue's edge."""
    sd_mm = draw.uniform(*CONTOUR_ERROR_MM)
    shape = _shape(anatomy)
    places = np.indices(shape, dtype=np.float32)
    for axis, mm in enumerate(spacing_mm):
        places[axis] += smooth_field(draw, shape, spacing_mm, CONTOUR_WAVELENGTH_MM) * sd_mm / mm
    return ndimage.map_coordinates(anatomy, places, order=0, mode="nearest")


def _grey_values(tissues: np.ndarray, spacing_mm: Float3, draw: np.random.Generator) -> np.ndarray:
    shape = _shape(tissues)
    wide, middle, fine = (smooth_field(draw, shape, spacing_mm, mm) for mm in (9.0, 5.0, 2.2))
    grey = np.zeros(shape, dtype=np.float32)
    for index, look in _textures(draw).items():
        here = tissues == index
        varied = 1 + look.wide * wide[here] + look.middle * middle[here] + look.fine * fine[here]
        grey[here] = look.grey * varied
    # the superficial zone of cartilage is darker in places, so that its edge to fluid varies
    cartilage = tissues == t.CARTILAGE
    solid = cartilage | np.isin(tissues, (t.MARROW, t.LESION, t.CORTEX))
    outer = cartilage & ndimage.binary_dilation(~solid)
    grey[outer] *= 0.82 + 0.12 * middle[outer]
    return np.clip(grey, 0, None)


def _textures(draw: np.random.Generator) -> dict[int, Texture]:
    cartilage, fluid = draw.uniform(0.42, 0.55), draw.uniform(0.8, 1.2)
    return {
        t.FAT: Texture(draw.uniform(0.10, 0.18), middle=0.25, fine=0.35),
        t.MUSCLE: Texture(cartilage * draw.uniform(0.7, 1.02), wide=0.08, fine=0.06),
        t.FLUID: Texture(fluid, fine=0.05),
        t.SYNOVIUM: Texture(cartilage * draw.uniform(0.8, 1.15), fine=0.1),
        t.FIBROUS: Texture(draw.uniform(0.06, 0.14), middle=0.3),
        t.VESSEL: Texture(0.8 * fluid),
        t.SKIN: Texture(draw.uniform(0.25, 0.4)),
        t.MARROW: Texture(draw.uniform(0.04, 0.09), wide=0.25, fine=0.3),
        t.LESION: Texture(draw.uniform(0.2, 0.45), wide=0.2),
        t.CARTILAGE: Texture(cartilage, wide=0.13, middle=0.10, fine=0.05),
        t.CORTEX: Texture(0.02),
        t.MENISCUS: Texture(0.1, middle=0.3),
        t.TENDON: Texture(0.08, middle=0.3),
        t.FATTY: Texture(0.7 * cartilage, wide=0.1, fine=0.2),
    }


def add_noise(grey: np.ndarray, sigma: float, draw: np.random.Generator) -> np.ndarray:
    """Returns the magnitude with Gaussian noise in both parts of the signal (Gudbjartsson & Patz 1995)."""
    real = grey + sigma * draw.standard_normal(grey.shape, dtype=np.float32)
    imaginary = sigma * draw.standard_normal(grey.shape, dtype=np.float32)
    return np.sqrt(real**2 + imaginary**2).astype(np.float32)


def _shape(array: np.ndarray) -> Int3:
    z, y, x = array.shape
    return (z, y, x)
