# Every task is one command that you can also type yourself; `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup serve migrate test lint format types architecture ci pin

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## install everything into .venv (pip install uv comes first)
	uv sync

migrate:  ## bring the database to the newest schema
	uv run helpdesk migrate

serve:  ## start the web server
	uv run helpdesk serve

test:  ## run all tests; one of them: uv run pytest -n0 -k NAME
	uv run pytest

lint:  ## look for mistakes
	uv run ruff check .

format:  ## lay out the code
	uv run ruff format .
	uv run ruff check --fix-only --quiet .

types:  ## check the types
	uv run mypy

architecture:  ## check who imports whom, sizes, and what the files must agree on
	uv run lint-imports --no-logo
	uv run pytest tests/architecture

pin:  ## write down the versions of dependencies (after a change in a pyproject.toml)
	uv run python tools/pin.py

ci:  ## everything that CI runs
	.ci/run
