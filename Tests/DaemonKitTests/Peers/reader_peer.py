"""Connections of users who may only read, for the tests of the frame server. Prints how many were welcome; ends when its standard
input does.

    reader_peer.py SOCKET COUNT... [half BYTES]

Each COUNT is of a user of its own. With `half` each connection sends its hello, and then a frame of BYTES that lacks its end.
"""
import os
import socket
import sys

arguments = sys.argv[2:]
half = 0
if "half" in arguments:
    half = int(arguments.pop())
    arguments.pop()
counts = [int(text) for text in arguments]
hello = b'{"v":1,"seq":1,"type":"hello","sent_time":0,"body":{"daemon":"a","version":"1","instance":"1","pid":1}}'
lines = []
welcome = 0
for number, count in enumerate(counts):
    os.seteuid(0)
    os.setegid(65534)
    os.setgroups([])
    os.seteuid(64000 + number)
    for _ in range(count):
        line = socket.socket(socket.AF_UNIX)
        line.connect(sys.argv[1])
        lines.append(line)
        welcome += b'"type":"hello"' in line.recv(4096)
        if half:
            line.sendall(len(hello).to_bytes(4, "big") + hello)
            try:
                line.sendall(half.to_bytes(4, "big") + b" " * (half - 4))
            except OSError:
                pass
print(welcome, flush=True)
sys.stdin.read()
