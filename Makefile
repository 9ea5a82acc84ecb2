# make demo   set up .venv, build the graph, validate it, draw every LLaMA derivative
# make test   set up what the tests need, and run them all
# make lint   style, types, generated files
# make format bring data files, generated documents and code into their form

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export LLMKG_HOME ?= $(CURDIR)/.llmkg

.PHONY: demo test lint format docs wheel-test clean

demo: $(VENV)/.run
	$(BIN)/llmkg build
	$(BIN)/llmkg lineage LLaMA

test: $(VENV)/.test
	$(BIN)/python -m pytest -q -n 2

lint: $(VENV)/.test $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/canonical.py --check
	$(BIN)/python tools/ledger.py --check
	$(BIN)/python tools/reference.py --check

format: $(VENV)/.test $(VENV)/.lint
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python tools/canonical.py
	$(BIN)/python tools/ledger.py
	$(BIN)/python tools/reference.py

wheel-test: $(VENV)/.lint
	sh tools/wheel_test.sh $(BIN)/python

clean:
	rm -rf $(VENV) .llmkg dist build

# Each marker says that .venv holds what its name needs; pyproject.toml is what it was made from.
$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("llmkg needs Python 3.11 or newer, not " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@ $(VENV)/.run

$(VENV)/.lint: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[lint]'
	touch $@
