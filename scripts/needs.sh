#!/usr/bin/env bash
# What the tests use of the machine beyond Node: an sshd to log in to, for slow links a namespace and Python, for
# machines of their own Docker, with debootstrap to make their image, and libfaketime to set their clocks. On a Debian
# where we are root, what is missing is installed; elsewhere it is named, and nothing is skipped in silence.
set -euo pipefail

missing=()
[ -x /usr/sbin/sshd ] || missing+=(openssh-server)
command -v ssh >/dev/null || missing+=(openssh-client)
command -v ip >/dev/null || missing+=(iproute2)
[ -x /usr/bin/python3 ] || missing+=(python3)
command -v tmux >/dev/null || missing+=(tmux)
command -v iptables >/dev/null || missing+=(iptables)
command -v debootstrap >/dev/null || missing+=(debootstrap)
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing+=(libfaketime)
command -v podman >/dev/null || missing+=(podman)
docker version >/dev/null 2>&1 || command -v dockerd >/dev/null || missing+=(docker.io)
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need: ${missing[*]}" >&2
  echo "0 passed, 1 failed"
  exit 1
fi

retry() {
  local try
  for try in 1 2 3 4; do
    "$@" </dev/null && return 0
    echo "attempt $try of 4 failed: $*" >&2
    sleep $((try * 5))
  done
  return 1
}

export DEBIAN_FRONTEND=noninteractive
echo "installing for the tests: ${missing[*]}"
retry apt-get update -qq
retry apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
