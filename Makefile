# popvault: every command of the house. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

test: $(INSTALLED) ## pass all tests, from nothing
	$(BIN)/python -m pytest $(ARGS)

lint: $(INSTALLED) ## style, types, and which module may import which
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(INSTALLED) ## time on the line beside other retrievers; with MAIL_CORPUS=folder also parsing and archiving of that mail
	$(BIN)/python -m tests.bench.line $(ARGS)
	@if [ -z "$$MAIL_CORPUS" ]; then echo "MAIL_CORPUS names no folder of raw messages: parsing and archiving are left out"; \
	else $(BIN)/python -m tests.bench.parsing && $(BIN)/python -m tests.bench.archiving; fi

lock: $(VENV)/uv ## pin anew what deploy/requirements.txt installs
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --custom-compile-command 'make lock' --all-extras --upgrade --quiet \
	  pyproject.toml -o deploy/requirements.txt

$(VENV)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	@touch $@

$(INSTALLED): deploy/requirements.txt pyproject.toml | $(VENV)/uv
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r deploy/requirements.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

clean: ## remove what make made
	rm -rf $(VENV) build popvault.egg-info

.PHONY: help test lint bench lock clean
