# make demo: play the whole story; make test: prove it. Both make .venv by themselves.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test coverage mutation properties races stores fault evidence bench canaries overload lint docs clean help

help: ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

demo: .venv/installed ## play the main job on this machine; leaves demo-output/
	$(BIN)/gateway demo $(ARGS)

test: .venv/installed ## run every test, in parallel
	$(BIN)/python -m pytest -n auto --dist worksteal -q $(ARGS)

coverage: .venv/installed ## every branch of rules and policy, by their own tests: 100 % or it fails
	rm -rf .coverage
	$(BIN)/python -m coverage run -m pytest -n auto --dist worksteal -q tests/rules tests/policy
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

mutation: .venv/installed ## plant every small fault in the rules; each survivor must be explained
	$(BIN)/python -m tests.mutation $(ARGS)

properties: .venv/installed ## a million generated bills, settled a second time by plain integers
	$(BIN)/python -m tests.oracle.compare $(or $(BILLS),1000000)

races: .venv/installed ## 10,000 raced pairs of a message and its reversal on each store, and every other race
	GATEWAY_WHOLE_RACES=1 $(BIN)/python -m pytest -n auto --dist worksteal -q tests/flows/test_raced_pairs.py tests/flows/test_races.py

stores: .venv/installed ## every test of store, flows, evidence and delivery on both stores
	GATEWAY_WHOLE_STORES=1 $(BIN)/python -m pytest -n auto --dist worksteal -q tests/store tests/flows tests/evidence tests/delivery

fault: .venv/installed ## PART=kill|syscall|power|race|sim: faults put in; goes on where the last call ended
	$(BIN)/python -m $(if $(filter sim,$(PART)),tests.simulation,tests.fault $(PART)) $(ARGS)

evidence: .venv/installed ## verify a million log entries, find a thousand changed bytes
	$(BIN)/python -m tests.evidence.measure $(ARGS)

bench: .venv/installed ## measure; every part writes its figures, and bench.json comes of all of one code
	$(BIN)/python -m tests.bench $(ARGS)

canaries: .venv/installed ## settle 1,000 people's bills on each store; then nobody is found in any file
	$(BIN)/python -m tests.security.canaries $(ARGS)

overload: .venv/installed ## send five times more than is answered; prints what is left of capacity
	$(BIN)/python -m tests.bench.overload $(ARGS)

lint: .venv/installed ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/installed ## render schemas, wire reference, error catalogue from the code
	$(BIN)/python -m adapters.shape.publish
	$(BIN)/python -m gateway.verbs.render_docs
	$(BIN)/python -m tests.figures

clean: ## remove what was made
	rm -rf .venv demo-output .coverage .mutation .fault .pytest_cache .mypy_cache .ruff_cache
