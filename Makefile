# `make up` and `make test` are all one needs; `make help` lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
WIRECLOAK := ./bin/wirecloak

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## npm packages and Node.js 24 (everything else does this first)
	@./bin/setup

.PHONY: up
up: setup ## an encrypted cluster and its proof  [STACK=dev|rehearsal|eks|...] [REPLACE=1] [YES=1]
	@$(WIRECLOAK) up $(if $(STACK),--stack $(STACK)) $(if $(REPLACE),--replace) $(if $(YES),--yes)

.PHONY: down
down: setup ## remove the cluster and everything made for it  [STACK=...]
	@$(WIRECLOAK) down $(if $(STACK),--stack $(STACK))

.PHONY: status
status: setup ## what the cluster says of itself now  [STACK=...]
	@$(WIRECLOAK) status $(if $(STACK),--stack $(STACK))

.PHONY: rotate
rotate: setup ## the next IPsec key, in the stack's config file and in the cluster  [STACK=...] [WAIT=1]
	@$(WIRECLOAK) rotate $(if $(STACK),--stack $(STACK)) $(if $(WAIT),--wait)

.PHONY: doctor
doctor: setup ## what this machine lacks for the stack's settings  [STACK=...]
	@$(WIRECLOAK) doctor $(if $(STACK),--stack $(STACK))

.PHONY: tools
tools: setup ## the pinned command-line tools: where each comes from, and why
	@node tools/main.ts --for all

.PHONY: test
test: ## all tests: unit, engine, wire, browser, policy
	@./bin/setup tests
	@node test/run.ts

.PHONY: conformance
conformance: setup ## the plugins' suites  [PLUGINS=DIR with the official binaries]
	@node test/run.ts conformance

.PHONY: bench
bench: setup ## timings on this machine, as tables
	@node test/bench/run.ts

.PHONY: faults
faults: setup ## faults ordered in rehearsal, and what the prover says of each  [SEED=1] [RUNS=240] [JOBS=2] [KEEP=folder]
	@SEED=$(SEED) RUNS=$(RUNS) JOBS=$(JOBS) KEEP=$(KEEP) node test/faults/run.ts

.PHONY: transitions
transitions: setup ## every change of mode, with and without the guard  [SEED=1] [ROWS=n] [BUDGET=minutes] [JOBS=2] [KEEP=folder]
	@SEED=$(SEED) ROWS=$(ROWS) BUDGET=$(BUDGET) JOBS=$(JOBS) KEEP=$(KEEP) node test/torture/transitions.ts

.PHONY: torture
torture: setup ## rotations in a row, faults in the middle of changes, and the transitions  [SEED=1] [BUDGET=minutes] [JOBS=2] [KEEP=folder]
	@SEED=$(SEED) BUDGET=$(BUDGET) JOBS=$(JOBS) INJECTIONS=$(INJECTIONS) KEEP=$(KEEP) node test/torture/torture.ts

.PHONY: corpus
corpus: setup ## what the policy pack says of each labelled fixture
	@node policies/corpus/main.ts

.PHONY: firewall
firewall: setup ## what the guard does with every packet of the corpus, as nftables and as security groups
	@node test/firewall/main.ts

.PHONY: example
example: setup ## run an example in a stack of its own and remove it  [NAME=...] [PROVIDER=kind|rehearsal]
	@$(WIRECLOAK) example $(NAME) $(if $(PROVIDER),--provider $(PROVIDER))

.PHONY: check
check: setup ## type check and lint, of the clouds too whose SDK is there
	@npm run --silent check

.PHONY: format
format: setup ## format the sources
	@biome check --write .
