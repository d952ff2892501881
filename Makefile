# The developer's verbs; each is one line on top of the command line.
.PHONY: help setup test test-unit lint typecheck bench dashboards train

help: ## Show this list.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## Install everything that is missing; start nothing.
	./pulse setup

test: ## All tests, with all the set-up they need.
	./pulse test

test-unit: ## Only the tests that need no running part.
	./pulse test --fast

lint: ## Style, imports between the rooms.
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/lint-imports

typecheck: ## mypy --strict.
	.venv/bin/mypy

bench: ## The pipeline's benchmark on the whole stack; one JSON line.
	./pulse bench pipeline

dashboards: ## Build Grafana's files, check them, run every query.
	.venv/bin/pulse dashboards build && .venv/bin/python -m pytest tests/unit/dashboards

train: ## Train the default model from ../shared/data.
	./pulse train
