# `make` alone lists what there is.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MINUTES ?= 5
PYTEST_FLAGS ?= -n 2

# Which torch: any words that follow `pip install`. On a machine with an NVIDIA driver the newest;
# else a fixed one. See "Which torch" in README.md for computers without a GPU.
ifeq ($(shell command -v nvidia-smi 2>/dev/null),)
TORCH ?= torch==2.13.0
else
TORCH ?= torch
endif

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all check format clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(STAMP)  ## environment in .venv with everything; TORCH="..." chooses the torch

# torch comes first and is then held by a constraints file, so that nothing later replaces it.
$(STAMP): setup.py pyproject.toml
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c "import torch" 2>/dev/null || $(BIN)/pip install $(TORCH)
	$(BIN)/python -c "from importlib.metadata import version; print('torch==' + version('torch'))" \
	  > $(VENV)/constraints.txt
	$(BIN)/pip install --constraint $(VENV)/constraints.txt --editable '.[test]'
	touch $@

demo: $(STAMP)  ## the whole main job on embedded phantoms, about MINUTES=5 of training
	$(BIN)/kc_demo --minutes $(MINUTES)

test: $(STAMP)  ## the tests but the long ones
	$(BIN)/python -m pytest -m "not long" $(PYTEST_FLAGS)

test-all: $(STAMP)  ## every test, with coverage
	$(BIN)/python -m pytest --cov=kneecascade --cov-report=term $(PYTEST_FLAGS)

check: $(STAMP)  ## formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP)  ## format, and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove the environment, caches and the demo
	rm -rf $(VENV) build dist *.egg-info demo htmlcov .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
