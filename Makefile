# Everything a developer or a newcomer does, by name. `make` alone lists it.
# Only Python 3.11 or later and make are needed; the database comes as a package.

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
STRICT := core wire transport store contracts vendors pipeline
STRICT_FOLDERS := $(addprefix src/relais/,$(STRICT))

# Tests start hundreds of processes: each would compile the product anew where the environment forbids to keep bytecode.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo up test simulate search collect lint check look ci bench clean-demo lock assets messages format

help: ## list what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(VENV)/.installed ## install the product into .venv

setup-dev: $(VENV)/.installed-dev ## install what tests and checks need, too

# A stamp is newer than what it was made from, or its recipe runs again.
$(VENV)/.made:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh .ci/make-venv
	@touch $@

$(VENV)/.installed: requirements.txt pyproject.toml $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: setup ## run the product with example clients and send messages through it
	@$(BIN)/relais demo

up: setup ## run the product
	@$(BIN)/relais up

clean-demo: setup ## forget the embedded database
	@$(BIN)/relais demo reset --yes

$(VENV)/.browser: .ci/need-chromium $(VENV)/.installed-dev
	@sh .ci/need-chromium
	@touch $@

$(VENV)/.peers: .ci/need-peers $(VENV)/.installed-dev
	@sh .ci/need-peers
	@touch $@

# Four files at a time on one database server: tests wait for processes and browsers, and each worker reads all tests first.
EVERY_TEST := $(BIN)/python -m pytest -q -n 4 --dist loadgroup --no-loadscope-reorder

test: setup-dev $(VENV)/.browser $(VENV)/.peers ## run every test
	$(EVERY_TEST)

SEEDS ?= 10000
FROM ?= 1
simulate: setup-dev ## gateways, vendors and falls in virtual time, SEEDS worlds FROM a seed on; a failing one names itself
	SIMULATE_SEEDS=$(SEEDS) SIMULATE_FROM=$(FROM) $(BIN)/python -m pytest -q -s -n 0 -o timeout=0 tests/simulation

ROUNDS ?= 10
search: setup-dev ## properties on examples that no run tried before, ROUNDS times; a failing one prints how to repeat it
	@for round in $$(seq $(ROUNDS)); do \
	  $(BIN)/python -m pytest -q -n 2 --dist loadgroup -m hypothesis --hypothesis-profile=search || exit 1; done

# Compiles the tests once, before several workers would at the same time.
collect: setup-dev $(VENV)/.browser $(VENV)/.peers
	@$(BIN)/python -m pytest -q --collect-only | tail -n 1

look: setup-dev $(VENV)/.browser ## every page in both widths and both themes, read by axe in each; pictures in build/screens
	LOOK_EVERYWHERE=1 $(BIN)/python -m pytest -q -n 2 --dist loadgroup tests/pages/test_every_page_in_a_browser.py

check: lint ## format, lint, types, import contracts, bundles, catalogues, tidiness, fast tests; under a minute
	$(BIN)/python -m pytest -q tests/tidy tests/core tests/wire

lint: setup-dev
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy $(STRICT_FOLDERS)
	$(BIN)/lint-imports
	$(BIN)/python assets/check.py
	$(BIN)/python .ci/messages.py --check

# pytest ends with 5 when it finds no test at all: make takes that, like any code but 0, for a failure.
ci: setup-dev ## what a change has to pass
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint collect
	$(EVERY_TEST)
	@if [ -f bench/__main__.py ]; then $(BIN)/python -m bench gate; else echo "no bench yet: nothing to compare"; fi

bench: setup-dev ## measure and print the table
	$(BIN)/python -m bench

assets: ## bundle the pages' styles, scripts, icons and letters anew (needs node)
	cd assets && npm ci --no-audit --no-fund --silent && npm run --silent build

messages: setup-dev ## bring the catalogues of translations up to date
	$(BIN)/python .ci/messages.py

format: setup-dev ## put code into its form
	$(BIN)/ruff check --fix src tests bench
	$(BIN)/ruff format src tests bench

lock: ## renew requirements*.txt from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra dev pyproject.toml -o requirements-dev.txt
