"""Writes surfaces with numbers at their vertices as VTK PolyData, for ParaView and 3D Slicer."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kneecascade.biomarkers.mesh import Mesh
from kneecascade.files import write_text

HEAD = (
    '<?xml version="1.0"?>\n<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" '
    'header_type="UInt64" compressor="vtkZLibDataCompressor">\n'
)
TYPES = {"f": ("Float32", "<f4"), "i": ("Int32", "<i4"), "u": ("UInt8", "|u1"), "b": ("UInt8", "|u1")}


def write_vtp(path: Path, mesh: Mesh, scalars: Mapping[str, np.ndarray]) -> None:
    """Writes a surface, first to a temporary name.

    Points are in the patient's LPS space in mm, which is what 3D Slicer expects of a surface file.

    Args:
        path: where to.
        mesh: the surface.
        scalars: (N,) numbers by name, one a vertex; floats become 32 bits, NaN stays NaN.
    """
    faces = mesh.faces
    ends = np.arange(3, 3 * len(faces) + 1, 3, dtype=np.int32)
    data = "".join(_array(name, values) for name, values in scalars.items())
    first = next(iter(scalars), "")
    text = (
        f"{HEAD}<PolyData>\n"
        f'<Piece NumberOfPoints="{len(mesh.vertices_mm)}" NumberOfPolys="{len(faces)}">\n'
        f'<PointData Scalars="{first}">\n{data}</PointData>\n'
        f"<Points>\n{_array('Points', mesh.vertices_mm, 3)}</Points>\n"
        f"<Polys>\n{_array('connectivity', faces.ravel())}{_array('offsets', ends)}</Polys>\n"
        "</Piece>\n</PolyData>\n</VTKFile>\n"
    )
    write_text(path, text)


def _array(name: str, values: np.ndarray, components: int = 1) -> str:
    kind, code = TYPES[values.dtype.kind]
    raw = np.ascontiguousarray(values, dtype=code).tobytes()
    packed = zlib.compress(raw, 4)
    # VTK's header: blocks, size of a block, size of the last partial block, compressed sizes
    header = np.array([1, len(raw), 0, len(packed)] if raw else [0, 0, 0], dtype="<u8").tobytes()
    body = base64.b64encode(header) + (base64.b64encode(packed) if raw else b"")
    wide = f' NumberOfComponents="{components}"' if components > 1 else ""
    return f'<DataArray type="{kind}" Name="{name}"{wide} format="binary">\n{body.decode()}\n</DataArray>\n'
