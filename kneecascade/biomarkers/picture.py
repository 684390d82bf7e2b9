"""Maps of joint surfaces: thickness in mm, curvature in 1/mm, one colour bar each for every case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from kneecascade.biomarkers.curvature import RADIUS_MM, Curvature
from kneecascade.biomarkers.flatten import FlatMap, flatten
from kneecascade.biomarkers.frame import Frame
from kneecascade.biomarkers.joint import Joint
from kneecascade.biomarkers.regions import Regions
from kneecascade.files import written_whole

THICKEST_MM = 5.0
"""The colour bar's end, the same for every case and bone; thicker cartilage has the last colour."""
SHARPEST_PER_MM = 0.1
"""The ends of the colour bar of mean curvature, the same for every case and bone: a ball of 10 mm."""
BARE = "#9a9a9a"
TITLES = {"femur": "femur, unrolled", "tibia": "tibia, from above", "patella": "patella, from behind"}
WORDS = {
    "left": ("medial", "lateral"),
    "right": ("medial", "lateral"),
    "unknown": ("patient's right", "patient's left"),
}


@dataclass(frozen=True, eq=False)
class _Paint:
    """What a map shows.

    Attributes:
        title: of the thing shown.
        faces: masked (M,) a value a face of the flat map.
        colours: name of matplotlib's colour map.
        ends: values of its first and last colour.
        extend: which ends go on: "max" or "both".
        label: beside the colour bar.
    """

    title: str
    faces: np.ma.MaskedArray
    colours: str
    ends: tuple[float, float]
    extend: str
    label: str


def thickness_map(path: Path, case: str, joint: Joint, frame: Frame, regions: Regions) -> None:
    """Draws a bone's joint surface with its cartilage's thickness and the borders of its regions.

    Bare bone inside the surface (dAB) is grey. Medial is always left, so that knees of both sides look
    alike; the side stands in the title.

    Args:
        path: the PNG, written first to a temporary name.
        case: name of the examination.
        joint: its surfaces.
        frame: the knee's directions.
        regions: bool by name over the vertices of the joint's mesh.
    """
    flat = flatten(joint, frame)
    paint = _Paint(
        title=joint.cartilage.replace("_", " "),
        faces=_face_values(joint.thickness_mm, joint.covered, flat),
        colours="viridis",
        ends=(0, THICKEST_MM),
        extend="max",
        label="cartilage thickness along the bone's normal, mm"
        + (" (grey: bare bone)" if joint.has_bone else ""),
    )
    _map(path, case, joint, frame, regions, flat, paint)


def curvature_map(
    path: Path,
    case: str,
    joint: Joint,
    frame: Frame,
    regions: Regions,
    shape: Curvature,
    articular: bool = False,
) -> None:
    """Draws a bone's joint surface, or its cartilage's, with its mean curvature; grey where not known.

    Args:
        path: the PNG, written first to a temporary name.
        case: name of the examination.
        joint: its surfaces.
        frame: the knee's directions.
        regions: bool by name over the vertices of the joint's mesh.
        shape: curvature at these vertices, or at those of the articular surface.
        articular: whether it is the articular surface that is shown.
    """
    flat = flatten(joint, frame, articular)
    known = np.isfinite(shape.mean_per_mm)
    cartilage = joint.cartilage.replace("_", " ")
    title = "subchondral bone" if joint.has_bone else f"inner side of {cartilage}"
    paint = _Paint(
        title=f"articular surface of {cartilage}" if articular else title,
        faces=_face_values(np.where(known, shape.mean_per_mm, 0.0), known, flat),
        colours="RdBu_r",
        ends=(-SHARPEST_PER_MM, SHARPEST_PER_MM),
        extend="both",
        label=f"mean curvature within {RADIUS_MM:g} mm, 1/mm\n(red: convex; grey: too near the border)",
    )
    parts = _over_articular(joint, regions) if articular else regions
    _map(path, case, joint, frame, parts, flat, paint)


def _over_articular(joint: Joint, regions: Regions) -> Regions:
    """Returns the regions over the articular surface: those of the nearest point of the bone's."""
    bone = np.flatnonzero(joint.total)
    if not bone.size or not len(joint.articular.vertices_mm):
        return {}
    _, nearest = cKDTree(joint.mesh.vertices_mm[bone]).query(joint.articular.vertices_mm)
    return {name: part[bone[nearest]] for name, part in regions.items()}


