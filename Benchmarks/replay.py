"""How fast stratd runs its input journal again: a session on paper is recorded first, then replayed."""

import json
import os
import subprocess
import time

from path import line_of

READY_MAX = 15
RATE = 20_000
DAEMONS = ("scannerd", "feedd", "stratd")


def record(programs, directory, market_count, seconds):
    """Lets the pipeline trade on paper for so long; returns stratd's state directory."""
    venue = subprocess.Popen(
        [programs / "simvenue", "--port", "0", "--markets", str(market_count), "--rate", str(RATE)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    started = []
    try:
        port = json.loads(line_of(venue, READY_MAX))["port"]
        environment = os.environ | {
            "POLYBOT_VENUE_GAMMA_URL": f"http://127.0.0.1:{port}",
            "POLYBOT_VENUE_CLOB_URL": f"http://127.0.0.1:{port}",
            "POLYBOT_VENUE_MARKET_WS_URL": f"ws://127.0.0.1:{port}/ws/market",
            "POLYBOT_VENUE_PRICES_WS_URL": f"ws://127.0.0.1:{port}/prices",
            "POLYBOT_VENUE_BINANCE_WS_URL": f"ws://127.0.0.1:{port}",
            "POLYBOT_SCANNER_EXCLUDE_KEYWORDS": "updown", "POLYBOT_FEED_JOURNAL": "false",
        }
        for daemon in DAEMONS:
            started.append(subprocess.Popen(
                [programs / daemon, "--runtime-dir", directory, "--state-dir", directory / daemon], env=environment,
                cwd=directory, stderr=subprocess.DEVNULL))
        time.sleep(seconds)
    finally:
        for process in reversed([venue] + started):
            process.terminate()
            process.wait(timeout=READY_MAX)
    return directory / "stratd"


def run(programs, state):
    """{"updates": …, "inputs": …, "decisions": …, "updates_per_s": …}; fails when a decision is another one."""
    result = subprocess.run([programs / "stratd", "replay", state, "--json"], capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"the replay ended with {result.returncode}: {result.stderr}{result.stdout[:2000]}")
    return json.loads(result.stdout)
