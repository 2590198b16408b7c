# hf_vdrep: every target sets up what it needs. `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUN_DIR ?= runs/demo

.DEFAULT_GOAL := help
.PHONY: help install demo test test-browser test-slow lint format typecheck pair clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP)  ## make .venv and install the package with its tested versions

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e ".[test]"
	@touch $(STAMP)

demo: $(STAMP)  ## the main job: I-WALT against V-WALT on ProbeWorld, table and report in runs/demo
	$(BIN)/hf-vdrep compare --output-dir $(RUN_DIR)

test: $(STAMP) lint typecheck  ## lint, types and the fast tests
	$(BIN)/python -m pytest -n 2

test-browser: $(STAMP)  ## the app in headless Chromium (needs chromium and chromedriver)
	$(BIN)/python -m pytest -n 0 -m browser tests/app

test-slow: $(STAMP)  ## the long checks
	$(BIN)/python -m pytest -m slow

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(STAMP)
	$(BIN)/mypy

pair: $(STAMP)  ## train again the tokenizer and the twins, and ship them (hours on two CPU cores)
	$(BIN)/accelerate launch --cpu scripts/train_autoencoder.py --config scripts/recipes/tokenizer-tiny.yaml
	$(BIN)/accelerate launch --cpu scripts/train_walt.py --config scripts/recipes/v-walt-tiny.yaml
	$(BIN)/accelerate launch --cpu scripts/train_walt.py --config scripts/recipes/i-walt-tiny.yaml
	$(BIN)/accelerate launch --cpu scripts/train_walt.py --config scripts/recipes/v-walt-tiny.yaml --seed 1 --output-dir runs/v-walt-tiny-seed1
	$(BIN)/accelerate launch --cpu scripts/train_walt.py --config scripts/recipes/i-walt-tiny.yaml --seed 1 --output-dir runs/i-walt-tiny-seed1
	$(BIN)/accelerate launch --cpu scripts/train_autoencoder.py --config scripts/recipes/tokenizer-tiny-decoder.yaml
	$(BIN)/python scripts/ship_pair.py --runs runs

clean:  ## remove the environment and the runs
	rm -rf $(VENV) runs .pytest_cache .ruff_cache .mypy_cache
