# `make evaluate` and `make test` need Python >= 3.11 and nothing else: they set up .venv themselves.
PYTHON ?= python3
BIN := .venv/bin
export OMP_WAIT_POLICY ?= PASSIVE
# numba looks only at a kernel's own file to see whether its machine code is stale, not at the kernels it calls.
export NUMBA_CACHE_DIR ?= $(CURDIR)/.venv/numba/$(shell cat corruptions/kernels/*.py | cksum | cut -d' ' -f1)

.PHONY: evaluate test test-slow check gate baseline generated format bench clean FORCE

evaluate: .venv/installed
	$(BIN)/robseg evaluate --model enet --corruptions all --out runs/enet

test: .venv/installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not slow"
	$(MAKE) gate

# No change of code may move what enet@streets keeps under corruption. Where a number is meant to move: `make baseline`.
gate: runs/gate
	$(BIN)/robseg gate $< --baseline tests/data/enet@streets.zip --no-intervals --max-drop 0.3 --max-rise 0.3

baseline: runs/gate
	$(BIN)/robseg baseline save $< --out tests/data/enet@streets.zip

runs/gate: .venv/installed-dev FORCE
	rm -rf $@
	$(BIN)/robseg evaluate --model enet@streets --corruptions all --severities 3 --limit 12 --out $@

# Every file that is made from the corruptions' records and pixels: what tests, reports and docs know of them.
generated: .venv/installed-dev
	$(BIN)/python docs/make_generated.py

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
