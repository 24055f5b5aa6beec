"""Follows the daemons' sockets until SIGTERM, and tells what a subscriber sees.

    subscriber.py DIRECTORY FILE

At the end it writes one JSON object to FILE: for each daemon how often it connected, how often it was refused (nobody listened, or
the socket was gone), what errors came, how many snapshots, and the longest time without a connection that answers.
"""

import json
import os
import signal
import socket
import struct
import sys
import threading
import time

CONNECTION_PAUSE_S = 0.02
SILENCE_MAX_S = 5


class Follower(threading.Thread):
    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.told = {"connections": 0, "refused": 0, "errors": [], "snapshots": 0, "frames": 0, "longest_gap_s": 0.0}
        self.stopping = False
        self.heard_at = None

    def run(self):
        while not self.stopping:
            try:
                self.follow()
            except (ConnectionRefusedError, FileNotFoundError):
                self.told["refused"] += 1
            except (ConnectionResetError, BrokenPipeError, EOFError, socket.timeout):
                pass
            time.sleep(CONNECTION_PAUSE_S)

    def follow(self):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(SILENCE_MAX_S)
            line.connect(self.path)
            sequence = 0

            def send(kind, body):
                nonlocal sequence
                sequence += 1
                frame = {"v": 1, "seq": sequence, "type": kind, "sent_time": int(time.time() * 1e6), "body": body}
                data = json.dumps(frame).encode()
                line.sendall(struct.pack(">I", len(data)) + data)

            send("hello", {"daemon": "subscriber", "version": "0", "instance": "0", "pid": os.getpid()})
            send("subscribe", {"id": 1, "markets": "all"})
            expected = 0
            while not self.stopping:
                (length,) = struct.unpack(">I", self.read(line, 4))
                frame = json.loads(self.read(line, length))
                expected += 1
                if frame["seq"] != expected:
                    self.told["errors"].append(f"seq {frame['seq']} instead of {expected}")
                kind = frame["type"]
                if expected == 1:
                    self.told["connections"] += 1
                now = time.monotonic()
                if self.heard_at is not None:
                    self.told["longest_gap_s"] = max(self.told["longest_gap_s"], round(now - self.heard_at, 3))
                self.heard_at = now
                self.told["frames"] += 1
                if kind == "ping":
                    send("pong", {"id": frame["body"]["id"]})
                elif kind == "error":
                    self.told["errors"].append(frame["body"]["code"])
                elif kind in ("book", "universe", "balance"):
                    self.told["snapshots"] += 1

    def read(self, line, count):
        data = b""
        while len(data) < count:
            part = line.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data


# Before the threads, which inherit it.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
followers = {name: Follower(f"{sys.argv[1]}/{name}.sock") for name in ("scannerd", "feedd", "stratd")}
for follower in followers.values():
    follower.start()
signal.sigwait({signal.SIGTERM})
for follower in followers.values():
    follower.stopping = True
with open(sys.argv[2], "w") as file:
    json.dump({name: follower.told for name, follower in followers.items()}, file)
