/**
 * What a container runs: puts the keys in their places, keeps an sshd up, and ends with the lease. The lease's file holds
 * the second of the uptime at which the machine ends: first boot plus the time to live, until an agent puts it off.
 * Keys come by the environment, and are out of it before anybody can log in.
 */
export const ENTRY_SCRIPT = `umask 077
mkdir -p /root/.ssh /etc/ssh /run/skyward
printf '%s\\n' "$SKYWARD_HOST_KEY" >/etc/ssh/ssh_host_ed25519_key
printf '%s\\n' "$SKYWARD_AUTHORIZED_KEY" >/root/.ssh/authorized_keys
mkdir -p /run/sshd
chmod 755 /run /run/sshd
ttl=$SKYWARD_TTL
uptime() { read -r up _ </proc/uptime; echo "\${up%%.*}"; }
[ "$ttl" = 0 ] || echo $(($(uptime) + ttl)) >/run/skyward/lease
exec env -u SKYWARD_HOST_KEY -u SKYWARD_AUTHORIZED_KEY -u SKYWARD_TTL /bin/sh -c '
sshd=$(command -v sshd || echo /usr/sbin/sshd)
while :; do
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || {
    "$sshd" -D -o UseDNS=no -o UsePAM=no -o PasswordAuthentication=no -o MaxStartups=200 -o MaxSessions=200 \\
      -o PermitRootLogin=prohibit-password -o HostKey=/etc/ssh/ssh_host_ed25519_key &
    pid=$!
  }
  sleep 1 & wait $!
  if read -r end 2>/dev/null </run/skyward/lease; then
    read -r up _ </proc/uptime
    [ "\${up%%.*}" -lt "$end" ] || exit 0
  fi
done'
`;

/** Makes sure that there is an sshd. */
export const SSHD_SCRIPT = `set -e
if command -v sshd >/dev/null || [ -x /usr/sbin/sshd ]; then exit 0; fi
if command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends openssh-server ca-certificates >/dev/null
elif command -v apk >/dev/null; then apk add --quiet openssh-server ca-certificates
elif command -v dnf >/dev/null; then dnf install -y -q openssh-server ca-certificates
else echo "this image has no sshd, and no way to install one" >&2; exit 1
fi
rm -f /etc/ssh/ssh_host_*
`;
