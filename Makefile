# `make evaluate` and `make test` need Python >= 3.10 and nothing else: they set up .venv themselves.
PYTHON ?= python3
BIN := .venv/bin
export OMP_WAIT_POLICY ?= PASSIVE
# numba looks only at a kernel's own file to see whether its machine code is stale, not at the kernels it calls.
export NUMBA_CACHE_DIR ?= $(CURDIR)/.venv/numba/$(shell cat corruptions/*.py | cksum | cut -d' ' -f1)

.PHONY: evaluate test test-slow check format bench clean

evaluate: .venv/installed
	$(BIN)/robseg evaluate --model enet --corruptions all --out runs/enet

test: .venv/installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not slow"

check: test

test-slow: .venv/installed-dev
	$(BIN)/pytest -m slow

bench: .venv/installed-dev
	$(BIN)/pytest tests/benchmarks --benchmark-only

format: .venv/installed-dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet --editable ".[dev]"
	touch $@

clean:
	rm -rf .venv build dist
