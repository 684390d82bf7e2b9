"""Grey values: from a map of tissues to a noisy image.

DESS (see `looks` for others) was fixed by eye beside a real sagittal DESS knee before any network was
trained on it: marrow and cortical bone nearly black, menisci dark, cartilage bright-grey, muscle and
synovium about as bright as cartilage, fluid brightest. It is not meant to be changed afterwards.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from kneecascade.core.geometry import Float3, Int3
from kneecascade.phantom import tissue as t
from kneecascade.phantom.looks import draw_looks
from kneecascade.phantom.noise import smooth_field

CONTOUR_ERROR_MM = (0.12, 0.2)
"""Standard deviation of what is rendered against what is labelled, along each axis: people who draw
contours err by about a quarter of a millimetre. Labels against what is rendered: .90 to .97 Dice of
femoral cartilage at .36 x .36 x .7 mm, .93 on average, and no network can score above that."""
CONTOUR_WAVELENGTH_MM = 4.0
BLUR_MM = 0.25
BIAS = 0.18
BIAS_WAVELENGTH_MM = 70.0


def render(
    anatomy: np.ndarray, spacing_mm: Float3, seed: tuple[int, ...], contrast: str = "DESS"
) -> np.ndarray:
    """Renders an anatomy.

    Args:
        anatomy: (Z, Y, X) on the canonical grid, see `tissue.place_tissues`.
        spacing_mm: (z, y, x).
        seed: of everything random; the same seed gives the same image.
        contrast: one of `looks.CONTRASTS`.

    Returns:
        float32 (Z, Y, X), never negative.
    """
    draw = np.random.default_rng(seed)
    grey, shading = clean_parts(anatomy, spacing_mm, draw, contrast)
    return add_noise(grey * shading, draw.uniform(0.025, 0.045), draw) * np.float32(draw.uniform(300, 3000))


def borders_shown(anatomy: np.ndarray, spacing_mm: Float3, seed: tuple[int, ...]) -> np.ndarray:
    """Returns the map whose borders `render` shows with this seed: the given one with its contour error."""
    return misdrawn(anatomy, spacing_mm, np.random.default_rng(seed))


def clean_parts(
    anatomy: np.ndarray, spacing_mm: Float3, draw: np.random.Generator, contrast: str = "DESS"
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the image without shading and noise, and the shading it is to be multiplied by.

    Args:
        anatomy: as in `render`.
        spacing_mm: (z, y, x).
        draw: source of randomness.
        contrast: as in `render`.
    """
    shown = misdrawn(anatomy, spacing_mm, draw)
    return _clean(t.place_tissues(shown, spacing_mm, draw), spacing_mm, draw, contrast)


def render_tissues(tissues: np.ndarray, spacing_mm: Float3, seed: tuple[int, ...]) -> np.ndarray:
    """Renders a map of tissues, such as a `leg`'s, as `render` does; float32 (Z, Y, X)."""
    draw = np.random.default_rng(seed)
    grey, shading = _clean(tissues, spacing_mm, draw)
    return add_noise(grey * shading, draw.uniform(0.025, 0.045), draw) * np.float32(draw.uniform(300, 3000))


def _clean(
    tissues: np.ndarray, spacing_mm: Float3, draw: np.random.Generator, contrast: str = "DESS"
) -> tuple[np.ndarray, np.ndarray]:
    grey = _grey_values(tissues, spacing_mm, draw, contrast)
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


def _grey_values(
    tissues: np.ndarray, spacing_mm: Float3, draw: np.random.Generator, contrast: str
) -> np.ndarray:
    shape = _shape(tissues)
    wide, middle, fine = (smooth_field(draw, shape, spacing_mm, mm) for mm in (9.0, 5.0, 2.2))
    grey = np.zeros(shape, dtype=np.float32)
    for index, look in draw_looks(draw, contrast).items():
        here = tissues == index
        varied = 1 + look.wide * wide[here] + look.middle * middle[here] + look.fine * fine[here]
        grey[here] = look.grey * varied
    # the superficial zone of cartilage is darker in places, so that its edge to fluid varies
    cartilage = tissues == t.CARTILAGE
    solid = cartilage | np.isin(tissues, (t.MARROW, t.LESION, t.CORTEX))
    outer = cartilage & ndimage.binary_dilation(~solid)
    grey[outer] *= 0.82 + 0.12 * middle[outer]
    return np.clip(grey, 0, None)


def add_noise(grey: np.ndarray, sigma: float, draw: np.random.Generator) -> np.ndarray:
    """Returns the magnitude with Gaussian noise in both parts of the signal (Gudbjartsson & Patz 1995)."""
    real = grey + sigma * draw.standard_normal(grey.shape, dtype=np.float32)
    imaginary = sigma * draw.standard_normal(grey.shape, dtype=np.float32)
    return np.sqrt(real**2 + imaginary**2).astype(np.float32)


def _shape(array: np.ndarray) -> Int3:
    z, y, x = array.shape
    return (z, y, x)
