# Thin names over scripts and the Swift package manager.
.PHONY: dependencies build test check format bench measure soak

SOURCES := Package.swift Sources Tests

dependencies:
	@scripts/dependencies

build: dependencies
	swift build

# One after another: most tests wait in C, which holds a thread of the cooperative pool, and on two cores that pool
# has two. In parallel, waiting for a thread would count against a test's time limit.
test: dependencies
	swift build --build-tests -Xswiftc -warnings-as-errors
	swift test --skip-build --no-parallel -Xswiftc -warnings-as-errors

check:
	swift format lint --strict --recursive $(SOURCES)

format:
	swift format --in-place --recursive $(SOURCES)

bench: dependencies
	swift build -c release --product shard-worker
	swift build -c release --product fleet-under-test
	swift build -c release --product throughput
	swift build -c release --product fence-cost
	.build/release/throughput
	.build/release/fence-cost

# What a fleet does while it changes: scaling, deaths, many partitions, long outages, with figures.
measure: dependencies
	swift build --build-tests
	MILLRACE_MEASURE=1 swift test --skip-build --no-parallel --filter 'MeasurementTests|OutageTests'

# Random faults over many seeds: `make soak SEEDS=20`, `make soak SEED=7` for one, `make soak MINUTES=30` for as many
# as begin in that time.
soak: dependencies
	swift build --build-tests
	$(if $(SEEDS)$(SEED)$(MINUTES),,MILLRACE_SEEDS=20) $(if $(SEEDS),MILLRACE_SEEDS=$(SEEDS)) $(if $(SEED),MILLRACE_SEED=$(SEED)) \
		$(if $(MINUTES),MILLRACE_MINUTES=$(MINUTES)) swift test --skip-build --no-parallel --filter FaultTests
