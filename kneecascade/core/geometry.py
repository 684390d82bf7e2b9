"""Grids in physical space, integer boxes inside them."""

from __future__ import annotations

from dataclasses import dataclass

Int3 = tuple[int, int, int]
Float3 = tuple[float, float, float]


@dataclass(frozen=True)
class Geometry:
    """The grid of a volume whose array is indexed (Z, Y, X).

    Attributes:
        shape_zyx: voxels along the array's three axes.
        spacing_mm: distance of voxel centres along the array's three axes (z, y, x), in mm.
        origin_mm_xyz: centre of voxel (0, 0, 0) in the patient's LPS space, in mm.
        direction_xyz: row-major 3x3 direction cosines in SimpleITK's (x, y, z) order.
    """

    shape_zyx: Int3
    spacing_mm: Float3
    origin_mm_xyz: Float3 = (0.0, 0.0, 0.0)
    direction_xyz: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel in mm3."""
        z, y, x = self.spacing_mm
        return z * y * x

    @property
    def extent_mm(self) -> Float3:
        """Edge lengths (z, y, x) of the whole grid in mm, voxel borders included."""
        (nz, ny, nx), (z, y, x) = self.shape_zyx, self.spacing_mm
        return (nz * z, ny * y, nx * x)


@dataclass(frozen=True)
class Box:
    """A half-open integer box [start, stop) in an array's (z, y, x) indices."""

    start_zyx: Int3
    stop_zyx: Int3

    @property
    def shape_zyx(self) -> Int3:
        """Voxels along each axis."""
        (a, b, c), (d, e, f) = self.start_zyx, self.stop_zyx
        return (d - a, e - b, f - c)

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """The box as three slices, to index the last three axes."""
        (a, b, c), (d, e, f) = self.start_zyx, self.stop_zyx
        return (slice(a, d), slice(b, e), slice(c, f))

    @property
    def voxels(self) -> int:
        """Number of voxels in the box."""
        z, y, x = self.shape_zyx
        return z * y * x

    @staticmethod
    def whole(shape_zyx: Int3) -> Box:
        """Returns the box that covers an array of `shape_zyx`."""
        return Box((0, 0, 0), shape_zyx)
