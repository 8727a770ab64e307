# Sourced by fetch, start, stop and ctl.  $here is set by the caller.

KAFKA_VERSION=3.9.1

tree=$(CDPATH= cd -- "$here/../.." && pwd)

cache=${GATEWAY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/nginx-gateway}
kafka_home=$cache/kafka-$KAFKA_VERSION
lib=$kafka_home/lib

port=${KAFKA_PORT:-19092}

case $port in
    '' | *[!0-9]*) echo "t/kafka: KAFKA_PORT \"$port\" is no number" >&2
                   exit 2 ;;
esac

controller_port=$((port + 1))
tap_port=$((port + 2))

run=${GATEWAY_RUN:-$tree/build/run}

# The folder is part of the command line that tells a node from another.
case $run in
    /*) ;;
    *)  run=$(pwd)/$run ;;
esac

run=$run/kafka-$port

say() {
    echo "t/kafka: $*" >&2
}

# The classes of the tap belong to one text of the source: a changed tap must
# never be run from a stale compilation.
tap_classes() {
    sum=$(cksum < "$here/KafkaTap.java")
    echo "$kafka_home/tap-${sum%% *}"
}

# A pid file may outlive its process and the number may have been given to
# another one, so the command line is asked as well.
# usage: alive PIDFILE WORD
alive() {
    pid=$(cat "$1" 2>/dev/null) || return 1
    [ -n "$pid" ] || return 1
    kill -0 "$pid" 2>/dev/null || return 1

    # A zombie still answers to kill -0 where nobody reaps it.
    state=$(ps -o stat= -p "$pid" 2>/dev/null) || return 1
    case $state in
        '' | Z*) return 1 ;;
    esac

    case $(ps -ww -o args= -p "$pid" 2>/dev/null) in
        *"$2"*) return 0 ;;
    esac

    return 1
}

node_alive() {
    alive "$run/node.pid" "$run/server.properties"
}

tap_alive() {
    alive "$run/tap.pid" "KafkaTap $tap_port"
}
