"""Holds each packet between this computer and a container, without their addresses or connections noticing.

usage: delay.py PID DELAY_MS HERE THERE

PID is a process of the container, HERE and THERE are the addresses of both ends. Two TUN devices get routes for just
these two addresses, so what went over the container's cable now goes through the relay. Prints "ready DEVICE DEVICE"
with their names here and there; the cable is used again when its standard input ends.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../bench/weather"))
import relay  # noqa: E402


def main():
    pid, delay, here_address, there_address = sys.argv[1], float(sys.argv[2]) / 1000, sys.argv[3], sys.argv[4]
    inside = ["nsenter", "-t", pid, "-n", "ip"]
    names = "sky%sa" % os.getpid(), "sky%sb" % os.getpid()
    here, there = relay.tun(names[0]), relay.tun(names[1])
    up = ["mtu", "1500", "txqueuelen", "10000", "up"]
    relay.ip("link", "set", names[1], "netns", pid)
    subprocess.run([*inside, "link", "set", names[1], *up], check=True)
    relay.ip("link", "set", names[0], *up)
    # Docker rewrites what leaves by another device than its bridge, to an address of that device.
    relay.ip("addr", "add", here_address + "/32", "dev", names[0])
    subprocess.run([*inside, "route", "add", here_address + "/32", "dev", names[1], "src", there_address], check=True)
    relay.ip("route", "add", there_address + "/32", "dev", names[0], "src", here_address)
    print("ready", *names, flush=True)
    # The devices, and with them the routes, end with this process.
    try:
        relay.relay(here, there, delay)
    except OSError:
        pass  # the container is gone, and its device with it


main()
