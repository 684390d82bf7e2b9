"""Installs kneecascade: `pip install .`, or `make install` for a checkout with its own environment."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "kneecascade/__init__.py").read_text("utf-8"))[1]
TEST = [
    "pytest>=8",
    "pytest-cov",
    "pytest-xdist",
    "hypothesis",
    "h5py",
    "highdicom>=0.25",
    "openpyxl",
    "plotly>=5",
    "psutil",
    "pylibjpeg",
    "pylibjpeg-openjpeg",
    "surface-distance-based-measures",
    "ruff",
    "mypy",
]

setup(
    name="kneecascade",
    version=VERSION,
    description="Self-configuring two-stage segmentation of knee MR: a coarse look, then a fine one",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    # dataset_conversion lies at the top of the repository but is installed inside the package.
    packages=[*find_packages(include=["kneecascade", "kneecascade.*"]), "kneecascade.dataset_conversion"],
    package_dir={"kneecascade.dataset_conversion": "dataset_conversion"},
    package_data={
        "kneecascade.report": ["report.css", "report.js"],
        "kneecascade": ["models/*/*.json", "models/*/fold_0/*.json", "models/*/fold_0/*/*.safetensors"],
    },
    install_requires=[
        "torch>=2.4",
        "numpy",
        "scipy",
        "scikit-image",
        "SimpleITK",
        "batchgenerators>=0.25",
        "acvl-utils>=0.2",
        "connected-components-3d",
        "matplotlib",
        "pillow",
        "blosc2",
        "safetensors",
        "rich",
        "pydicom>=3",
    ],
    extras_require={
        "dicom": ["highdicom>=0.25", "pylibjpeg", "pylibjpeg-openjpeg"],
        "report": ["plotly>=5"],
        "benchmark": ["psutil"],
        "openvino": ["openvino>=2024.4"],
        "datasets": ["h5py", "openpyxl"],
        "test": TEST,
        "dev": TEST,
    },
    entry_points={
        "console_scripts": [
            "kc_plan_and_preprocess = kneecascade.cli.plan_and_preprocess:main",
            "kc_train = kneecascade.cli.train:main",
            "kc_predict = kneecascade.cli.predict:main",
            "kc_cross_validation = kneecascade.cli.cross_validation:main",
            "kc_evaluate = kneecascade.cli.evaluate:main",
            "kc_quality = kneecascade.cli.quality:main",
            "kc_biomarkers = kneecascade.cli.biomarkers:main",
            "kc_models = kneecascade.cli.models:main",
            "kc_phantom = kneecascade.cli.phantom:main",
            "kc_report = kneecascade.cli.report:main",
            "kc_train_synthetic = kneecascade.cli.train_synthetic:main",
            "kc_demo = kneecascade.cli.demo:main",
            "kc_benchmark = kneecascade.cli.benchmark:main",
            "kc_dicom = kneecascade.cli.dicom:main",
            "kc_convert_dataset = kneecascade.cli.convert_dataset:main",
        ]
    },
    zip_safe=False,
)
