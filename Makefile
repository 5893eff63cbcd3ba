SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check lint docs picture lock soak benchmark

export PYTHON
PYTEST := .venv/bin/python -m pytest

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: ## Set up, caption the sample photos, score the captions, write the report
	@tools/set_up.sh default
	@.venv/bin/firstsight demo

test: ## Set up, run every check and every test but the long ones
	@tools/set_up.sh dev
	@$(MAKE) --no-print-directory lint
	@$(PYTEST)

check: ## The checks for each commit: style, types, imports, fast tests; under 2 minutes
	@tools/set_up.sh dev
	@$(MAKE) --no-print-directory lint
	@$(PYTEST) -q -m "not soak and not slow and not browser" tests/unit tests/properties tests/contract tests/docs

lint: # Style, types and import directions
	@.venv/bin/ruff format --check --quiet . || { echo "Not formatted; run: .venv/bin/ruff format ."; exit 1; }
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy --no-error-summary src tools $(wildcard benchmarks/*.py)
	@.venv/bin/lint-imports --no-logo >.venv/lint-imports.txt || { cat .venv/lint-imports.txt; exit 1; }

soak: ## The long sizes: hours of photos, memory that must stay flat
	@tools/set_up.sh dev
	@$(PYTEST) -m soak

benchmark: ## Every script of benchmarks/, one after another
	@tools/set_up.sh dev
	@for script in benchmarks/[a-z]*.py; do echo "== $$script"; .venv/bin/python "$$script"; done

docs: ## Write the pages of docs/ that are generated from the program
	@tools/set_up.sh dev
	@.venv/bin/python tools/generate_docs.py

picture: ## Take the picture of the report that the README shows
	@tools/set_up.sh dev
	@.venv/bin/python tools/picture.py

lock: ## Resolve requirements/*.txt anew from pyproject.toml
	@PYTHON=$${PYTHON:-python3}; "$$PYTHON" tools/lock.py
