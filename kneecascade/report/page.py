"""The report as one HTML file that needs nothing beside it."""

from __future__ import annotations

import html
import json
from importlib import resources
from typing import Any

from kneecascade.errors import SettingsError

ROOM = "kneecascade.report"


def page(title: str, data: dict[str, Any], with_3d: bool = True) -> str:
    """Returns the whole file: style, program, viewer and data are inside it.

    Args:
        title: of the page.
        data: what `report.js` shows; plain JSON.
        with_3d: whether to embed the 3D viewer (plotly, about 5 MB).

    Raises:
        SettingsError: the viewer is not installed.
    """
    style = resources.files(ROOM).joinpath("report.css").read_text("utf-8")
    program = resources.files(ROOM).joinpath("report.js").read_text("utf-8")
    viewer = f"<script>{viewer_script()}</script>" if with_3d else ""
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{style}</style></head><body>"
        "<noscript>This report needs JavaScript to show its tables and slices.</noscript>"
        '<main id="report"></main>'
        f'<script type="application/json" id="data">{_embedded(data)}</script>'
        f"{viewer}<script>{program}</script></body></html>\n"
    )


def _embedded(data: dict[str, Any]) -> str:
    """Returns JSON that cannot end the script element it stands in."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def viewer_script() -> str:
    """Returns the script of the 3D view.

    Raises:
        SettingsError: the extra `report` is not installed.
    """
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise SettingsError(
            "the 3D view needs plotly: pip install 'kneecascade[report]', or give --no-3d"
        ) from error
    return get_plotlyjs().replace("</script", "<\\/script")
