# Everything sets itself up: a virtual environment in .venv with the exact versions of tests/requirements.
# Needs Python 3.11+, make and Terraform 1.11+, and reaches nothing but the package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

# Whose extractors `make codegen` renders: another project's with SETTINGS=shop.settings PROJECT=../shop
SETTINGS ?= flights.settings
PROJECT ?= tests/example
export DJANGO_SETTINGS_MODULE = $(SETTINGS)

.DEFAULT_GOAL := help
.PHONY: help install demo test test-faults check codegen bench clean

help: ## Show this help.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-11s  %s\n", $$1, $$2 }'

demo: install ## See it work: a year of flights from Django to a local BigQuery, with Terraform.
	@$(BIN)/python tests/emulator $(BIN)/python tests/example/demo.py

test: install ## Run all tests.
	$(BIN)/python -m pytest -n 3 --dist loadfile

test-faults: install ## Kill, interrupt and overlap exports by the hundred.
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "long or not long" tests/faults/test_kills.py tests/faults/test_overlaps.py tests/faults/test_replacing.py

check: install ## Lint, types, drift of the generated Terraform, its format.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PYTHONPATH=$(PROJECT) $(BIN)/python -m codegen --check
	terraform fmt -check -recursive terraform tests/terraform

codegen: install ## Render Terraform from the extractors of SETTINGS, in PROJECT.
	PYTHONPATH=$(PROJECT) $(BIN)/python -m codegen $(ARGS)

bench: install ## Compare speed and memory with those of other tools.
	$(BIN)/python tests/benchmarks $(ARGS)

clean: ## Remove the environment and what demo and bench made.
	rm -rf $(VENV) .demo .bench

install: $(INSTALLED)

# uv installs in seconds what takes pip minutes; pip is there where uv cannot read the machine's index settings.
$(INSTALLED): tests/requirements/bootstrap.txt tests/requirements/environment.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements/bootstrap.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -r tests/requirements/environment.txt -e . \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -r tests/requirements/environment.txt -e .
	@touch $(INSTALLED)
