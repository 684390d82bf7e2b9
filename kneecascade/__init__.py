"""kneecascade: self-configuring two-stage segmentation of knee MR."""

__version__ = "0.1.0"
