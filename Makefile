# The usual entry points. Each makes sure first that the packages are there; builds take turns through build/.lock.
.DEFAULT_GOAL := build
.PHONY: build run cluster test tsan torture bench lint lint-all format clean bootstrap

build: bootstrap
	@scripts/build release agent-lightning
	@echo "build/release/agent-lightning"

run: build
	build/release/agent-lightning serve

cluster: build
	@scripts/cluster

test: bootstrap
	@scripts/test debug release

tsan: bootstrap
	@scripts/test tsan

torture: bootstrap
	@scripts/test torture

bench: bootstrap
	@scripts/bootstrap bench
	@scripts/build release
	@bench/run
	@bench/gateway
	@bench/queue
	@bench/routes
	@bench/websocket
	@build/release/tokens_bench

lint: bootstrap
	@scripts/lint

lint-all: bootstrap
	@scripts/lint --all

format: bootstrap
	@git ls-files --cached --others --exclude-standard -- 'src/*.[ch]pp' 'tests/*.[ch]pp' 'bench/*.[ch]pp' \
		| xargs --no-run-if-empty clang-format-19 -i

clean:
	rm -rf build

bootstrap:
	@scripts/bootstrap
