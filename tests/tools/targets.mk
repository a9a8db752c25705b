# Targets of the Makefile.

# `tests` is one package in two folders: the project's are run here, the library's on their own project.
TESTS := PYTHONPATH=$(CURDIR)/serverless-django python -m tests
LIBRARY_TESTS := PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/serverless-django:$(CURDIR)/serverless-django/tests/projects/sample python -m tests

.PHONY: demo
demo: install ## Act as a phone against the running system, and check every figure
	$(TESTS).demo.demo

.PHONY: bench-tasks
bench-tasks: .venv/.installed ## Messages into rows: ours against Powertools' loop, bulk_create and COPY
	$(TESTS).benchmarks.tasks $(ARGS)

.PHONY: chaos-tasks
chaos-tasks: .venv/.installed ## Tasks under kills, crashes and duplicates, ours and two yardsticks: N=100000 SEED=1
	$(LIBRARY_TESTS).chaos.tasks --messages $(or $(N),100000) --seed $(or $(SEED),1) $(ARGS)

.PHONY: load
load: install ## Phones against the running system, at a rate that rises, live: make load ARGS="--rate 50"
	$(TESTS).demo.load $(ARGS)

# The peers live beside the environment of the project: nothing of theirs can slip into it, or into the bundle.
.build/peers/.installed: pyproject.toml uv.lock .venv/.installed
	@echo "installing the peers to compare with"
	UV_PROJECT_ENVIRONMENT=.build/peers $(UV) sync --python .venv/bin/python --frozen --quiet --no-default-groups --group peers --group plots --no-install-workspace
	touch $@

.PHONY: bench
bench: bench-http bench-cold plots ## Every benchmark, and the plots in docs/

.PHONY: bench-http
bench-http: .venv/.installed .build/peers/.installed ## A warm request: ours against the peers and the limits
	$(TESTS).benchmarks.http $(ARGS)

.PHONY: bench-cold
bench-cold: .venv/.installed .build/peers/.installed ## A cold start: the built bundle against a stock deploy
	$(TESTS).benchmarks.cold $(ARGS)

.PHONY: bench-feed
bench-feed: .venv/.installed ## Every endpoint on a feed of many posts, against its budget: POSTS=1_000_000
	$(TESTS).benchmarks.feed --posts $(or $(POSTS),1_000_000) $(ARGS)

.PHONY: bench-db
bench-db: .venv/.installed ## What a request pays for its connection, and whether a statement pins it
	$(TESTS).benchmarks.database $(ARGS)

.PHONY: bench-storm
bench-storm: .venv/.installed ## A thousand environments at once against a hundred connections
	$(TESTS).benchmarks.database.storm $(ARGS)

.PHONY: chaos-db
chaos-db: .venv/.installed ## Crash, freeze, cut and fill the database fifty times, and count every effect
	$(LIBRARY_TESTS).chaos.database $(ARGS)

.PHONY: bench-console
bench-console: install serverless-django/node_modules/.installed ## What a line per invocation and an open console cost the running system
	$(TESTS).benchmarks.console

.PHONY: pictures
pictures: install serverless-django/node_modules/.installed ## Draw the architecture and photograph the console of the running system, into docs/pictures/
	$(TESTS).tools.pictures

.PHONY: bench-uploads
bench-uploads: .venv/.installed .build/peers/.installed ## Photos into renditions, against Pillow and libvips; the memory of hostile files
	$(TESTS).benchmarks.uploads $(ARGS)

.PHONY: chaos-uploads
chaos-uploads: install ## A thousand uploads with events lost, repeated and workers killed: N=1000 SEED=1
	$(TESTS).chaos.uploads --uploads $(or $(N),1000) --seed $(or $(SEED),1) $(ARGS)

.PHONY: bench-gc
bench-gc: .venv/.installed .build/peers/.installed ## What garbage collection costs a request, by policy
	$(TESTS).benchmarks.collection

.PHONY: plots
plots: .build/peers/.installed ## Draw the last benchmarks into docs/performance/
	PYTHONPATH=$(CURDIR)/serverless-django .build/peers/bin/python -m tests.benchmarks.plots

.PHONY: conformance
conformance: .venv/.installed .build/peers/.installed ## Every odd event through ours and the peers; writes docs/conformance.md
	$(LIBRARY_TESTS).conformance

.PHONY: fuzz
fuzz: .venv/.installed ## 100,000 broken events, and 15,000 requests compared with uvicorn
	$(LIBRARY_TESTS).conformance.fuzz

.PHONY: record-calls
record-calls: install ## Record which calls of AWS the functions make: what the policies are held to
	$(TESTS).privileges

.PHONY: test-deploy
test-deploy: install serverless-django/node_modules/.installed ## Deploy, update, fail a migration, roll back and destroy on the laptop, under requests
	$(TESTS).deploy $(ARGS)

.PHONY: test-security
test-security: install serverless-django/node_modules/.installed ## Forged tokens, bad input, the rights of every role, and 10,000 requests of Schemathesis
	$(TESTS).security $(ARGS)

.PHONY: audit
audit: install ## Known vulnerabilities, hashes, bandit, and a bill of materials of the bundle
	$(TESTS).security.audit

.PHONY: test-matrix
test-matrix: install ## The library's suite on each version of Python and Django that it supports
	$(TESTS).tools.matrix

check: house

.PHONY: house
house: .venv/.installed ## Sizes and shape of the code: what a project owns, circles, the lengths of functions
	$(TESTS).tools.house

.PHONY: synth-all
synth-all: install ## Every stage through the CDK and every linter: what it is made of, and its wildcards
	@$(TESTS).infrastructure.survey
