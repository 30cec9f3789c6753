# make test    everything: style, types, and all tests, the real client's included
# make check   style and types only
# make test-slow  the same with a real LiteLLM proxy (750 MB to install) and ten times the examples
# make bench   the measurements in tests/benchmarks
# make pictures  draw docs/pictures anew
# make clean   remove what these made (the fetched client stays in its cache)

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

SLOW := .venv-slow

.PHONY: test test-slow check bench pictures client clean

test: check client
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

test-slow: check client $(SLOW)/bin/litellm
	CLAUDE_TIER_LITELLM=$(CURDIR)/$(SLOW)/bin/litellm CLAUDE_TIER_EXAMPLES=10 \
		$(BIN)/pytest -n auto --dist worksteal $(ARGS)

$(SLOW)/bin/litellm:
	$(PYTHON) -m venv $(SLOW)
	$(SLOW)/bin/python -m pip install --quiet "litellm[proxy]>=1.106"

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
	rm -rf $(VENV) $(SLOW) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

# --group needs pip 25.1.
$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --group test --group check --editable .
	touch $@