def _map(
    path: Path, case: str, joint: Joint, frame: Frame, regions: Regions, flat: FlatMap, paint: _Paint
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = _extent(flat)
    figure = Figure(
        figsize=(2.6 + 5.4 * min(1.0, width / height), 1.1 + 5.4 * min(1.0, height / width)), dpi=130
    )
    figure.set_layout_engine("constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw(figure, axes, flat, paint)
    _names(axes, flat, regions, "white" if paint.colours == "viridis" else "black")
    side = "side unknown" if frame.side == "unknown" else f"{frame.side} knee"
    axes.set_title(f"{case}, {side}\n{paint.title}, {TITLES[joint.bone]}", fontsize=9)
    low, high = WORDS[frame.side]
    axes.set_xlabel(f"{low}  ←  across, mm  →  {high}")
    axes.set_ylabel(f"{flat.ends[1]}  ←  {flat.along_name}  →  {flat.ends[0]}")
    axes.set_aspect("equal")
    middle = np.array([_middle(flat.across_mm, flat), _middle(flat.along_mm, flat)])
    axes.set_xlim(middle[0] - width / 2, middle[0] + width / 2)
    axes.set_ylim(middle[1] + height / 2, middle[1] - height / 2)
    _save(figure, path)


def _extent(flat: FlatMap) -> tuple[float, float]:
    """Returns width and height of the map with a rim of 3 mm."""
    used = np.unique(flat.faces)
    if not used.size:
        return 40.0, 40.0
    return float(np.ptp(flat.across_mm[used])) + 6, float(np.ptp(flat.along_mm[used])) + 6


def _middle(values: np.ndarray, flat: FlatMap) -> float:
    used = values[np.unique(flat.faces)]
    return float(used.min() + used.max()) / 2 if used.size else 0.0


def _draw(figure: Any, axes: Any, flat: FlatMap, paint: _Paint) -> None:
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale, colours = Normalize(*paint.ends), colormaps[paint.colours]
    if flat.faces.size:
        axes.tripcolor(
            flat.across_mm,
            flat.along_mm,
            flat.faces,
            facecolors=paint.faces,
            cmap=colours.with_extremes(bad=BARE),
            norm=scale,
            edgecolors="face",
            linewidth=0.2,
        )
    bar = figure.colorbar(ScalarMappable(scale, colours), ax=axes, extend=paint.extend, shrink=0.8)
    bar.set_label(paint.label, fontsize=8)


def _face_values(values: np.ndarray, known: np.ndarray, flat: FlatMap) -> np.ma.MaskedArray:
    """Returns the mean of each face's known vertices, masked where fewer than two are known."""
    there = known[flat.faces]
    many = there.sum(axis=1)
    mean = (values[flat.faces] * there).sum(axis=1) / np.maximum(many, 1)
    return np.ma.masked_where(many < 2, mean)


def _names(axes: Any, flat: FlatMap, regions: Regions, colour: str) -> None:
    """Draws the edges between the smallest regions, and each one's name at its middle."""
    from matplotlib.collections import LineCollection

    small = {name: part for name, part in regions.items() if name[:1].islower() and name[-1:] == "C"}
    small = small or {name: part for name, part in regions.items() if name in ("medial", "lateral")}
    if not small:
        small = {n: regions[n] for n in ("anterior", "weight_bearing", "posterior") if n in regions}
    label = np.full(len(flat.across_mm), -1)
    for k, (name, part) in enumerate(small.items()):
        label[part] = k
        inside = np.flatnonzero(part)
        if inside.size:
            spot = (np.median(flat.across_mm[inside]), np.median(flat.along_mm[inside]))
            axes.text(*spot, name, fontsize=6, color=colour, ha="center", va="center", clip_on=True)
    edges = flat.faces[:, [[0, 1], [1, 2], [2, 0]]]
    points = np.stack([flat.across_mm, flat.along_mm], axis=1)
    middles = points[edges].mean(axis=2)
    crossing = label[edges[..., 0]] != label[edges[..., 1]]
    two = crossing.sum(axis=1) == 2
    # a face with vertices in two regions is crossed by the border through the middles of two edges
    lines = middles[two][crossing[two]].reshape(-1, 2, 2)
    axes.add_collection(LineCollection(list(lines), colors=colour, linewidths=0.8))


def _save(figure: Any, path: Path) -> None:
    from PIL import Image  # comes with matplotlib

    figure.canvas.draw()
    drawn = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3])
    # one byte a pixel: a report holds nine of these a knee
    with written_whole(path) as temporary:
        drawn.quantize(256, dither=Image.Dither.NONE).save(temporary, format="png", optimize=True)
