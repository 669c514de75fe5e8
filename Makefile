# One command from a fresh clone: each target sets up what it needs. Needs make and any Python from 3.8 on.

VENV   := .venv
TOOLS  := .venv-tools
PY     := $(VENV)/bin/python
STAMP  := $(VENV)/.installed
PYTHON_RANGE := >=3.12,<3.15
PYTHON_FETCH := 3.13

# uv from PATH if there is one, else a private copy in $(TOOLS).
UV := $(shell command -v uv 2>/dev/null || echo $(TOOLS)/bin/uv)

.DEFAULT_GOAL := help
.PHONY: help install forecast notebooks test lint format bench lock clean

help:
	@echo 'make install   set up $(VENV) from requirements.lock'
	@echo 'make forecast  calibrate on the demo company, compare coverage plans, write the report'
	@echo 'make notebooks write the notebooks again from their texts and run them'
	@echo 'make test      run the tests'
	@echo 'make lint      style, types and the checks of the tree'
	@echo 'make format    rewrite the code in the house style'
	@echo 'make bench     run the benchmarks'
	@echo 'make lock      write requirements.lock again from pyproject.toml'
	@echo 'make clean     remove environments and caches'

install: $(STAMP)

forecast: $(STAMP)
	$(VENV)/bin/subsim forecast

# The text (.py) is the source; cells that did not change keep their identifiers.
notebooks: $(STAMP)
	$(VENV)/bin/jupytext --quiet --update --to ipynb notebooks/*.py
	$(VENV)/bin/jupyter nbconvert --log-level WARN --clear-output --inplace notebooks/*.ipynb
	$(PY) -m pytest -n 0 tests/notebooks

test: $(STAMP)
	$(PY) -m pytest -n 2 tests

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(PY) -m mypy
	$(PY) scripts/check_tree.py

format: $(STAMP)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(STAMP)
	$(PY) benchmarks/run.py

# Any Python that can make a virtual environment will do to hold uv; `python3` may be a shim that fails here.
$(TOOLS)/bin/uv:
	@for p in python3 python3.13 python3.12 python3.14 /usr/bin/python3 python; do \
	  if $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1; then found=$$p; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	  echo 'make install: found no Python >= 3.8 with the venv module; install python3 and python3-venv, or put uv on PATH' >&2; \
	  exit 1; \
	fi; \
	$$found -m venv $(TOOLS) && $(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check uv || { \
	  rm -rf $(TOOLS); echo 'make install: could not install uv; check the network, or put uv on PATH' >&2; exit 1; }

# A Python already on this machine if one fits, else uv fetches one.
$(PY): | $(UV)
	@$(UV) venv --quiet --clear --no-python-downloads --python '$(PYTHON_RANGE)' $(VENV) 2>/dev/null \
	  || $(UV) venv --quiet --clear --python $(PYTHON_FETCH) $(VENV) \
	  || { echo 'make install: found no Python $(PYTHON_RANGE) and could not fetch one; install Python $(PYTHON_FETCH)' >&2; exit 1; }

$(STAMP): requirements.lock pyproject.toml | $(UV) $(PY)
	$(UV) pip sync --quiet --compile-bytecode --python $(PY) --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(PY) --no-deps --editable .
	$(PY) -m compileall -q src/subsim
	@touch $@

# Universal: one file for every platform and Python of the range; without an index, a host or a path of this machine.
lock: | $(UV) $(PY)
	env -u UV_INDEX -u UV_INDEX_URL -u UV_DEFAULT_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	  $(UV) --no-config pip compile --quiet --upgrade pyproject.toml --all-extras --universal --python $(PY) --python-version 3.12 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --output-file requirements.lock

clean:
	rm -rf $(VENV) $(TOOLS) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
