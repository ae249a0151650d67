# Thin names over scripts and the Swift package manager.
.PHONY: dependencies build test check format bench

SOURCES := Package.swift Sources Tests

dependencies:
	@scripts/dependencies

build: dependencies
	swift build

test: dependencies
	swift build --build-tests -Xswiftc -warnings-as-errors
	swift test --skip-build -Xswiftc -warnings-as-errors

check:
	swift format lint --strict --recursive $(SOURCES)

format:
	swift format --in-place --recursive $(SOURCES)

bench: dependencies
	swift build -c release --product shard-worker
	swift build -c release --product fleet-under-test
	swift build -c release --product throughput
	.build/release/throughput
