"""The Unix-socket hop: half a round trip of one C client with four servers."""

import json
import subprocess

SERVERS = {
    "C, blocking": ("hop", "server"),
    "C, epoll": ("hop", "epoll"),
    "EventLoop": ("hopserver", "loop"),
    "FrameServer": ("hopserver", "frames"),
}
RUN_MAX = 50


def run(tools, directory, server, cores, rounds):
    """Half a round trip in nanoseconds: {"p50": …, "p99": …}. `cores` holds the server's and the client's."""
    socket = directory / "hop.sock"
    socket.unlink(missing_ok=True)
    program, mode = SERVERS[server]
    process = subprocess.Popen([*pinned(cores[0]), tools / program, mode, socket])
    try:
        client = [*pinned(cores[1]), tools / "hop", "client", socket, str(rounds)]
        return json.loads(subprocess.run(client, capture_output=True, timeout=RUN_MAX, check=True, text=True).stdout)
    finally:
        process.terminate()
        process.wait()


def pinned(core):
    return ["taskset", "-c", str(core)]
