# Every target sets up all it needs. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PY := .venv/bin/python
CODE := $(wildcard rotator migrations tests tools)
NODE_STAMP := tests/clients/node_modules/.package-lock.json

# What `make check` cannot do without; `make test` names what it has to leave out instead.
CHECK_REQUIRE := vault,postgres,node,systemd,promtool,chromium
JOBS := 2
PYTEST := $(PY) -m pytest

.PHONY: help setup demo test check lint types imports format vault promtool clients crash test-systemd bench soak wheel lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | \
	  awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: ## make .venv from the lock (nothing to do when it is up to date)
	@./setup

demo: setup ## the main job before your eyes: a simulated org, a Vault, SQLite; last line `demo: ok`
	@$(PY) -m rotator demo --vault "$$($(PY) -m tests.vault.build --where)"

test: setup clients ## all tests; the last line names what was left out, REQUIRE=a,b makes that a failure
	@$(PY) -m tests.vault.build --if-possible
	@$(PY) -m tests.servers.promtool --if-possible >/dev/null
	@$(PYTEST) -n $(JOBS) --dist loadfile $(ARGS)

check: lint types imports ## lint + types + import rules + tests, with nothing left out
	@REQUIRE="$${REQUIRE:-$(CHECK_REQUIRE)}" $(MAKE) --no-print-directory test

lint: setup ## ruff: style, mistakes, formatting of imports
	@$(PY) -m ruff check .

types: setup ## mypy --strict over product, migrations, tests and tools
	@$(PY) -m mypy $(CODE)

imports: setup ## the layers of the code, by import-linter
	@.venv/bin/lint-imports

format: setup ## let ruff mend what it can
	@$(PY) -m ruff check --fix . && $(PY) -m ruff format $(CODE)

vault: setup ## build a real Vault server for the tests, once (needs Go; about six minutes)
	@$(PY) -m tests.vault.build

promtool: setup ## fetch promtool of Debian's package prometheus for the tests, once; nothing is installed
	@$(PY) -m tests.servers.promtool

clients: $(NODE_STAMP) ## install the Node clients of the tests, where Node is at hand

# Without npm the suite `node` is left out, and the tests say so.
$(NODE_STAMP): tests/clients/package-lock.json
	@if command -v npm >/dev/null 2>&1; then \
	  echo "clients: npm ci in tests/clients" >&2 && \
	  cd tests/clients && npm ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules/.package-lock.json; \
	else echo "clients: npm is not at hand" >&2; fi

crash: setup clients ## the exhaustive fault and crash runs, which take longer than `make check` allows
	@$(PY) -m tests.vault.build --if-possible
	@$(PYTEST) -n $(JOBS) --exhaustive -m exhaustive --timeout 3600 $(ARGS)

test-systemd: setup ## boot a small Debian, install the wheel into it by the guide, try the service (root; two minutes)
	@$(PYTEST) --boot -m boot tests/systemd $(ARGS)

bench: setup ## the figures, as JSON on standard output
	@$(PY) -m tools.bench $(ARGS)

soak: setup ## twenty apps, two daemons, chaos on, for SECONDS (600): memory, descriptors, threads, flat or not
	@$(PY) -m tests.vault.build --if-possible
	@$(PY) -m tools.soak $(SECONDS)

wheel: setup ## build dist/rotator-*.whl and the sdist
	@rm -rf dist && $(PY) -m hatchling build

lock: setup ## resolve requirements/dev.lock anew (UPGRADE=1: to the newest versions)
	@$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --all-extras --group dev $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements/dev.lock

clean: ## remove what the targets made, except the cached Vault
	@rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
	  tests/clients/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
