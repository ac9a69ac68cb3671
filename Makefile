# Throughline. `make` prints the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := $(sort $(patsubst %/pyproject.toml,%,$(wildcard proto/pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml)))
MANIFESTS := requirements.lock $(addsuffix /pyproject.toml,$(PACKAGES)) proto/setup.py $(shell find proto/rcm -name '*.proto')
UV := $(BIN)/uv --system-certs --quiet --no-progress

.DEFAULT_GOAL := help
.PHONY: help env demo up test chaos lint format bench bench-x12 bench-fhir bench-hl7v2 bench-engine bench-tracing bench-console bench-capacity images lock clean

help: ## print this
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

env: $(STAMP) ## make the environment in .venv (the other targets do it by themselves)

# uv comes from the lock file with its hash like everything else; it installs the rest in parallel.
$(STAMP): $(MANIFESTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Throughline needs Python 3.11 or newer: make PYTHON=python3.12 demo"; exit 1; }
	@echo "setting up $(VENV) (about a minute the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/^[^ ]/p' requirements.lock | sed '$$d' > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	@$(UV) pip sync --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation $(addprefix -e ./,$(PACKAGES))
	@touch $@

demo: env ## run the whole line once on this machine and print what became of every encounter
	@$(BIN)/throughline demo $(DEMO)

up: env ## start everything and stay up; prints the addresses
	@$(BIN)/throughline up

test: env ## the whole suite, with real Postgres and NATS
	@$(BIN)/python -m pytest $(TESTS)

chaos: env ## only the tests that kill services, NATS and Postgres while the line runs
	@$(BIN)/python -m pytest tests/chaos

lint: env ## ruff, mypy, import contracts, sizes of functions and files, lock file
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy libs services
	@$(BIN)/lint-imports
	@$(BIN)/python tools/check_sizes.py
	@$(BIN)/python tools/check_lock.py
	@$(BIN)/python tools/write_line_page.py --check
	@$(BIN)/python tools/write_manifests.py --check

format: env ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: env ## encounters per second from FHIR POST to 837 handed over, and the latency at half load
	@$(BIN)/python tests/bench/line.py $(BENCH)

bench-x12: env ## speed and memory of libs/x12 beside its peers
	@$(BIN)/python tests/bench/x12.py $(BENCH)

bench-fhir: env ## speed of libs/fhir_r4 beside fhir.resources
	@$(BIN)/python tests/bench/fhir_peers.py $(BENCH)

bench-engine: env ## the engine's doors: MLLP with durable acknowledgement, FHIR reads, transactions
	@$(BIN)/python tests/bench/engine.py $(BENCH)

bench-tracing: env ## what tracing at 100 % costs: the line with it and without it, side by side
	@$(BIN)/python tests/bench/tracing.py $(BENCH)

bench-console: env ## every page of the console with 100,000 journeys and a million facts in the database
	@$(BIN)/python tests/bench/console.py $(BENCH)

bench-capacity: env ## encounters per second that one processor carries in each service, as a table
	@$(BIN)/python tests/bench/capacity.py $(BENCH)

bench-hl7v2: env ## speed and memory of libs/hl7v2 beside its peers
	@$(BIN)/python tests/bench/hl7v2_peers.py $(BENCH)

IMAGES := cli coding eligibility prior-auth charge-capture claims-gateway remittance journey interface-engine simulator
TAG ?= 0.1.0
images: ## build the container image of every service (TAG=0.1.0); needs Docker
	@set -e; for one in $(IMAGES); do \
	  echo "throughline/$$one:$(TAG)"; \
	  docker build -q -f deploy/Dockerfile --build-arg SERVICE=$$one --build-arg VERSION=$(TAG) \
	    --build-arg REVISION=$$(git rev-parse HEAD) -t throughline/$$one:$(TAG) . > /dev/null; \
	done

lock: env ## resolve requirements.in again into requirements.lock
	@$(UV) pip compile --no-header --universal --python-version 3.11 --generate-hashes --no-emit-index-url requirements.in -o requirements.lock

clean: ## remove the environment and caches
	@rm -rf $(VENV) .run .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name '__pycache__' -prune -exec rm -rf {} + ; find proto \( -name '*_pb2*.py' -o -name '*_pb2*.pyi' \) -delete
