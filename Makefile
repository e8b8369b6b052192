# Everything a person or CI runs. `make lab` and `make test` set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
STAMP := $(VENV)/.ready
COMPILE := $(BIN)/uv pip compile -q --no-header --no-annotate --no-emit-index-url

.PHONY: lab setup fuzzers check test test-kind test-long bench lock system clean

lab: setup
	$(BIN)/labkit lab $(LAB_ARGS)

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Say which: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv
	@$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt -e '.[dev]'
	@touch $(STAMP)

# Large, and of no use to a learner.
fuzzers: setup
	@$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt -e '.[fuzz]'

# Chromium and Graphviz: by apt as root, else said.
system:
	@for need in chromium dot; do \
	  command -v $$need >/dev/null && continue; \
	  package=$$([ $$need = dot ] && echo graphviz || echo chromium); \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $$package; } >/dev/null 2>&1 || echo "could not install $$package"; \
	  else echo "$$need is missing: install the package $$package (the tests that need it say so)"; fi; done

UNIT := $(addprefix tests/,kube api controllers node net images machine view widgets checks course)
REST := $(filter-out $(UNIT) tests/facts tests/bench tests/__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) $(UNIT) -m 'not long' -n 2 --dist loadscope

test: setup fuzzers system check
	$(PYTEST) $(REST) -m 'not kind and not long' -n 2 --dist loadscope --durations=15
	$(BIN)/labkit labs build --check
	$(BIN)/labkit labs verify

# make ends with 2 whatever failed; pytest's own code (75: no cluster could be made) is kept in $(VENV)/.test-kind for .ci/run.
test-kind: setup
	@rm -f $(VENV)/.test-kind
	$(PYTEST) tests/behaviour tests/kind tests/kubectl -m 'kind or both' --provider=kind --timeout=1200 --durations=15; \
	  code=$$?; echo $$code > $(VENV)/.test-kind; exit $$code

test-long: setup fuzzers system
	$(PYTEST) tests -m long --timeout=3000

bench: setup system
	$(BIN)/python tests/bench

lock: $(BIN)/python
	$(COMPILE) --universal --python-version 3.11 --extra dev --extra fuzz -o constraints.txt pyproject.toml
	$(COMPILE) --python-version 3.12 --python-platform x86_64-unknown-linux-gnu -c constraints.txt -o $(VENV)/binder.txt pyproject.toml
	{ echo '# What a Binder image installs: the run-time lines of constraints.txt. Written by: make lock'; \
	  cat $(VENV)/binder.txt; } > binder/requirements.txt

clean:
	rm -rf $(VENV) build dist *.egg-info
