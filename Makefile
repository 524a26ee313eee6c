# Everything one types in this checkout; `make help` lists it. Needs git, make (3.81 will do) and Python 3.11 or newer:
# the rest, Node included, is installed into .venv from the locks.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed-$(shell { pwd; cat requirements.txt pyproject.toml; } | cksum | cut -d ' ' -f 1)

# Tests, demo and synth never see the developer's own AWS: no credentials, profile, region or endpoint, and no proxy
# between them and this machine.
FOREIGN := $(filter AWS_% CDK_% PYTHONPATH PYTHONWARNINGS PYTEST_ADDOPTS,$(.VARIABLES))
HERMETIC := env $(foreach name,$(FOREIGN),-u $(name)) AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null \
	AWS_EC2_METADATA_DISABLED=true NO_PROXY="localhost,127.0.0.1,::1$${NO_PROXY:+,$$NO_PROXY}" \
	no_proxy="localhost,127.0.0.1,::1$${no_proxy:+,$$no_proxy}"
NODE := $(CURDIR)/$(BIN)
CDK := PATH="$(NODE):$$PATH" CDK_DISABLE_VERSION_CHECK=1 CDK_DISABLE_CLI_TELEMETRY=true node_modules/.bin/cdk
PYTEST := $(HERMETIC) $(BIN)/python -m pytest -q
UNIT := $(foreach folder,e2e sandbox stacks,--ignore=tests/$(folder))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint unit deployed e2e synth deploy bench faults replay load docs lock clean install wheels missing-interpreter

help: ## This list.
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: install ## Play the whole story on this machine, no AWS account needed; ARGS="--yes" approves by itself.
	@$(HERMETIC) $(BIN)/firebreak demo $(ARGS)

test: lint ## Everything that must hold: lint, types, import contracts, all tests.
	$(PYTEST) -n auto --dist loadfile $(ARGS)

lint: install ## Lint, format and types.
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

unit: install ## The quick tests: all that need no synthesized application; ARGS="-k word" chooses.
	$(PYTEST) -n auto --dist loadfile $(UNIT) $(ARGS)

deployed: install ## The quick tests on Python 3.13 as deployed, in a Debian root of its own; needs Linux and root.
	@scripts/deployed.sh $(UNIT) --ignore=tests/architecture $(ARGS)

e2e: install ## The end-to-end tests, against the synthesized application in the sandbox.
	$(PYTEST) -n auto --dist loadfile tests/e2e $(ARGS)

synth: wheels node_modules ## Synthesize the stacks into cdk.out, CDK's validation and cdk-nag on.
	$(HERMETIC) $(CDK) synth --quiet $(ARGS)

deploy: wheels node_modules ## Deploy to the account of your AWS credentials, with the pinned CDK CLI.
	$(CDK) deploy --all $(ARGS)

bench: install ## The benchmarks; writes docs/benchmarks.md.
	$(HERMETIC) $(BIN)/python -m benchmarks $(ARGS)

faults: install ## Break the pipeline at every call, in every way; writes docs/reliability.md.
	$(HERMETIC) $(BIN)/python -m reliability $(ARGS)

replay: install ## Play one fault plan again, as a failing run has printed it: PLAN='{…}'.
	@$(HERMETIC) $(BIN)/python -m reliability --replay '$(PLAN)'

load: install ## Put load on the pipeline: threads, a storm of 100,000 alerts, poison, dead letters, a replayed archive.
	$(HERMETIC) $(BIN)/python -m reliability.load $(ARGS)

docs: install ## Write the generated pages anew.
	$(HERMETIC) $(BIN)/python -m docs.generate

lock: ## Lock the packages anew; UPGRADE=--upgrade takes the newest that requirements.in allows.
	@scripts/lock.sh $(UPGRADE)

clean: ## Remove all that was installed or built here.
	rm -rf $(VENV) .build cdk.out node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

install: $(INSTALLED)

wheels: install
	$(BIN)/python -m stacks.asset

$(INSTALLED): $(shell test -x $(BIN)/python || echo missing-interpreter)
	@scripts/install.sh
	@rm -f $(VENV)/installed-*
	@touch $@

node_modules: $(INSTALLED) package-lock.json
	PATH="$(NODE):$$PATH" npm ci --no-fund --no-audit
	@touch $@
