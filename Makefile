# popvault: every command of the house. `make help` lists them.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
  $$each -c '$(SUPPORTED)' 2>/dev/null && echo $$each && break; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
# The mail of `run` and `serve`: a mailboxes file, or, where none is named, a small server with sample mail.
MAILBOXES ?= $(POPVAULT_MAILBOXES)
OVER = $(if $(MAILBOXES),env POPVAULT_MAILBOXES="$(MAILBOXES)",$(BIN)/python -m tests.sample --folder "$$POPVAULT_HOME/sample")

# `exec` below: told to stop, make tells its child, and that must not be a shell that keeps it to itself.
# All that they make is below it, and nothing in the user's home.
run serve stop airflow: export POPVAULT_HOME ?= $(CURDIR)/.popvault
# Where it is set, Python compiles at every start what was not compiled when it was installed.
unexport PYTHONDONTWRITEBYTECODE
# Trust for the packages' source what this machine trusts: in many houses that is an authority of their own.
export UV_SYSTEM_CERTS := true

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(INSTALLED) ## from nothing to an archive: the DAG over MAILBOXES=file.toml or sample mail, then a report
	@exec $(OVER) $(BIN)/python -m etl.airflow run

serve: $(INSTALLED) ## Airflow with its web page over MAILBOXES=file.toml or sample mail, until Ctrl-C
	@exec $(OVER) $(BIN)/python -m etl.airflow serve

stop: $(INSTALLED) ## stop the embedded Postgres, if a popvault command left it up
	@$(BIN)/popvault stop

airflow: $(INSTALLED) ## Airflow's own command, as in: make airflow ARGS="dags list"
	@$(BIN)/python -m etl.airflow command $(ARGS)

test: $(INSTALLED) ## pass all tests, from nothing
	$(BIN)/python -m pytest $(ARGS)

lint: $(INSTALLED) ## style, types, and which module may import which
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(INSTALLED) ## the line beside other retrievers; growth to a million messages; with MAIL_CORPUS=folder also that mail
	$(BIN)/python -m tests.bench.line $(ARGS)
	$(BIN)/python -m tests.bench.growing
	@if [ -z "$$MAIL_CORPUS" ]; then echo "MAIL_CORPUS names no folder of raw messages: parsing and archiving are left out"; \
	else $(BIN)/python -m tests.bench.parsing && $(BIN)/python -m tests.bench.archiving; fi

dictionary: $(INSTALLED) ## write sql/DICTIONARY.md anew from the comments on the views
	@home=$$(mktemp -d) && export POPVAULT_HOME=$$home && unset POPVAULT_DATABASE_URL && \
	  $(BIN)/popvault init >/dev/null && $(BIN)/popvault dictionary > $$home/written && cp $$home/written sql/DICTIONARY.md; \
	  result=$$?; $(BIN)/popvault stop; rm -rf "$$(readlink -f $$home/postgres)" $$home; exit $$result

lock: $(VENV)/uv ## pin anew what deploy/requirements.txt installs
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --custom-compile-command 'make lock' --all-extras --upgrade --quiet \
	  pyproject.toml -o deploy/requirements.txt

$(VENV)/uv:
	@test -n "$(PYTHON)" || { echo "popvault needs Python 3.11, 3.12 or 3.13; name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "popvault: making the virtual environment, once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

$(INSTALLED): deploy/requirements.txt pyproject.toml | $(VENV)/uv
	@echo "popvault: installing what deploy/requirements.txt pins"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r deploy/requirements.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

clean: ## remove what make installed; the archive in .popvault stays
	rm -rf $(VENV) build popvault.egg-info

.PHONY: help run serve stop airflow test lint bench dictionary lock clean
