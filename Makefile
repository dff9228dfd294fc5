# Everything sets itself up: a machine with Python 3.11+, pip and make is enough.
# The first interpreter that can make a virtual environment wins; the system's own is usually the faster build.
PYTHON ?= $(shell for p in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# many tests wait in real time (a telephone call takes as long as it takes): more workers than cores
WORKERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help demo story test check lint types contracts unit bench format clean peers

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "OpenCPM needs Python 3.11 or newer with venv (Debian: apt install python3-venv)"; exit 1; }
	@test -x $(BIN)/python || { echo "making $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing OpenCPM"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.developed: $(VENV)/.installed
	@echo "installing what the tests need"
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(VENV)/.installed ## the main job: server, stand-in networks and the page, in one command
	@$(BIN)/opencpm demo

story: $(VENV)/.installed ## the 23 steps, over real sockets, one JSON line each
	@$(BIN)/opencpm demo --story --json

test: check unit ## everything that CI runs

check: lint types contracts ## lint, types, import contracts

lint: $(VENV)/.developed
	@$(BIN)/ruff check src tests
	@$(BIN)/ruff format --check src tests

types: $(VENV)/.developed
	@$(BIN)/mypy

contracts: $(VENV)/.developed
	@$(BIN)/lint-imports

unit: $(VENV)/.developed
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile

bench: $(VENV)/.installed ## CPU microseconds per message of the running server
	@$(BIN)/opencpm bench

format: $(VENV)/.developed ## put the code in form
	@$(BIN)/ruff format src tests
	@$(BIN)/ruff check --fix src tests

peers: ## as root on Debian: the programs of others that the interop tests drive; no service of theirs is started
	RUNLEVEL=1 apt-get install -y --no-install-recommends sip-tester baresip linphone-cli minimodem espeak-ng prosody kannel kannel-extras \
		swaks exim4-daemon-light chromium chromium-driver curl \
		$$(command -v npm >/dev/null || echo nodejs npm)

clean: ## remove what was built here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
