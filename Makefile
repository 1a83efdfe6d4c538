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

# What `make plan` and `make apply` deploy: a root module, whose variables come as TF_VAR_… or from its terraform.tfvars,
# and Google's credentials as its provider finds them.
ROOT ?= terraform
# The bucket of Terraform's state. Empty: what the root says, or a file beside it.
STATE_BUCKET ?=
# Addresses whose deletion, replacement or loss of a column is intended: `make plan ALLOW=module.warehouse.google_bigquery_table.user`
ALLOW ?=
# Not for the repository: a plan holds values.
PLAN := $(CURDIR)/.plan
TERRAFORM = terraform -chdir=$(ROOT)

.DEFAULT_GOAL := help
.PHONY: help install demo test test-faults check codegen plan apply bench clean

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

# What `make plan` prints is the review, whole: Terraform and the others speak on stderr. It takes no lock, and so needs no
# right to write. A plan that Terraform could not finish, because prevent_destroy stopped it, is reviewed as well.
plan: install ## Say in words what Terraform would change: Markdown. An error where data would be lost.
	@$(initialized)
	@$(TERRAFORM) plan -input=false -lock=false -out=$(PLAN)/plan.bin >&2 || touch $(PLAN)/failed
	@$(TERRAFORM) show -json $(PLAN)/plan.bin > $(PLAN)/plan.json
	@$(BIN)/python -m codegen.review $(foreach address,$(ALLOW),--allow '$(address)') $(PLAN)/plan.json
	@test ! -e $(PLAN)/failed

apply: install ## Make it so, without asking: for a pipeline that has asked.
	@$(initialized)
	@$(TERRAFORM) plan -input=false -out=$(PLAN)/plan.bin
	@$(TERRAFORM) apply -input=false $(PLAN)/plan.bin

# With what the extractors say now, or not at all.
define initialized
set -e; rm -rf $(PLAN) $(ROOT)/state_bucket_override.tf; mkdir -p $(PLAN); \
PYTHONPATH=$(PROJECT) $(BIN)/python -m codegen --check >&2; \
$(if $(STATE_BUCKET),printf 'terraform {\n  backend "gcs" {}\n}\n' > $(ROOT)/state_bucket_override.tf;) \
$(TERRAFORM) init -input=false $(if $(STATE_BUCKET),-backend-config=bucket=$(STATE_BUCKET)) >&2
endef

bench: install ## Compare speed and memory with those of other tools.
	$(BIN)/python tests/benchmarks $(ARGS)

clean: ## Remove the environment and what demo and bench made.
	rm -rf $(VENV) .demo .bench $(PLAN)

install: $(INSTALLED)

# uv installs in seconds what takes pip minutes; pip is there where uv cannot read the machine's index settings.
$(INSTALLED): tests/requirements/bootstrap.txt tests/requirements/environment.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements/bootstrap.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -r tests/requirements/environment.txt -e . \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -r tests/requirements/environment.txt -e .
	@touch $(INSTALLED)
