# Mixlake. `make` lists what can be made. Needs GNU make, Rust and Python 3.11 or newer; the rest is set up here.

SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .local/venv/bin
TARGET := $(or $(CARGO_TARGET_DIR),target)

# Processor of the Lambda functions: x86_64 or arm64. Its Rust target must be there:
# rustup target add aarch64-unknown-linux-gnu (or x86_64-unknown-linux-gnu)
ARCH ?= $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
RUST_TARGET := $(if $(filter arm64,$(ARCH)),aarch64,x86_64)-unknown-linux-gnu
HOST_TARGET = $(shell rustc -vV | sed -n 's/^host: //p')

# The C library of provided.al2023. zig links against its symbols, whatever this machine has: with the
# machine's own linker, a function that was built on a newer Linux would fail at each start in AWS.
GLIBC := 2.34

.PHONY: help
help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Makes .local/venv with the pinned Python packages; does nothing when it is up to date
	@$(PYTHON) local/setup_venv.py

.PHONY: build
build: ## Builds the release zip files of both functions for AWS (ARCH=x86_64 or arm64)
	@$(PYTHON) local/setup_venv.py requirements-package.txt
	PATH="$(CURDIR)/$(VENV):$$PATH" cargo-lambda lambda build --release --locked --output-format zip \
		--compiler cargo-zigbuild --target $(RUST_TARGET).$(GLIBC) --skip-target-check \
		--lambda-dir target/lambda -p mixlake-export-lambda -p mixlake-catalog-lambda
	@$(VENV)/python -m local.samconfig $(ARCH)
	@$(VENV)/python -m local.check_zip $(ARCH)

.PHONY: check
check: check-rust check-template check-python check-spelling ## Checks format, lints, documentation, template, Python and spelling

.PHONY: check-rust
check-rust:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	$(PYTHON) local/licences.py
	@# The fuzzer has a lock file of its own, which a new dependency of a crate leaves behind.
	cargo metadata --locked --format-version 1 --manifest-path tests/fuzz/Cargo.toml >/dev/null

.PHONY: check-template
check-template: setup
	$(VENV)/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(VENV)/sam validate --lint --template template.yaml

.PHONY: check-python
check-python: setup
	$(VENV)/ruff check --config local/ruff.toml local tests/e2e tests/engines
	$(VENV)/ruff format --check --config local/ruff.toml local tests/e2e tests/engines

.PHONY: check-spelling
check-spelling: setup
	$(VENV)/typos

.PHONY: test
test: test-rust test-e2e ## Runs every test: the crates' own, then end to end on local stand-ins

.PHONY: test-rust
test-rust: ## Runs the crates' tests only
	cargo test --workspace --locked

.PHONY: test-e2e
test-e2e: SCOPE := --all-targets
test-e2e: binaries setup ## Runs the end-to-end tests only
	$(VENV)/python -m pytest tests/e2e

# Before anything is built: who has no Java is told so at once.
.PHONY: engines-needs
engines-needs:
	@$(PYTHON) local/setup_venv.py --venv engines/venv requirements-engines.txt
	@.local/engines/venv/bin/python -m local.engines.needs

.PHONY: engines
engines: engines-needs binaries ## Reads the tables with Trino, Spark, DuckDB and DataFusion (needs Java 17 and 24 or newer)
	.local/engines/venv/bin/python -m pytest tests/engines

# Tests need more features of some packages than the binaries do. Where tests were built before,
# building everything once more with the same features finds the binaries ready.
SCOPE ?= --bins

.PHONY: binaries
binaries:
	@cargo build --workspace $(SCOPE) --locked

# The instrumentation of a fuzzer, as cargo-fuzz sets it, with what the stable compiler has.
FUZZ_FLAGS := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing

.PHONY: fuzz
fuzz: ## Feeds the transformation what a fuzzer makes up: MINUTES=10 (needs a C++ compiler)
	@mkdir -p .local/fuzz/corpus
	@RUSTFLAGS="$(FUZZ_FLAGS)" cargo build --release --locked --manifest-path tests/fuzz/Cargo.toml \
		--target $(HOST_TARGET) --target-dir $(TARGET)/fuzz
	$(TARGET)/fuzz/$(HOST_TARGET)/release/mixlake-fuzz -max_total_time=$$(( $(or $(MINUTES),10) * 60 )) \
		-dict=tests/fuzz/tokens.dict -artifact_prefix=.local/fuzz/ -print_final_stats=1 -max_len=4096 \
		.local/fuzz/corpus tests/fuzz/corpus

.PHONY: bench
bench: ## Times the stages of the transformation, compressions, pages and many tables: ROWS=300000 ROUNDS=3 NAMES=1000
	@cargo build --release --locked -p mixlake-bench
	@$(TARGET)/release/mixlake-bench stages --rows $(or $(ROWS),300000) --rounds $(or $(ROUNDS),3)
	@echo
	@$(TARGET)/release/mixlake-bench pages --rows $(or $(ROWS),100000) --rounds $(or $(ROUNDS),5)
	@$(TARGET)/release/mixlake-bench pages --rows $(or $(ROWS),100000) --rounds $(or $(ROUNDS),5) --properties 4408
	@echo
	@$(TARGET)/release/mixlake-bench tables --names $(or $(NAMES),1000) .local/bench

.PHONY: bench-peers
bench-peers: ## Measures Mixlake beside other tools: ROWS=300000 ROUNDS=3 THREADS=1 SYSTEMS=name,name
	@$(PYTHON) -m local.peers.environment
	@cargo build --release --locked -p mixlake-bench -p mixlake-export-lambda -p mixlake-catalog-lambda
	@.local/peers/bin/python -m local.peers

.PHONY: demo
demo: setup binaries ## Shows the whole way of an event on this machine; leaves files in .local/demo and no process
	@$(VENV)/python -m local demo

.PHONY: demo-query
demo-query: setup ## Asks the demo's tables again: make demo-query SQL="SELECT ..."
	@$(VENV)/python -m local query "$$SQL"

.PHONY: demo-up
demo-up: setup ## Keeps the demo's AWS running for other tools until Ctrl-C
	@$(VENV)/python -m local up

.PHONY: demo-stop
demo-stop: setup ## Ends the demo's stand-ins if some terminal still runs them
	@$(VENV)/python -m local stop

.PHONY: docs
docs: ## Writes docs/SETTINGS.md from the table of settings in crates/runtime
	cargo run --quiet --locked --bin mixlake -- settings > docs/SETTINGS.md

.PHONY: clean
clean: ## Removes what was built and .local, the demo's lake included
	cargo clean
	rm -rf .local

# A query has quotes and commas of its own: it travels as a variable, not as shell text.
export SQL
