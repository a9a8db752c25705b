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
	python -m tests.suite $(ARGS)

.PHONY: test-nightly
test-nightly: install serverless-django/node_modules/.installed ## Every test, one after the other
	pytest --durations=10 $(ARGS)

.PHONY: check
check: .venv/.installed ## Lint, format, types, import contracts, system checks: no database, no network
	ruff check .
	ruff format --check --quiet .
	mypy
	lint-imports --no-cache
	python -m lambda_app.manage check --fail-level WARNING
	serverless-django migrations

.PHONY: demo
demo: install ## Act as a phone against the running system, and check every figure
	python -m tests.demo.demo

.PHONY: token
token: .venv/.installed ## A bearer token for the running system: make token MEMBER=ada
	@serverless-django token $(or $(MEMBER),ada)

.PHONY: manage
manage: .venv/.installed ## A command of Django's against the running system: make manage ARGS="shell"
	@serverless-django manage $(ARGS)

.PHONY: invoke
invoke: install ## Run one sample event through its handler: make invoke EVENT=events/sqs/like.json
	serverless-django invoke $(EVENT)

.PHONY: bench-tasks
bench-tasks: .venv/.installed ## Messages into rows: ours against Powertools' loop, bulk_create and COPY
	python -m tests.benchmarks.tasks $(ARGS)

.PHONY: chaos-tasks
chaos-tasks: .venv/.installed ## Tasks under kills, crashes and duplicates, ours and two yardsticks: N=100000 SEED=1
	python -m tests.chaos.tasks --messages $(or $(N),100000) --seed $(or $(SEED),1) $(ARGS)

.PHONY: load
load: install ## Phones against the running system, at a rate that rises, live: make load ARGS="--rate 50"
	python -m tests.demo.load $(ARGS)

.PHONY: tail
tail: .venv/.installed ## Follow every function's log, or find one request: make tail ID=<X-Request-Id>
	@serverless-django logs $(ARGS) $(ID)

.PHONY: figures
figures: .venv/.installed ## The last figures of every measurement, against their goals
	python -m serverless_django.local.figures

# The peers live beside the environment of the project: nothing of theirs can slip into it, or into the bundle.
.build/peers/.installed: pyproject.toml uv.lock .venv/.installed
	@echo "installing the peers to compare with"
	UV_PROJECT_ENVIRONMENT=.build/peers $(UV) sync --python .venv/bin/python --frozen --quiet --no-default-groups --group peers --group plots --no-install-workspace
	touch $@

.PHONY: bench
bench: bench-http bench-cold plots ## Every benchmark, and the plots in docs/

.PHONY: bench-http
bench-http: .venv/.installed .build/peers/.installed ## A warm request: ours against the peers and the limits
	python -m tests.benchmarks.http $(ARGS)

.PHONY: bench-cold
bench-cold: .venv/.installed .build/peers/.installed ## A cold start: the built bundle against a stock deploy
	python -m tests.benchmarks.cold $(ARGS)

.PHONY: bench-feed
bench-feed: .venv/.installed ## Every endpoint on a feed of many posts, against its budget: POSTS=1_000_000
	python -m tests.benchmarks.feed --posts $(or $(POSTS),1_000_000) $(ARGS)

.PHONY: bench-db
bench-db: .venv/.installed ## What a request pays for its connection, and whether a statement pins it
	python -m tests.benchmarks.database $(ARGS)

.PHONY: bench-storm
bench-storm: .venv/.installed ## A thousand environments at once against a hundred connections
	python -m tests.benchmarks.database.storm $(ARGS)

.PHONY: chaos-db
chaos-db: .venv/.installed ## Crash, freeze, cut and fill the database fifty times, and count every effect
	python -m tests.chaos.database $(ARGS)

.PHONY: bench-console
bench-console: install serverless-django/node_modules/.installed ## What a line per invocation and an open console cost the running system
	python -m tests.benchmarks.console

.PHONY: pictures
pictures: install serverless-django/node_modules/.installed ## Draw the architecture and photograph the console of the running system, into docs/pictures/
	python -m tests.pictures

.PHONY: bench-uploads
bench-uploads: .venv/.installed .build/peers/.installed ## Photos into renditions, against Pillow and libvips; the memory of hostile files
	python -m tests.benchmarks.uploads $(ARGS)

.PHONY: chaos-uploads
chaos-uploads: install ## A thousand uploads with events lost, repeated and workers killed: N=1000 SEED=1
	python -m tests.chaos.uploads --uploads $(or $(N),1000) --seed $(or $(SEED),1) $(ARGS)

.PHONY: bench-gc
bench-gc: .venv/.installed .build/peers/.installed ## What garbage collection costs a request, by policy
	python -m tests.benchmarks.collection

.PHONY: plots
plots: .build/peers/.installed ## Draw the last benchmarks into docs/performance/
	.build/peers/bin/python -m tests.benchmarks.plots

.PHONY: conformance
conformance: .venv/.installed .build/peers/.installed ## Every odd event through ours and the peers; writes docs/conformance.md
	python -m tests.conformance

.PHONY: fuzz
fuzz: .venv/.installed ## 100,000 broken events, and 15,000 requests compared with uvicorn
	python -m tests.conformance.fuzz

.PHONY: record-calls
record-calls: install ## Record which calls of AWS the functions make: what the policies are held to
	python -m tests.privileges

.PHONY: test-deploy
test-deploy: install serverless-django/node_modules/.installed ## Deploy, update, fail a migration, roll back and destroy on the laptop, under requests
	python -m tests.deploy $(ARGS)

.PHONY: test-security
test-security: install serverless-django/node_modules/.installed ## Forged tokens, bad input, everybody's rights, and 10,000 requests of Schemathesis
	python -m tests.security $(ARGS)

.PHONY: audit
audit: install ## Known vulnerabilities, hashes, bandit, and a bill of materials of the bundle
	python -m tests.security.audit

.PHONY: house
house: .venv/.installed ## Sizes and shape of the code: what a project owns, circles, the lengths of functions
	python -m tests.house

.PHONY: synth
synth: install ## Write the templates of one stage to cdk.out: make synth STAGE=prod
	serverless-django synth --stage $(STAGE)

.PHONY: synth-all
synth-all: install ## Every stage through the CDK and every linter: what it is made of, and its wildcards
	@python -m tests.infrastructure.survey

.PHONY: cost
cost: install ## What one stage costs a month while nobody calls it, by line: make cost STAGE=prod
	@serverless-django cost --stage $(STAGE)

.PHONY: deploy
deploy: install ## Deploy one stage to AWS: make deploy STAGE=dev
	serverless-django deploy --stage $(STAGE) $(ARGS)
