# make test    everything: style, types, and all tests, the real client's included
# make check   style and types only
# make bench   the measurements in tests/benchmarks
# make pictures  draw docs/pictures anew
# make clean   remove what these made (the fetched client stays in its cache)

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: test check bench pictures client clean

test: check client
	$(BIN)/pytest -n auto $(ARGS)

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(INSTALLED)
	set -e; for file in tests/benchmarks/bench_*.py; do $(BIN)/python $$file $(ARGS); done

pictures: $(INSTALLED)
	$(BIN)/python tests/pictures.py

client: $(INSTALLED)
	test -n "$$CLAUDE_TIER_CLIENT" || $(BIN)/python tests/fetch_client.py

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

# --group needs pip 25.1.
$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --group test --group check --editable .
	touch $@
