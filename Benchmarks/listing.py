"""The first pass over a long listing: what scannerd needs of memory and processor."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from path import line_of

VENUE = Path(__file__).resolve().parent.parent / "Tests/EndToEndTests/Peers/listing_venue.py"
READY_MAX = 15
PASS_MAX = 300
DONE = "First pass over the listing is done"
MEMORY_MAX = 60e6
CPU_MAX = 5


def run(scannerd, directory, market_count):
    """{"memory": bytes at the most, "cpu": seconds, "pass": seconds} from the start to the end of the first pass."""
    started = [
        subprocess.Popen([sys.executable, VENUE, str(market_count)], stdout=subprocess.PIPE, text=True)]
    try:
        url = f"http://127.0.0.1:{json.loads(line_of(started[0], READY_MAX))['port']}"
        environment = os.environ | {"POLYBOT_VENUE_GAMMA_URL": url, "POLYBOT_VENUE_CLOB_URL": url}
        log = directory / "scannerd.log"
        start = time.monotonic()
        with open(log, "w") as file:
            scanner = subprocess.Popen(
                [scannerd, "--runtime-dir", directory, "--state-dir", directory / "state"], env=environment,
                cwd=directory, stderr=file)
        started.append(scanner)
        while DONE not in log.read_text():
            if scanner.poll() is not None or time.monotonic() > start + PASS_MAX:
                raise RuntimeError(f"no pass was done: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        line = next(line for line in log.read_text().splitlines() if DONE in line)
        if str(market_count) not in line:
            raise RuntimeError(f"not all markets were listed: {line}")
        memory, cpu = usage(scanner.pid)
        return {"memory": memory, "cpu": cpu, "pass": time.monotonic() - start}
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=READY_MAX)


def usage(pid):
    """The most bytes that were resident, and seconds of processor time."""
    with open(f"/proc/{pid}/status") as file:
        memory = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))
    with open(f"/proc/{pid}/stat") as file:
        # After the name, which may hold anything: utime and stime.
        fields = file.read().rsplit(")", 1)[1].split()
    return memory, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
