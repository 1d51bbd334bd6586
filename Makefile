# One word a job. `make` alone lists them. Everything below installs what it needs first (`deps`).
.DEFAULT_GOAL := help
SHELL := /bin/bash
JOBS ?= $(shell nproc)
RELEASE := build/release
TARGETS := slipway
.PHONY: help deps build test test-libvirt test-openstack lint tidy format asan tsan fuzz sim sim-plants crash power-loss disk-faults scale clients bench golden demo run clean

help: ## list the words
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

deps: ## install the Debian packages that the build and the tests need
	@scripts/install_deps.sh

build: deps ## build/release/slipway
	@cmake --preset release > /dev/null && cmake --build --preset release -j $(JOBS) --target $(TARGETS)

test: deps ## all tests, with address and undefined-behaviour sanitizers
	@scripts/test.sh asan

asan: test

tsan: deps ## all tests, with the thread sanitizer
	@scripts/test.sh tsan

fuzz: deps ## bytes from nowhere at what reads them: make fuzz SECONDS=60 ONLY="sql http"
	@scripts/fuzz.sh $(or $(SECONDS),60) $(ONLY)

lint: deps ## formatting and deployment files
	@scripts/lint.sh

tidy: deps ## clang-tidy over all sources
	@scripts/tidy.sh

format: ## lay out all sources
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format -i

sim sim-plants: TARGETS := sim
sim: build ## the deterministic simulator: make sim SEEDS=500
	@$(RELEASE)/sim --seeds $(or $(SEEDS),500) --jobs $(JOBS)

sim-plants: build ## show that the simulator sees each planted bug
	@$(RELEASE)/sim --plants --jobs $(JOBS)

crash: build ## kill server and workers at random points: make crash CYCLES=200
	@scripts/crash.sh $(or $(CYCLES),200)

power-loss: TARGETS := slipway forgetful_fs
power-loss: build ## cut the power at random points, on a disk that forgets: make power-loss CYCLES=50
	@scripts/power_loss.sh $(or $(CYCLES),50)

disk-faults: TARGETS := slipway forgetful_fs
disk-faults: build ## let each write and sync fail once, on the same disk: make disk-faults CYCLES=60
	@python3 tests/crash/disk_faults.py $(or $(CYCLES),60)
	@python3 tests/crash/disk_faults.py 10 --control sync

scale: build ## four workers against one, with workers killed and drained on the way
	@scripts/scale.sh

bench: ## the figures of docs/BENCHMARKS.md: make bench QUICK=1, make bench ARGS="--only accepts"
	@scripts/bench.sh $(if $(QUICK),--quick) $(ARGS)

clients: $(if $(SLIPWAY),deps,build) ## outside clients against the service: make clients QUICK=1 SLIPWAY=build/asan/slipway
	@SLIPWAY=$(abspath $(or $(SLIPWAY),$(RELEASE)/slipway)) scripts/clients.sh $(if $(QUICK),--quick)

test-openstack: deps ## OpenStack on a real control plane, if the test bed is beside this project; JOBS_TOO=1: the long jobs too
	@scripts/test_openstack.sh $(ARGS)

test-libvirt: deps ## libvirt on two real cells, where the test bed is there: make test-libvirt ARGS="--gtest_filter=..."
	@scripts/test_libvirt.sh $(ARGS)

golden: deps ## rewrite the golden files; review the diff
	@SLIPWAY_REWRITE_GOLDEN=1 scripts/test.sh asan

demo: build ## start the service, create a VM by the specification's curl, show what it did
	@scripts/demo.sh

run: build ## the same set-up, left running in the foreground with sample requests on the screen
	@scripts/run.sh

clean: ## remove build/
	@rm -rf build
