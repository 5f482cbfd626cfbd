#!/usr/bin/env bash
# Holds Docker for the tests: starts dockerd where none answers, and stops it when the last holder has gone.
#
#   docker.sh     prints "up" when Docker answers, while it alone may prepare things; a line on its standard input lets
#                 others do so; the end of its standard input lets Docker go.
#
# Several runs share one daemon, and a run that is killed lets go too: locks end with their process.
set -euo pipefail
state="${XDG_CACHE_HOME:-$HOME/.cache}/skyward-test"
mkdir -p "$state"
exec 8>"$state/prepare.lock" 9>"$state/holders.lock"

answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

start() {
  command -v dockerd >/dev/null || { echo "Docker does not answer, and there is no dockerd to start: bash scripts/needs.sh" >&2; exit 1; }
  [ "$(id -u)" = 0 ] || { echo "Docker does not answer, and only root can start dockerd" >&2; exit 1; }
  rm -f /var/run/docker.pid
  setsid dockerd </dev/null >"$state/dockerd.log" 2>&1 8>&- 9>&- &
  echo $! >"$state/dockerd.pid"
  for _ in $(seq 1 300); do
    answers && return
    kill -0 "$(cat "$state/dockerd.pid")" 2>/dev/null || break
    sleep 0.1
  done
  echo "dockerd did not come up:" >&2
  tail -n 20 "$state/dockerd.log" >&2
  exit 1
}

stop() {
  local pid
  pid=$(cat "$state/dockerd.pid")
  rm -f "$state/dockerd.pid"
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 1 150); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  echo "dockerd (pid $pid) does not end" >&2
}

flock 8
flock --shared 9
answers || start
echo up
IFS= read -r _ || true
flock --unlock 8
cat >/dev/null
flock 8
flock --unlock 9
if flock --exclusive --nonblock 9 && [ -f "$state/dockerd.pid" ]; then stop; fi
