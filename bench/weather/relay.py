"""A link with delay: two TUN devices, one here and one in a network namespace, and a relay that holds each packet.

usage: relay.py NAME DELAY_MS HERE THERE COMMAND...

HERE and THERE are the two addresses of a /30 network. COMMAND runs inside the namespace NAME. Prints "ready" when the
link is up; takes everything down when its standard input ends or it is told to stop, so nothing outlives its owner.
"""

import collections
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x0001 | 0x1000
MTU = 9000
# A link holds this many packets each way; what comes above is dropped, as a router would.
MOST_HELD = 20000


def tun(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TUN_NO_PI))
    return device


def ip(*words, check=True):
    subprocess.run(["ip", *words], check=check, stdout=subprocess.DEVNULL, stderr=None if check else subprocess.DEVNULL)


def relay(here, there, delay, command=None):
    held = {here: collections.deque(), there: collections.deque()}
    other = {here: there, there: here}
    stdin = sys.stdin.fileno()
    while command is None or command.poll() is None:
        due = min((queue[0][0] for queue in held.values() if queue), default=None)
        wait = 1.0 if due is None else max(0.0, due - time.monotonic())
        readable, _, _ = select.select([here, there, stdin], [], [], wait)
        if stdin in readable and not os.read(stdin, 4096):
            return
        for device in (here, there):
            if device in readable:
                take(device, held[device], delay)
        now = time.monotonic()
        for device, queue in held.items():
            while queue and queue[0][0] <= now:
                send(other[device], queue.popleft()[1])
    raise SystemExit("the command inside the namespace ended with %s" % command.returncode)


def take(device, queue, delay):
    due = time.monotonic() + delay
    for _ in range(256):
        try:
            packet = os.read(device, MTU + 100)
        except BlockingIOError:
            return
        if len(queue) < MOST_HELD:
            queue.append((due, packet))


def send(device, packet):
    try:
        os.write(device, packet)
    except OSError:
        pass  # the other side is down or full: the packet is lost, and TCP knows what to do


def namespace_pids(name):
    listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True)
    return [int(pid) for pid in listed.stdout.split()]


def take_down(name):
    for _ in range(50):
        pids = namespace_pids(name)
        if not pids:
            break
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
    ip("netns", "del", name, check=False)


def main():
    name, delay, here_address, there_address = sys.argv[1], float(sys.argv[2]) / 1000, sys.argv[3], sys.argv[4]
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(one, lambda *_: sys.exit(0))
    tag = name[-12:]
    here, there = tun(tag + "a"), tun(tag + "b")
    command = None
    try:
        ip("netns", "add", name)
        ip("link", "set", tag + "b", "netns", name)
        ip("addr", "add", here_address + "/30", "dev", tag + "a")
        ip("link", "set", tag + "a", "mtu", str(MTU), "txqueuelen", "10000", "up")
        ip("-n", name, "addr", "add", there_address + "/30", "dev", tag + "b")
        ip("-n", name, "link", "set", tag + "b", "mtu", str(MTU), "txqueuelen", "10000", "up")
        ip("-n", name, "link", "set", "lo", "up")
        command = subprocess.Popen(["ip", "netns", "exec", name, *sys.argv[5:]], stdin=subprocess.DEVNULL)
        print("ready", flush=True)
        relay(here, there, delay, command)
    finally:
        take_down(name)
        if command is not None:
            command.wait()


if __name__ == "__main__":
    main()
