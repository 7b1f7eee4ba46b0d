# blurlab: every target says what it does; `make` prints them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export NO_ALBUMENTATIONS_UPDATE := 1

.DEFAULT_GOAL := help
.PHONY: help install demo docs test test-fast quick lint small results bench bench-deepinv report clean

help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,docs]"
	@touch $@

install: $(VENV)/.installed ## make .venv and install what constraints.txt pins

demo: $(VENV)/.installed ## the main job on the embedded data, budget=smoke; then a photograph blurred and really restored
	$(BIN)/python -m blurlab +experiment=messidor_hier budget=smoke
	$(BIN)/python docs/picture.py --out runs/demo

test: lint ## lint, types, import floors, then every test
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

test-fast: ## lint beside the tests that are not marked slow: two minutes on two cores
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint quick

quick: $(VENV)/.installed
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow"

lint: $(VENV)/.installed ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

small: $(VENV)/.installed ## every experiment at budget=small (needs DATA=<folder of photographs>)
	BIN=$(BIN) experiments/williams2017/run_small.sh $(DATA)
	BIN=$(BIN) experiments/yan2016/run_small.sh $(DATA)
	BIN=$(BIN) experiments/nonblind/run_small.sh $(DATA)
	BIN=$(BIN) experiments/gilbert2019/run_small.sh $(DATA)
	BIN=$(BIN) experiments/elliptic_gaussian/run_small.sh $(DATA)
	BIN=$(BIN) experiments/free_kernel/run_small.sh $(DATA)

bench: $(VENV)/.installed ## time the parts against plain FFTs and peers, write experiments/bench/results
	$(BIN)/python experiments/bench/convolution.py
	$(BIN)/python experiments/bench/latency.py
	$(BIN)/python experiments/bench/deconvolvers.py

bench-deepinv: ## make .venv-deepinv, with which `make bench` times deepinv too
	$(PYTHON) -m venv .venv-deepinv
	.venv-deepinv/bin/python -m pip install --quiet --disable-pip-version-check -r experiments/bench/deepinv.txt

report: $(VENV)/.installed ## remake experiments/*/REPORT.md and experiments/index.csv from the records
	$(BIN)/python -m blurlab report

docs: $(VENV)/.installed ## build the documentation strictly into docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

clean: ## remove the environment and caches; runs/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist docs/_build
