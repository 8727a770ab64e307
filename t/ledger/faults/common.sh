# Sourced by the faults.  The runner sets GATEWAY_MASTER, GATEWAY_WORKERS,
# NGINX_BINARY, KAFKA_PORT, RUN and SEED; the working folder is the tree's.
# shellcheck shell=sh

fault=${0##*/}

fail() {
    echo "$fault: $*" >&2
    exit 1
}

# awaited SECONDS COMMAND...: waits until the command succeeds
awaited() {
    tries=$(($1 * 20))
    shift

    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || fail "in vain: $*"
        sleep 0.05
    done
}

# none of these processes is there any more
gone() {
    for pid in "$@"; do
        ! kill -0 "$pid" 2>/dev/null || return 1
    done
}

# the workers of a master that take connections
workers() {
    pgrep -P "$1" -f 'worker process$'
}

# what the pid file says now
master() {
    cat "$RUN/nginx/nginx.pid"
}

# a master other than that one has all its workers
another_serves() {
    now=$(master) && [ -n "$now" ] && [ "$now" != "$1" ] \
        && [ "$(workers "$now" | wc -l)" -ge "$GATEWAY_WORKERS" ]
}

# ended SIGNAL: the master has ended; drain_timeout is far below the bound
ended() {
    echo "$GATEWAY_MASTER"
    kill "-$1" "$GATEWAY_MASTER"
    awaited 120 gone "$GATEWAY_MASTER"
}

# what a service manager does next: nobody listened meanwhile
started() {
    "$NGINX_BINARY" -p "$RUN/nginx" -c "$RUN/nginx/nginx.conf" \
        >> "$RUN/nginx/start.log" 2>&1 < /dev/null
    awaited 20 another_serves "$GATEWAY_MASTER"
}
