.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:

# A machine with only Python 3.13 gets uv into .tools; everything else follows from the lock files.
PYTHON ?= python3.13
UV := $(shell command -v uv || echo .tools/bin/uv)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export UV_NO_PROGRESS := 1
STAGE ?= local

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.tools/bin/uv:
	@echo "installing uv into .tools"
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-tools.txt

.venv/.installed: pyproject.toml serverless-django/pyproject.toml uv.lock $(filter .tools/%,$(UV))
	@echo "installing Python packages from uv.lock"
	$(UV) sync --frozen --quiet --no-install-project
	$(UV) sync --frozen --quiet
	touch $@

serverless-django/node_modules/.installed: serverless-django/package.json serverless-django/package-lock.json .venv/.installed
	@echo "installing a browser for the tests from package-lock.json"
	cd serverless-django && npm ci --silent
	touch node_modules/.installed

.PHONY: install
install: .venv/.installed

.PHONY: run
run: install ## Run the whole system on this machine, through the code and the template that deploy
	serverless-django run

.PHONY: reset
reset: install ## Delete what `make run` has stored: rows, objects, messages
	serverless-django reset

.PHONY: test
test: install serverless-django/node_modules/.installed ## A fast member of each kind of test, in two processes; writes .bench/test.json
	PYTHONPATH=$(CURDIR)/serverless-django python -m tests.suite $(ARGS)

.PHONY: test-nightly
test-nightly: install serverless-django/node_modules/.installed ## Every test, one after the other
	cd serverless-django
	pytest --durations=10 $(ARGS)
	cd ..
	pytest --durations=10 $(ARGS)

.PHONY: check
check: .venv/.installed ## Lint, format, types, import contracts, system checks: no database, no network
	ruff check .
	ruff format --check --quiet .
	mypy
	lint-imports --no-cache
	python -m lambda_app.manage check --fail-level WARNING
	serverless-django migrations

.PHONY: token
token: .venv/.installed ## A bearer token for the running system: make token MEMBER=ada
	@serverless-django token $(or $(MEMBER),ada)

.PHONY: manage
manage: .venv/.installed ## A command of Django's against the running system: make manage ARGS="shell"
	@serverless-django manage $(ARGS)

.PHONY: invoke
invoke: install ## Run one sample event through its handler: make invoke EVENT=events/sqs/like.json
	serverless-django invoke $(EVENT)

.PHONY: tail
tail: .venv/.installed ## Follow every function's log, or find one request: make tail ID=<X-Request-Id>
	@serverless-django logs $(ARGS) $(ID)

.PHONY: figures
figures: .venv/.installed ## The last figures of every measurement, against their goals
	PYTHONPATH=$(CURDIR)/serverless-django python -m tests.figures

.PHONY: synth
synth: install ## Write the templates of one stage to cdk.out: make synth STAGE=prod
	serverless-django synth --stage $(STAGE)

.PHONY: cost
cost: install ## What one idle stage costs a month, by line: make cost STAGE=prod
	@serverless-django cost --stage $(STAGE)

.PHONY: deploy
deploy: install ## Deploy one stage to AWS: make deploy STAGE=dev
	serverless-django deploy --stage $(STAGE) $(ARGS)

# What measures, attacks and breaks: the library, and the feed that is deployed with it.
-include tests/*/targets.mk
