# Thin names over scripts and the Swift package manager. Everything runs where scripts/with-swift finds or makes Debian 13.
#
#   make run        what is missing, the programs, and a city that moves on a map
#   make test       what is missing, and every test; FILTER=CommonTests for some
#   make            the programs, into .build/release; bin/coordinator runs them
#   make install    the programs, services, completions; PREFIX and DESTDIR as usual
.PHONY: build dependencies run kafka test check manifests format instructions bench measure soak install uninstall

WITH := scripts/with-swift
PROGRAMS := coordinator shard-worker ws-edge
SOURCES := Package.swift Sources Tests Benchmarks
PREFIX ?= /usr/local

build: dependencies
	@$(WITH) scripts/release $(PROGRAMS)

dependencies:
	@$(WITH) scripts/dependencies swift build run

# A fleet on this machine, with what it needs, until it is interrupted.
run: build
	@[ -n "$$KAFKA_BOOTSTRAP_SERVERS" ] || $(WITH) scripts/kafka || echo 'going on without Apache Kafka' >&2
	@exec bin/coordinator start --shards 4 --edges 1 --demo

kafka: dependencies
	@$(WITH) scripts/kafka

# One after another: most tests wait in C, which holds a thread of the cooperative pool, and on two cores that pool
# has two. In parallel, waiting for a thread would count against a test's time limit.
test: dependencies
	@$(WITH) scripts/dependencies test
	@$(WITH) scripts/kafka || echo 'There is no Apache Kafka: tests that need a broker will fail. Get one: make kafka,' \
		'or set KAFKA_HOME to the folder of one.' >&2
	@$(WITH) scripts/kosoku || echo "Autobahn's WebSocket cases are not run: PyPI's kosoku is not there." >&2
	@$(WITH) scripts/previous || echo 'Upgrades from earlier builds are not tested.' >&2
	@$(WITH) scripts/patiently "building the tests (about 4 minutes at first)" \
		swift build --build-tests -Xswiftc -warnings-as-errors
	@$(WITH) swift test --skip-build --no-parallel -Xswiftc -warnings-as-errors $(if $(FILTER),--filter '$(FILTER)')

check:
	@$(WITH) scripts/dependencies check
	@$(WITH) scripts/rooms
	@$(WITH) swift format lint --strict --recursive $(SOURCES)

# What deploy/kubernetes makes, against the API's schemas.
manifests:
	@$(WITH) scripts/dependencies manifests
	@$(WITH) scripts/manifests

format:
	@$(WITH) swift format --in-place --recursive $(SOURCES)

# What a record takes a worker, counted in instructions: a guard that a busy machine does not mislead.
instructions: dependencies
	@$(WITH) scripts/dependencies instructions
	@$(WITH) scripts/patiently "building the benchmark" swift build -c release --product hot-path
	@$(WITH) scripts/instructions

# What Millrace does beside others, by turns: `make bench SCENARIOS="throughput peers" ROUNDS=5`; all of them take two hours.
# The broker for once with Java's second compiler too, which pays under long load.
bench: export KAFKA_OPTS = -XX:TieredStopAtLevel=4
bench: kafka
	@$(WITH) scripts/dependencies bench
	$(WITH) swift build -c release --product hot-path
	$(WITH) swift build -c release --product bench
	$(WITH) .build/release/hot-path
	$(WITH) .build/release/bench $(SCENARIOS)

# What a fleet does while it changes: scaling, deaths, many partitions, long outages, with figures.
measure: kafka
	$(WITH) scripts/dependencies test
	$(WITH) swift build --build-tests
	MILLRACE_MEASURE=1 $(WITH) swift test --skip-build --no-parallel --filter 'MeasurementTests|OutageTests|ChurnTests'

# Random faults over many seeds: `make soak SEEDS=20`, `make soak SEED=7` for one, `make soak MINUTES=30` for as many
# as begin in that time.
soak: kafka
	$(WITH) scripts/dependencies test
	$(WITH) swift build --build-tests
	$(if $(SEEDS)$(SEED)$(MINUTES),,MILLRACE_SEEDS=20) $(if $(SEEDS),MILLRACE_SEEDS=$(SEEDS)) $(if $(SEED),MILLRACE_SEED=$(SEED)) \
		$(if $(MINUTES),MILLRACE_MINUTES=$(MINUTES)) $(WITH) swift test --skip-build --no-parallel --filter FaultTests

install:
	@[ -x .build/release/ws-edge ] || $(MAKE) build
	@scripts/install install '$(DESTDIR)' '$(PREFIX)' $(PROGRAMS)

uninstall:
	@scripts/install uninstall '$(DESTDIR)' '$(PREFIX)' $(PROGRAMS)
