# Everything runs in .venv, which `make setup` fills; the other targets run it first.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
# Tests wait more than they compute: three at once for each processor. Each worker begins elsewhere in the suite, so that
# what waits runs beside what computes, and takes from the others once it is through.
WORKERS ?= $(shell echo $$((3 * $$(getconf _NPROCESSORS_ONLN))))
# Tests start hundreds of processes: bytecode is kept, whatever the shell says, or each compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

help:            ## Show these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

setup: $(STAMP)  ## Put everything into .venv

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Shipmate needs Python 3.11 or newer; set PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup      ## Run the main job with no account (ONCE=1: run it and exit)
	@sh scripts/ensure-docker.sh || true
	@$(BIN)/shipmate demo $(if $(ONCE),--once)

test: setup      ## Run every test, on real servers
	@sh scripts/ensure-test-servers.sh
	@$(if $(ARGS),,$(BIN)/python -m tests.standin_bases >/dev/null 2>&1 &)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(if $(CI),--reruns 1 --reruns-delay 2 -raR) $(ARGS)

lint: setup      ## Check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: setup     ## Measure against named peers
	$(BIN)/python -m bench $(ARGS)

clean:           ## Remove what was made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info

.PHONY: help setup demo test lint bench clean
