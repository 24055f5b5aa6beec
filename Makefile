# `make help` lists what there is to do. Every target works on a fresh Debian 12 machine.
#
#   ARGS="..."       handed to `polybot run`, or to `swift test`
#   NO_INSTALL=1     only say which Debian packages are missing
#   PREFIX, DESTDIR  where `make install` puts things: /usr/local, and a folder that stands for the root
#   FUZZ_SECONDS=60  how long `make fuzz` feeds each target; FUZZ="json frames" for these alone
#   NO_TSAN=1        leave out the thread sanitizer's run, the longer half of `make test`

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help deps build release release-core install uninstall run test test-fast test-systemd test-tsan test-asan test-midnight soak fuzz bench lint format clean

ARGS ?=
NO_TSAN ?=
PREFIX ?=
SYSCONFDIR ?=
DESTDIR ?=
CORE := feedd scannerd stratd
SWIFT_FILES := Package.swift Sources Tests $(wildcard Benchmarks Fuzz)

# With Swift's libraries inside: a program that is installed needs no toolchain beside it.
RELEASE := swift build -c release --static-swift-stdlib

# A scratch path of its own, as a sanitizer's objects mix with no others; lld, as gold warns about each of its symbols.
TSAN := --sanitize=thread --scratch-path .build-tsan -Xswiftc -use-ld=lld

# Leaks are not looked for: a daemon ends with its loop and all that hangs on it in use, and so do the tests' own loops.
ASAN := --sanitize=address --scratch-path .build-asan -Xswiftc -use-ld=lld

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## name and install the missing Debian packages, check the Swift toolchain
	@scripts/dependencies --tests

build: ## build everything, for debugging
	@scripts/dependencies
	swift build

release: ## build everything, optimised
	@scripts/dependencies
	$(RELEASE)
	@touch .build/release/.complete

release-core: ## build the trading daemons alone, optimised: feedd, scannerd, stratd
	@scripts/dependencies
	for product in $(CORE); do $(RELEASE) --product $$product || exit; done

install: ## put programs, units, manual pages and completions in place, as root: sudo make install
	@PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' DESTDIR='$(DESTDIR)' scripts/install

uninstall: ## take them away again; configuration, state and users stay
	@PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' DESTDIR='$(DESTDIR)' scripts/install --uninstall

run: release ## paper trade against the embedded venue, all in one terminal; ARGS go to `polybot run`
	@exec .build/release/polybot run $(ARGS)

test: test-fast ## run all tests, those under systemd and under the thread sanitizer too; ARGS go to `swift test`
	@$(MAKE) --no-print-directory test-systemd ARGS=
ifneq ($(NO_TSAN),1)
	@$(MAKE) --no-print-directory test-tsan ARGS=
endif

# In parts, one after the other: tests that compute for seconds must not keep those waiting that talk to real processes, and of these no
# more run at a time than two cores can serve.
COMPUTING = ^(scannerdTests\.(SimulatedDay|RollingWindow)|stratdTests\.(EngineState|InputReplay|Simulation|OrderDeskProperty)|feeddTests\.QuietHour)Tests
STORMS = ^EndToEndTests\.(FeedStorm|ReferencePrice|QuietFeed)Tests
# A storm on both cores leaves none for another.
LIMITS = ^EndToEndTests\.FeedStorm(Limit|Line|Poll)Tests
LIVE = ^EndToEndTests\.(LiveTrading|AccountWatch|LiveKill|Limit|DataAPI)Tests
LINES = ^EndToEndTests\.(FaultScript|LineFault|PythonClient|Replay)Tests
ifeq ($(ARGS),)
SWIFT_TEST = swift test --skip '^(simvenue|EndToEnd)Tests\.' --skip '$(COMPUTING)' && \
	swift test --filter '^simvenueTests\.' --filter '$(COMPUTING)' && \
	swift test --filter '^EndToEndTests\.' --skip '$(STORMS)' --skip '$(LIMITS)' --skip '$(LINES)' \
		--skip '$(LIVE)' && \
	swift test --filter '$(STORMS)' && swift test --no-parallel --filter '$(LIMITS)' && swift test --filter '$(LINES)' && swift test --filter '$(LIVE)'
