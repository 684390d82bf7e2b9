"""What surrounds the bones of a leg to train on: muscles, tendons, vessels, fluid, fat, skin."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kneecascade.core.geometry import Float3, Int3
from kneecascade.phantom.implicit import Points, cone, ellipsoid, union
from kneecascade.phantom.leg_bones import FAR_MM, LegBones, Vary
from kneecascade.phantom.leg_cartilage import ramp
from kneecascade.phantom.noise import smooth_field

Path = tuple[Float3, Float3, float, float]
MUSCLES: tuple[Path, ...] = (
    ((72.0, -44.0, 5.0), (150.0, -50.0, 6.0), 8.0, 20.0),  # rectus femoris
    ((62.0, -30.0, 0.0), (150.0, -32.0, 4.0), 8.0, 22.0),  # vastus intermedius
    ((26.0, -24.0, -36.0), (120.0, -22.0, -38.0), 7.0, 25.0),  # vastus medialis
    ((52.0, -18.0, 36.0), (140.0, -18.0, 42.0), 8.0, 27.0),  # vastus lateralis
    ((-2.0, 22.0, 42.0), (150.0, 42.0, 28.0), 5.0, 19.0),  # biceps femoris
    ((0.0, 34.0, -30.0), (150.0, 42.0, -22.0), 7.0, 20.0),  # semimembranosus
    ((-10.0, 34.0, -38.0), (150.0, 56.0, -12.0), 3.0, 12.0),  # semitendinosus
    ((-25.0, 14.0, -46.0), (150.0, 10.0, -60.0), 4.0, 11.0),  # sartorius
    ((-25.0, 22.0, -46.0), (150.0, 36.0, -48.0), 3.0, 9.0),  # gracilis
    ((28.0, 36.0, -20.0), (-40.0, 46.0, -24.0), 6.0, 17.0),  # gastrocnemius, medial head
    ((-40.0, 46.0, -24.0), (-FAR_MM, 50.0, -20.0), 17.0, 24.0),
    ((28.0, 34.0, 20.0), (-40.0, 45.0, 19.0), 6.0, 15.0),  # gastrocnemius, lateral head
    ((-40.0, 45.0, 19.0), (-FAR_MM, 48.0, 18.0), 15.0, 22.0),
    ((-8.0, 22.0, 22.0), (-55.0, 20.0, -10.0), 4.0, 9.0),  # popliteus
    ((-30.0, 30.0, 25.0), (-FAR_MM, 32.0, 4.0), 6.0, 30.0),  # soleus
    ((-35.0, 20.0, 14.0), (-FAR_MM, 20.0, 8.0), 5.0, 16.0),  # tibialis posterior
    ((-22.0, -4.0, 27.0), (-FAR_MM, -4.0, 24.0), 6.0, 17.0),  # tibialis anterior
    ((-22.0, 4.0, 40.0), (-FAR_MM, 8.0, 40.0), 5.0, 16.0),  # peroneal muscles
)
"""Start and end (z, y, x) in mm and the radius at each, of a right knee."""
SEPTUM_MM = 1.5
BAKER_SHARE = 0.15


@dataclass(frozen=True, eq=False)
class Flesh:
    """Fields (Z, Y, X) float32 in mm on the bones' grid, negative inside unless said otherwise.

    Attributes:
        depth: below the skin, positive in the leg.
        fat_mm: thickness of the fat under the skin.
        muscle: distance to the nearest muscle.
        septum: to the border between two muscles, positive on both sides.
        fatty: above 0.5 in fatty muscles.
        tendon: to tendons and ligaments.
        vessel: to vessels.
        fluid: to pockets of joint fluid.
        wide: smooth noise of mean 0 and standard deviation 1.
        fine: likewise, finer.
    """

    depth: np.ndarray
    fat_mm: np.ndarray
    muscle: np.ndarray
    septum: np.ndarray
    fatty: np.ndarray
    tendon: np.ndarray
    vessel: np.ndarray
    fluid: np.ndarray
    wide: np.ndarray
    fine: np.ndarray


def make_flesh(bones: LegBones, draw: np.random.Generator) -> Flesh:
    """Places soft tissue around bones."""
    points, vary = bones.points, Vary(draw)
    shape: Int3 = (bones.femur.shape[0], bones.femur.shape[1], bones.femur.shape[2])
    wide = smooth_field(draw, shape, bones.spacing_mm, 22.0)
    fine = smooth_field(draw, shape, bones.spacing_mm, 7.0)
    inner = _compartment(bones, vary, draw) + 2.0 * wide
    fat_mm = draw.uniform(2.0, 14.0) * (1.0 + 0.3 * wide) * (0.4 + 0.6 * ramp(points[1] + 45.0, 45.0))
    fat_mm = np.clip(fat_mm, 1.0, None).astype(np.float32)
    muscle, septum, fatty = _muscles(points, vary, draw)
    return Flesh(
        depth=fat_mm - inner,
        fat_mm=fat_mm,
        muscle=np.maximum(muscle, inner + 1.0),
        septum=septum,
        fatty=fatty,
        tendon=_tendons(bones, vary, fine),
        vessel=_vessels(points, vary),
        fluid=_pockets(bones, vary, draw) + 1.5 * fine,
        wide=wide,
        fine=fine,
    )


def _compartment(bones: LegBones, vary: Vary, draw: np.random.Generator) -> np.ndarray:
    """Returns the distance to everything under the fat: an oval that the bones bulge."""
    z, y, x = bones.points
    size = draw.uniform(0.9, 1.2)
    heights = (-110.0, -60.0, -20.0, 20.0, 60.0, 120.0)
    wide = np.interp(z, heights, [vary.one(v, 2.5) * size for v in (48, 51, 50, 51, 60, 72)])
    deep = np.interp(z, heights, [vary.one(v, 2.5) * size for v in (48, 52, 50, 52, 60, 72)])
    middle = np.interp(z, heights, [vary.one(v, 2.0) for v in (18, 14, 6, 0, 2, 4)])
    length = np.sqrt((x / wide) ** 2 + ((y - middle) / deep) ** 2)
    oval = ((length - 1.0) * np.minimum(wide, deep)).astype(np.float32)
    cover = draw.uniform(1.5, 4.0)
    for bone in (bones.patella, bones.tibia, bones.femur):
        oval = union(oval, bone - cover, 8.0)
    return oval


def _muscles(
    points: Points, vary: Vary, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shape = np.broadcast_shapes(*(p.shape for p in points))
    best = np.full(shape, 50.0, dtype=np.float32)
    second, fatty = best.copy(), np.zeros(shape, dtype=np.float32)
    size, share = draw.uniform(0.9, 1.7), draw.choice([0.0, 0.2, 0.6])
    for start, end, r0, r1 in MUSCLES:
        distance = cone(points, vary(start, 2.5), vary(end, 3.0), size * r0, size * r1 * vary.one(1.0, 0.1))
        nearer = distance < best
        second = np.minimum(second, np.where(nearer, best, distance))
        fatty[nearer] = float(draw.random() < share)
        best = np.minimum(best, distance)
    return best - draw.uniform(0.0, 6.0), second - best, fatty


def _tendons(bones: LegBones, vary: Vary, fine: np.ndarray) -> np.ndarray:
    """Returns the distance to tendons and ligaments; flat ones are round ones of a squeezed space."""
    z, y, x = bones.points
    high, deep, side = bones.patella_mm
    flat_x, flat_y = (z, y, x * 0.25), (z, y * 0.25, x)

    def band(points: Points, start: Float3, end: Float3, radius: float, squeeze: int | None) -> np.ndarray:
        a, b = list(vary(start, 1.0)), list(vary(end, 1.5))
        if squeeze is not None:
            a[squeeze], b[squeeze] = 0.25 * a[squeeze], 0.25 * b[squeeze]
        r = vary.one(radius, 0.12 * radius)
        return cone(points, (a[0], a[1], a[2]), (b[0], b[1], b[2]), r, r)

    bands = (
        band(
            flat_x, (high + 16.0, deep - 3.0, side), (high + 75.0, deep + 1.0, side + 2.0), 3.2, 2
        ),  # quadriceps
        band(flat_x, (high - 18.0, deep - 4.0, side), (-36.0, -30.0, 4.0), 2.6, 2),  # patellar
        band(bones.points, (14.0, 14.0, 8.0), (0.0, -9.0, -2.0), 4.0, None),  # anterior cruciate
        band(bones.points, (13.0, 2.0, -7.0), (-12.0, 27.0, 1.0), 4.5, None),  # posterior cruciate
        band(flat_y, (30.0, 3.0, -43.0), (-50.0, -4.0, -31.0), 1.5, 1),  # medial collateral
        band(bones.points, (28.0, 6.0, 42.0), (-16.0, 18.0, 40.0), 2.2, None),  # lateral collateral
        band(flat_y, (75.0, -8.0, 50.0), (-14.0, -15.0, 38.0), 1.4, 1),  # iliotibial
        band(bones.points, (30.0, 24.0, 44.0), (-16.0, 20.0, 40.0), 3.0, None),  # biceps
        band(bones.points, (30.0, 42.0, -32.0), (-40.0, 8.0, -38.0), 2.2, None),  # hamstrings
    )
    nearest = np.minimum.reduce(bands)
    capsule = np.abs(np.minimum(bones.femur, bones.tibia) - 4.0) - 0.6
    behind = np.maximum(capsule, 18.0 - y + 4.0 * fine)
    return np.minimum(nearest, np.maximum(behind, np.abs(z - 8.0) - 28.0))


def _vessels(points: Points, vary: Vary) -> np.ndarray:
    found = None
    for offset, radius in ((0.0, 3.0), (7.0, 3.8)):
        places = [
            vary(place, 1.5)
            for place in (
                (FAR_MM, 14.0 + offset, -14.0),
                (70.0, 24.0 + offset, -8.0),
                (12.0, 38.0 + offset, 0.0),
            )
        ]
        places += [vary((-55.0, 31.0 + offset, 4.0), 2.0), vary((-FAR_MM, 28.0 + offset, 4.0), 2.0)]
        for a, b in pairwise(places):
            part = cone(points, a, b, vary.one(radius, 0.4), vary.one(radius, 0.4))
            found = part if found is None else np.minimum(found, part)
    saphenous = cone(points, vary((FAR_MM, 26.0, -70.0), 4.0), vary((-FAR_MM, 12.0, -56.0), 4.0), 2.0, 1.6)
    return saphenous if found is None else np.minimum(found, saphenous)


def _pockets(bones: LegBones, vary: Vary, draw: np.random.Generator) -> np.ndarray:
    """Returns the distance to fluid: above the patella, beside the condyles, in some a Baker cyst."""
    z, _, _ = bones.points
    high, deep, side = bones.patella_mm
    amount = draw.uniform(0.0, 1.0) ** 2
    recess = ellipsoid(
        bones.points,
        vary((high + 22.0, deep + 11.0, side), 3.0),
        (22.0, 1.5 + 8.0 * amount, 16.0 + 8.0 * amount),
    )
    if draw.random() < BAKER_SHARE:
        size = draw.uniform(5.0, 12.0)
        cyst = ellipsoid(bones.points, vary((2.0, 42.0, -20.0), 4.0), (1.8 * size, 0.8 * size, size))
        recess = np.minimum(recess, cyst)
    beside = np.minimum(bones.femur, bones.tibia) - (1.0 + 5.0 * amount)
    gutter = np.maximum(beside, np.abs(z - 14.0) - draw.uniform(12.0, 26.0))
    return np.minimum(recess, gutter + 2.0)
