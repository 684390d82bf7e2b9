"""kneecascade: self-configuring two-stage segmentation of knee MR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kneecascade.pipeline.in_memory import load_model

__version__ = "0.1.0"
__all__ = ["__version__", "load_model"]


def __getattr__(name: str) -> Any:
    # torch is loaded when a model is, not whenever the package is imported
    if name == "load_model":
        from kneecascade.pipeline.in_memory import load_model

        return load_model
    raise AttributeError(f"module 'kneecascade' has no attribute {name!r}")
