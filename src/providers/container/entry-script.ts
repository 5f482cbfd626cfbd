/**
 * What a container runs: puts the keys in their places, keeps an sshd up, and ends with the lease. The lease's file holds
 * the second of the uptime at which the machine ends: first boot plus the time to live, until an agent puts it off.
 * Keys come by the environment, are out of it before anybody can log in, and lie in memory: an image that is saved has none.
 */
export const ENTRY_SCRIPT = `umask 077
mkdir -p /run/skyward /run/sshd
chmod 755 /run /run/sshd
printf '%s\\n' "$SKYWARD_HOST_KEY" >/run/skyward/host_key
printf '%s\\n' "$SKYWARD_AUTHORIZED_KEY" >/run/skyward/authorized_keys
# What another machine's agent left when it was saved.
rm -rf /tmp/sky-*
ttl=$SKYWARD_TTL
uptime() { read -r up _ </proc/uptime; echo "\${up%%.*}"; }
[ "$ttl" = 0 ] || echo $(($(uptime) + ttl)) >/run/skyward/lease
exec env -u SKYWARD_HOST_KEY -u SKYWARD_AUTHORIZED_KEY -u SKYWARD_TTL /bin/sh -c '
sshd=$(command -v sshd || echo /usr/sbin/sshd)
while :; do
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || {
    "$sshd" -D -o UseDNS=no -o UsePAM=no -o PasswordAuthentication=no -o MaxStartups=200 -o MaxSessions=200 \\
      -o PermitRootLogin=prohibit-password -o HostKey=/run/skyward/host_key \\
      -o AuthorizedKeysFile=/run/skyward/authorized_keys &
    pid=$!
  }
  sleep 1 & wait $!
  if read -r end 2>/dev/null </run/skyward/lease; then
    read -r up _ </proc/uptime
    [ "\${up%%.*}" -lt "$end" ] || exit 0
  fi
done'
`;

/** Prints how many seconds of the lease are left, or "none". */
export const LEASE_LEFT_SCRIPT = `read -r up _ </proc/uptime || exit 1
if read -r end 2>/dev/null </run/skyward/lease; then echo $((end - \${up%%.*})); else echo none; fi
`;

/** Makes sure that there is an sshd, says so, and waits until it is let go: with whoever asked for it, if that dies. */
export const SSHD_SCRIPT = `has_sshd() { command -v sshd >/dev/null || [ -x /usr/sbin/sshd ]; }
add_sshd() {
if has_sshd; then return; fi
if command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends openssh-server ca-certificates
elif command -v apk >/dev/null; then apk add --quiet openssh-server ca-certificates
elif command -v dnf >/dev/null; then dnf install -y -q openssh-server ca-certificates
else echo "this image has no sshd, and no way to install one" >&2; return 1
fi
}
add_sshd </dev/null >&2 || exit 1
has_sshd || { echo "there is still no sshd" >&2; exit 1; }
rm -f /etc/ssh/ssh_host_*
echo ready
read -r _
`;
