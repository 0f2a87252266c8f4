# Every task of the project by name; each is a script in scripts/ that can be run by itself.

.PHONY: help run demo test bench bench-peers lint setup completions asan tsan fuzz simulate soak mutants
.DEFAULT_GOAL := help

ARGS ?=

help:  ## list the tasks
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run:  ## build a release and run a node; ARGS="-m 1024 -vv" passes options
	swift build -c release --product kiln
	.build/release/kiln serve $(ARGS)

demo:  ## a short tour: start a node, store, read, look at it, stop it
	scripts/demo

test:  ## lint, build, every test; ends with "N passed, N failed"
	scripts/test

bench:  ## measure beside memcached
	scripts/bench $(ARGS)

bench-peers:  ## measure Kiln, memcached and Redis side by side; writes Benchmarks/Results
	scripts/bench-peers $(ARGS)

lint:  ## the style checks alone
	scripts/lint

setup:  ## install what the tests need: Debian packages and a Python environment in .venv
	scripts/setup

completions:  ## write the shells' completion scripts to dist/completions
	scripts/completions

asan:  ## the Swift tests under the address sanitizer
	scripts/sanitize address

tsan:  ## the Swift tests under the thread sanitizer
	scripts/sanitize thread

fuzz:  ## libFuzzer over the request parser; FUZZ_SECONDS=60 sets how long
	scripts/fuzz

simulate:  ## a few hundred seeds of each simulated cluster; ARGS="--seeds 1-2000" for more
	scripts/simulate $(ARGS)

soak:  ## 10,000 seeds of each simulated cluster and all planted bugs: for a night
	scripts/soak

mutants:  ## plant bugs in copies of the pure rooms; the simulator must find each
	scripts/mutants $(ARGS)
