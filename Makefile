# Every target makes what it needs, keeps it, and does not make it twice.
# Made here: .venv (Python packages), build (objects, caches), out (what the commands write).

PYTHON ?= python3
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)
TEXT   ?= Periodic data with a period of 64 steps, values range from -5 to 5, upward trend, no anomaly
TORCH  ?= torch==2.13.0
# Pi 3 and Zero 2 W, Pi 4, Pi 5, and a server with i8mm; qemu's SME is not to be trusted.
ARM_CPUS ?= cortex-a53 cortex-a72 cortex-a76 max,sme=off
# Pi 2, and a CPU without the fused multiply-add.
ARMV7_CPUS ?= cortex-a7 cortex-a8

BIN    := .venv/bin
STAMPS := .venv/stamps
WITH   := PATH="$(CURDIR)/$(BIN):$$PATH"
PIP    := $(WITH) python -m pip install -qq --disable-pip-version-check --no-warn-conflicts \
          --constraint requirements/constraints.txt

files    = $(shell find $(wildcard $(1)) -type f -not -path '*/__pycache__/*' 2>/dev/null)
DEVICE  := $(call files,CMakeLists.txt pyproject.toml cpp/include cpp/src cpp/bindings cmake firmware_profiles python)
EXPORT  := $(call files,export)
CLOUD   := $(call files,cloud)
CPP     := $(call files,cpp tests/cpp)
TIDY    := $(filter-out cpp/src/cpu/%,$(filter cpp/src/%.cpp,$(CPP)))
PY_DIRS := $(wildcard python export cloud tests tools benchmarks examples)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help sample cloud test test-cpp test-c test-sanitizers test-aarch64 test-armv7 test-python \
        wheels try-arm try-sdist lint lint-python lint-cpp lint-tree docs format clean distclean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

sample: $(STAMPS)/device ## Install the device package and generate 20 series: out/sample.csv, out/sample.png.
	@mkdir -p out
	$(BIN)/geng-edge sample --text "$(TEXT)" -n 20 --seed 0 --out out/sample.csv --plot out/sample.png

cloud: $(STAMPS)/device $(STAMPS)/cloud ## A broker, a Cog-LLM worker and a gateway on this machine, until Ctrl-C.
	@$(WITH) python tools/cloud.py

test: test-cpp test-c test-sanitizers test-aarch64 test-armv7 test-python ## Build and test everything; the last line is pytest's.

# --- environment -------------------------------------------------------------------------------

$(STAMPS)/venv: tools/check_needs.sh requirements/build.txt requirements/constraints.txt
	@tools/check_needs.sh "$(PYTHON)"
	@echo "== .venv: build tools"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) -r requirements/build.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/device: $(STAMPS)/venv $(DEVICE)
	@echo "== .venv: geng-edge (compiles the core)"
	@$(PIP) --no-build-isolation -Cbuild-dir=build/wheel '.[text,plot,mqtt,cbor]'
	@touch $@

# torch comes first and alone: resolved together with the rest, pip may choose another build of it.
$(STAMPS)/torch: $(STAMPS)/venv
	@echo "== .venv: $(TORCH)"
	@$(PIP) '$(TORCH)'
	@touch $@

$(STAMPS)/export: $(STAMPS)/device $(STAMPS)/torch $(EXPORT)
	@echo "== .venv: geng-export"
	@$(PIP) ./export
	@touch $@

$(STAMPS)/cloud: $(STAMPS)/device $(STAMPS)/torch $(CLOUD)
	@echo "== .venv: geng-cog"
	@$(PIP) './cloud[mqtt,plot]'
	@touch $@

$(STAMPS)/test: $(STAMPS)/venv requirements/test.txt
	@$(PIP) -r requirements/test.txt
	@touch $@

$(STAMPS)/wheels: $(STAMPS)/venv requirements/wheels.txt
	@echo "== .venv: what makes wheels"
	@$(PIP) -r requirements/wheels.txt
	@touch $@

$(STAMPS)/lint: $(STAMPS)/venv requirements/lint.txt
	@echo "== .venv: formatters and linters"
	@$(PIP) -r requirements/lint.txt
	@touch $@

$(STAMPS)/docs: $(STAMPS)/venv requirements/docs.txt
	@echo "== .venv: the documentation site's generator"
	@$(PIP) -r requirements/docs.txt
	@touch $@

# --- tests -------------------------------------------------------------------------------------

configure = test -f build/$(1)/build.ninja || $(WITH) cmake --log-level=WARNING --preset $(1) >/dev/null
build     = $(WITH) cmake --build --preset $(1) -j $(JOBS) -- --quiet
ctest     = env $(WITH) ctest --preset $(1) --no-tests=error --output-on-failure -j $(JOBS)

test-cpp: $(STAMPS)/venv ## Build and run the C++ tests.
	@echo "== C++ tests"
	@$(call configure,dev)
	@$(call build,dev)
	@$(call ctest,dev)

test-c: test-cpp $(STAMPS)/device ## Install the library, build the C example against it and compare with Python.
	@echo "== C example"
	@$(WITH) tools/check_c_example.sh build/dev $(BIN)/python

test-sanitizers: $(STAMPS)/venv ## The same under the address and undefined behaviour sanitizers.
	@echo "== C++ tests, address and undefined behaviour sanitizers"
	@$(call configure,asan)
	@$(call build,asan)
	@$(call ctest,asan)