else
SWIFT_TEST = swift test $(ARGS)
endif

test-fast: ## run all tests once, without the sanitizer
	@scripts/dependencies --tests
	scripts/tests/tooling-test
	@scripts/test-autobahn || true
	python=$$(scripts/test-python) && export POLYBOT_TEST_PYTHON=$$python && \
		export POLYBOT_TEST_CLOB_PYTHON=$$(scripts/test-clob-client) && $(SWIFT_TEST)

test-systemd: release ## run the installed pipeline under a real systemd, in namespaces of its own; needs root
	@scripts/dependencies --tests
	POLYBOT_SYSTEMD=1 swift test --no-parallel --filter '^SystemdTests\.' $(ARGS)

test-tsan: ## run DaemonKit's tests under the thread sanitizer
	@scripts/dependencies --tests
	python=$$(scripts/test-python) && POLYBOT_TEST_PYTHON=$$python swift test $(TSAN) --filter '^DaemonKitTests\.' $(ARGS)

test-asan: ## run the tests of Shared, Signing and DaemonKit under the address sanitizer
	@scripts/dependencies --tests
	python=$$(scripts/test-python) && ASAN_OPTIONS=detect_leaks=0 POLYBOT_TEST_PYTHON=$$python \
		swift test $(ASAN) --filter '^(SharedTests|SigningTests|DaemonKitTests)\.' $(ARGS)

test-midnight: ## run the tests with processes at the end of a UTC day, and at that of New York, where windows of four hours end
	@scripts/dependencies --tests
	python=$$(scripts/test-python) && export POLYBOT_TEST_PYTHON=$$python && \
		export POLYBOT_TEST_CLOB_PYTHON=$$(scripts/test-clob-client) && \
		scripts/test-at-time 'tomorrow 23:59:35' --filter '^EndToEndTests\.' --skip '$(STORMS)' --skip '$(LIMITS)' --skip '$(LINES)' \
			--skip '$(LIVE)' && \
		scripts/test-at-time 'tomorrow 23:59:50' --filter '$(LINES)' && \
		scripts/test-at-time 'tomorrow 04:58:00' --filter '^EndToEndTests\.Scan' && \
		scripts/test-at-time 'tomorrow 23:59:00' --filter '$(LIVE)'

fuzz: ## feed every reader of outside bytes for a minute each, under the address sanitizer
	@scripts/dependencies
	FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) Fuzz/run $(FUZZ)

soak: ## run the tests that take minutes, then those of `make test-midnight` and `make test-asan`, and a short `make fuzz`
	@scripts/dependencies --tests
	@scripts/test-autobahn || true
	python=$$(scripts/test-python) && POLYBOT_SOAK=1 POLYBOT_TEST_PYTHON=$$python swift test --no-parallel --filter 'Soak|FeedStorm|QuietFeed|LiveTrading|LiveKill|SimulatedDay' $(ARGS)
	@$(MAKE) --no-print-directory test-midnight
	@$(MAKE) --no-print-directory test-asan ARGS=
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=20

bench: ## measure, each path beside its C counterpart
	@scripts/dependencies
	Benchmarks/run $(ARGS)

lint: ## check the format and the project's own rules; warnings are errors in every build
	@scripts/dependencies
	swift format lint --strict --parallel --recursive $(SWIFT_FILES)
	scripts/tidy

format: ## bring all Swift files into the project's format
	@scripts/dependencies
	swift format --in-place --parallel --recursive $(SWIFT_FILES)

clean: ## remove what was built
	rm -rf .build .build-tsan .build-asan .build-fuzz .build-venv .build-venv-clob .build-autobahn
