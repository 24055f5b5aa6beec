"""What simvenue makes: a bare subscriber counts, at a rate above what it can do."""

import json
import subprocess
import urllib.request

from path import line_of, processor_times, resident_memory

READY_MAX = 15
RATE = 200_000


def run(tools, simvenue, market_count, seconds):
    """{"rate": messages a second, "cpu": nanoseconds of simvenue a message, "bytes": a message, "memory": …}."""
    command = [simvenue, "--markets", str(market_count), "--rate", str(RATE)]
    venue = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = json.loads(line_of(venue, READY_MAX))["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/truth", timeout=READY_MAX) as answer:
            markets = json.load(answer)["markets"]
        tokens = [token for market in markets for token in market["tokens"]][:500]
        subscription = json.dumps({"type": "market", "assets_ids": tokens})
        before = processor_times(venue.pid)[0]
        counter = [tools / "counter", str(port), str(seconds)]
        result = json.loads(
            subprocess.run(
                counter, input=subscription, capture_output=True, check=True, text=True, timeout=seconds + 30).stdout)
        cpu = processor_times(venue.pid)[0] - before
        messages = result["messages"]
        return {
            "rate": messages / result["elapsed"] * 1e9, "cpu": cpu / messages, "bytes": result["bytes"] / messages,
            "memory": resident_memory(venue.pid),
        }
    finally:
        venue.terminate()
        venue.wait()
