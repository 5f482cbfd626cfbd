#!/usr/bin/env bash
# Writes the root file system of a machine to standard output, as a tar: Debian with an sshd, without Node or Python.
# Needs root and debootstrap.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debootstrap --variant=minbase --include=openssh-server,iproute2,procps,ca-certificates,sudo bookworm "$work/root" >"$work/log" 2>&1 ||
  { tail -n 20 "$work/log" >&2; exit 1; }
cd "$work/root"
rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/* usr/share/doc usr/share/man usr/share/locale etc/ssh/ssh_host_*
mkdir -p run/sshd root/.ssh
chmod 700 root/.ssh
chroot . useradd --create-home --shell /bin/bash --password '*' worker
echo 'worker ALL=(ALL) NOPASSWD:ALL' >etc/sudoers.d/worker
cat >etc/ssh/sshd_config.d/rig.conf <<'CONFIG'
HostKey /etc/ssh/ssh_host_ed25519_key
UseDNS no
UsePAM no
MaxStartups 200
MaxSessions 200
PasswordAuthentication no
CONFIG
# Keys come with the machine. An sshd that is killed comes back, as a service manager would see to.
cat >usr/local/sbin/machine <<'SCRIPT'
#!/bin/sh
umask 077
mkdir -p /run/sshd
printf '%s\n' "$HOST_KEY" >/etc/ssh/ssh_host_ed25519_key
for home in /root /home/worker; do
  mkdir -p $home/.ssh
  printf '%s\n' "$AUTHORIZED_KEY" >$home/.ssh/authorized_keys
done
chown -R worker: /home/worker/.ssh
unset HOST_KEY AUTHORIZED_KEY
chmod 755 /run/sshd
while :; do /usr/sbin/sshd -D; sleep 0.1; done
SCRIPT
chmod 755 usr/local/sbin/machine
tar -c .
