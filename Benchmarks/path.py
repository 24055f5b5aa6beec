"""The path from the venue's bytes to a subscriber: three processes, the middle one ours or its C counterpart."""

import json
import os
import select
import subprocess

import generate

BASE = 1_790_000_000_000
READY_MAX = 15
RUN_MAX = 50


class Path:
    """One set of markets and messages, played through feedd or through the C client."""

    def __init__(self, tools, feedd, directory, market_count, message_count):
        self.tools, self.feedd, self.directory = tools, feedd, directory
        self.market_count, self.message_count = market_count, message_count
        self.markets, self.messages = directory / "markets", directory / "messages"
        generate.generate(self.markets, self.messages, market_count, message_count, BASE)

    def run(self, middle, rate, count=None, counts_allocations=False):
        """Plays `count` messages at `rate` a second (0: as fast as they are taken) and returns what was measured.

        Counting allocations costs a little time, so such a run tells nothing else.
        """
        count = count or self.message_count
        allocations = self.directory / "allocations"
        allocations.write_bytes(bytes(8))
        environment = dict(os.environ)
        if counts_allocations:
            environment |= {"ALLOCATIONS": str(allocations), "LD_PRELOAD": str(self.tools / "allocations.so")}
        times, socket = self.directory / "times", self.directory / "feedd.sock"
        times.unlink(missing_ok=True)
        socket.unlink(missing_ok=True)
        started = []

        def start(command, core, **streams):
            # On machines with more than one processor the middle has one for itself, both ends share another.
            pinned = ["taskset", "-c", str(core)] if os.cpu_count() > 1 else []
            process = subprocess.Popen([*pinned, *map(str, command)], text=True, **streams)
            started.append(process)
            return process

        try:
            venue = start(
                [self.tools / "venue", self.markets, self.messages, times, count], 0,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            port = int(line_of(venue, READY_MAX))
            if middle.startswith("feedd"):
                feed = self.start_feedd(start, port, environment, middle)
            else:
                batch = ["batch"] if middle == "c-batch" else []
                feed = start([self.tools / "feed_client", port, socket, self.markets, *batch], 1)
            subscriber = start(
                [self.tools / "subscriber", socket, self.markets, times, BASE, count], 0, stdout=subprocess.PIPE)
            if line_of(subscriber, READY_MAX) != "ready":
                raise RuntimeError(f"{middle}: not all books became trusted")
            before, allocated = processor_times(feed.pid), number_in(allocations)
            venue.stdin.write(f"go {rate}\n")
            venue.stdin.flush()
            result = json.loads(line_of(subscriber, RUN_MAX))
            for name, start_time, end_time in zip(("cpu", "wait"), before, processor_times(feed.pid)):
                result[name] = (end_time - start_time) / max(1, result["deltas"])
            result["allocations"] = (number_in(allocations) - allocated) / max(1, result["deltas"])
            result["memory"] = resident_memory(feed.pid)
            result["rate"] = result["deltas"] / result["elapsed"] * 1e9
            result["lost"] = count - result["deltas"]
            return result
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()

    def start_feedd(self, start, port, environment, middle):
        configuration = self.directory / "polybot.toml"
        configuration.write_text(
            f'[venue]\nclob_url = "http://127.0.0.1:{port}"\nmarket_ws_url = "ws://127.0.0.1:{port}/ws/market"\n'
            'binance_ws_url = ""\nprices_ws_url = ""\n'
            f"[feed]\ntokens_per_connection = 500\nstandby = {str(middle == 'feedd-pair').lower()}\n"
            # Of the hashes as many as one hundredth of a core has time for.
            f"hash_budget_percent = {1 if middle == 'feedd-sampled' else 25}\n")
        log = open(self.directory / "feedd.log", "w")
        return start(
            [self.feedd, "--config", configuration, "--runtime-dir", self.directory, "--state-dir",
             self.directory / "state", "--log-format", "json"], 1, stderr=log, env=environment)


def line_of(process, seconds):
    """The next line that a process prints."""
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    if not ready:
        raise RuntimeError(f"{process.args} said nothing for {seconds} s")
    return process.stdout.readline().strip()


def number_in(file):
    return int.from_bytes(file.read_bytes()[:8], "little")


def processor_times(pid):
    """Nanoseconds that a process's threads have run, and that they have waited for a processor."""
    ran = waited = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                times = file.read().split()
                ran, waited = ran + int(times[0]), waited + int(times[1])
        except FileNotFoundError:
            pass
    return ran, waited


def resident_memory(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))
