# The gateway: "make help" lists what can be made.
#
#   BUILD=build   where everything made goes      CC=gcc|clang
#   NGINX_BINARY=, NGINX_SRC=   the nginx to build for, its source
#   PORT=8080     where "make run" listens        T=t/101-x.t    one test file
#   S=full        scenario of the ledger          SECONDS=60     of fuzzing
#   M="short trixie"   what of the matrix

ifeq ($(origin CC),default)
CC        = gcc
endif
BUILD    ?= build
# not NGINX: in the environment that name is nginx's own, for the sockets that
# one binary hands to the next
NGINX_BINARY ?= /usr/sbin/nginx

unexport NGINX
export BUILD CC NGINX_BINARY NGINX_SRC NDK_SRC CFLAGS_EXTRA PORT MAKE

# targets named in one line are made in that order: "make deps run"
.NOTPARALLEL:

.PHONY: modules tools help deps deps-test unit unit-programs test lint \
        docs-check examples ledger mutants fuzz asan valgrind matrix bench run stop \
        kafka kafka-stop static dist clean

modules:        ## the loadable modules, into build/modules (the default)
	@+.ci/build

tools:          ## gateway-devices, which keeps the registry, into build
	@+$(MAKE) --no-print-directory -s -f .ci/tools.mk

help:           ## this list
	@sed -n 's/^\([a-z-]*\): .*## \(.*\)/  make \1\t\2/p' Makefile \
	    | expand -t 20

deps:           ## install what building and running need (Debian, apt)
	@.ci/deps

deps-test:      ## the same, and what the tests need
	@.ci/deps test

run: modules    ## start a Kafka and the gateway, send one message, show it
	@.ci/run-demo

stop:           ## end what "make run" started
	@.ci/run-demo stop

test: modules unit-programs   ## all of it, the rigs below in a short form
	@.ci/test $(T)

unit-programs:
	@+$(MAKE) --no-print-directory -s -f .ci/unit.mk
	@+$(MAKE) --no-print-directory -s -f .ci/tools.mk tests

unit: unit-programs   ## the unit tests of pure/, under ASan and UBSan
	@.ci/test unit

lint: modules   ## what a compiler does not see
	@.ci/test lint

docs-check:     ## README.md against the sources
	@.ci/test docs

examples: modules tools   ## nginx -t on every file of conf-examples
	@.ci/test examples

ledger: modules unit-programs   ## devices, faults and the account (S=full)
	@t/ledger/run t/ledger/scenarios/$(or $(S),full)

mutants: unit-programs   ## broken promises, which the ledger must see
	@.ci/mutants

fuzz:           ## libFuzzer on every parser (SECONDS=60)
	@.ci/fuzz --self-test
	@.ci/fuzz $(or $(SECONDS),60)

asan: unit-programs   ## all pages on an nginx under ASan and UBSan
	@.ci/test asan

valgrind:       ## the unit tests under valgrind
	@.ci/tap .ci/valgrind

matrix:         ## three Debians, three NGINX, gcc and clang (root)
	@.ci/matrix $(M)

bench: modules unit-programs   ## cost of a message; t/bench/RESULTS.md
	@.ci/bench

kafka:          ## start a real Kafka; the last line is its address
	@t/kafka/fetch
	@t/kafka/start

kafka-stop:     ## end it
	@t/kafka/stop

static:         ## one nginx with all inside (NGINX_SRC=/path/to/nginx)
	@+.ci/static

dist:           ## the release archive of the last commit
	@.ci/dist

clean:          ## remove what was made
	rm -rf $(BUILD)