test-aarch64: $(STAMPS)/venv ## The same for 64-bit Arm under qemu, where both are installed.
	@if command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64-static >/dev/null; then \
	  echo "== C++ tests, aarch64 under qemu" && \
	  { $(call configure,aarch64); } && $(call build,aarch64) && \
	  for cpu in $(ARM_CPUS); do echo "-- $$cpu"; QEMU_CPU=$$cpu $(call ctest,aarch64) || exit 1; done; \
	else \
	  echo "== C++ tests, aarch64: skipped, needs the packages g++-aarch64-linux-gnu and qemu-user-static"; \
	fi

test-armv7: $(STAMPS)/venv ## The same for 32-bit Arm under qemu, where both are installed.
	@if command -v arm-linux-gnueabihf-g++ >/dev/null && command -v qemu-arm-static >/dev/null; then \
	  echo "== C++ tests, armv7 under qemu" && \
	  { $(call configure,armv7); } && $(call build,armv7) && \
	  for cpu in $(ARMV7_CPUS); do echo "-- $$cpu"; QEMU_CPU=$$cpu $(call ctest,armv7) || exit 1; done; \
	else \
	  echo "== C++ tests, armv7: skipped, needs the packages g++-arm-linux-gnueabihf and qemu-user-static"; \
	fi

test-python: $(STAMPS)/device $(STAMPS)/export $(STAMPS)/cloud $(STAMPS)/test ## Install the three packages and run pytest.
	@echo "== Python tests"
	@$(BIN)/pytest

# --- what is released --------------------------------------------------------------------------

wheels: $(STAMPS)/wheels ## Wheels of every platform for each Python here, the model's, the sdist: out/wheels.
	@$(WITH) python tools/wheels/make.py --to out/wheels

try-arm: $(STAMPS)/wheels $(STAMPS)/device ## Make the Arm wheels, one of them twice, and use them on emulated boards.
	@echo "== wheels"
	@$(WITH) python tools/wheels/make.py sdist model aarch64 --pythons 3.11 --twice --to out/wheels
	@$(WITH) python tools/wheels/make.py armv7l --pythons 3.11 --to out/wheels
	@echo "== wheels on emulated boards"
	@$(WITH) python tools/wheels/try_arm.py out/wheels

try-sdist: $(STAMPS)/wheels $(STAMPS)/device ## Install the sdist with the distribution's compiler and no network.
	@echo "== sdist"
	@$(WITH) python tools/wheels/make.py sdist --to out/wheels
	@$(WITH) tools/wheels/try_sdist.sh out/wheels/geng_edge-*.tar.gz $(BIN)/python

# --- lint --------------------------------------------------------------------------------------

lint: lint-tree lint-python lint-cpp ## Formatting, types, import rules, clang-tidy, kernel symbols.

lint-tree: $(STAMPS)/venv ## Include rules of the C++ folders and sizes of files.
	@$(BIN)/python tools/check_tree.py

lint-python: $(STAMPS)/lint $(STAMPS)/export ## ruff, mypy --strict, import-linter.
	@echo "== ruff, mypy, import-linter"
	@$(BIN)/ruff check --quiet $(PY_DIRS)
	@$(BIN)/ruff format --quiet --check $(PY_DIRS)
	@$(BIN)/mypy --no-error-summary
	@$(WITH) stubtest geng_edge._core --concise --mypy-config-file mypy.ini --allowlist tools/stubtest_allowed.txt >build/stubtest.txt || { cat build/stubtest.txt; exit 1; }
	@PYTHONPATH=python:export:cloud $(BIN)/lint-imports --cache-dir build/importlinter

lint-cpp: $(STAMPS)/lint ## clang-format, clang-tidy, one symbol per kernel object.
	@echo "== clang-format, clang-tidy, kernel symbols"
	@$(BIN)/clang-format --dry-run -Werror $(filter %.h %.cpp %.inl,$(CPP))
	@$(call configure,dev)
	@$(WITH) cmake --build --preset dev -j $(JOBS) --target geng -- --quiet
	@$(WITH) ctest --preset dev --no-tests=error --output-on-failure -R kernel_symbols
	@printf '%s\n' $(TIDY) | xargs -P $(JOBS) -n 1 $(BIN)/clang-tidy --quiet -p build/dev

# --- documentation ---------------------------------------------------------------------------------

# mkdocs forgets its warnings under --quiet, so its log is kept and shown when it fails. The theme
# prints a banner of its own without the variable.
docs: $(STAMPS)/device $(STAMPS)/cloud $(STAMPS)/docs ## Build the documentation site, build/site; a warning is an error.
	@echo "== documentation site"
	@mkdir -p build
	@$(WITH) NO_MKDOCS_2_WARNING=1 mkdocs build --strict >build/docs.txt 2>&1 || { cat build/docs.txt; exit 1; }

format: $(STAMPS)/lint ## Rewrite Python and C++ sources in the house format.
	@$(BIN)/ruff check --quiet --fix-only $(PY_DIRS)
	@$(BIN)/ruff format --quiet $(PY_DIRS)
	@$(BIN)/clang-format -i $(filter %.h %.cpp %.inl,$(CPP))

clean: ## Remove what was built and written; keep .venv.
	rm -rf build out

distclean: clean ## Remove .venv as well.
	rm -rf .venv
