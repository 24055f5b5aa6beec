"""Event to signed order, beside a bare signature and the venue's official client; and the ledger's journal beside C's."""

import json
import statistics
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def output(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, check=True, text=True, timeout=120)
    return json.loads(done.stdout)


def client_python():
    """The python that has the official client; None where it cannot be had."""
    done = subprocess.run([HERE.parent / "scripts/test-clob-client"], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def sign(tools, repeat, count):
    """Rows of the table: alternating runs, medians."""
    python = client_python()
    names = {
        "bare": "libsecp256k1, the signature alone", "decide": "stratd, from a delta's bytes to the decided order",
        "record": "… to the journal's lines", "sign": "… to the signature", "ready": "… to the request, headers included",
        "client": "py-clob-client-v2, the signed order"}
    runs = {name: [] for name in names}
    for _ in range(repeat):
        runs["bare"].append(output(tools / "sign", count))
        ours = output(tools / "orders", "sign", count)
        for step in ("decide", "record", "sign", "ready"):
            runs[step].append(ours[step])
        if python:
            runs["client"].append(output(python, HERE / "clob_sign.py", max(100, count // 20)))
    base = statistics.median(run["p50"] for run in runs["bare"])
    rows = []
    for key, name in names.items():
        if not runs[key]:
            continue
        p50, p99 = (statistics.median(run[which] for run in runs[key]) for which in ("p50", "p99"))
        rows.append([name, f"{p50 / 1000:.1f}", f"{p99 / 1000:.1f}", f"{p50 / base:.2f}"])
    return rows


def updates(tools, repeat, markets, count):
    """A row: markets, the median rate, and what the strategy did meanwhile."""
    runs = [output(tools / "orders", "updates", markets, count) for _ in range(repeat)]
    time = statistics.median(run["time"] for run in runs) / count
    return [str(markets), f"{1e9 / time:,.0f}", f"{time:.0f}", f"{runs[0]['looks']:,}", f"{runs[0]['orders']:,}"]


def journal(tools, repeat, groups):
    runs = {"C": [], "stratd": []}
    for _ in range(repeat):
        # Beside the repository, as what is in /tmp may be in memory.
        with tempfile.TemporaryDirectory(prefix=".bench-", dir=HERE) as directory:
            ours = output(tools / "orders", "journal", directory, groups)
            runs["stratd"].append(ours)
            theirs = output(tools / "journal", f"{directory}/c", groups, ours["group_bytes"])
            runs["C"].append(theirs | {"records": ours["records"], "group_records": ours["group_records"]})
    names = {"C": "C: write(2), fdatasync on a thread", "stratd": "stratd's ledger"}
    base = statistics.median(run["p50"] for run in runs["C"])
    rows = []
    for key, name in names.items():
        first = runs[key][0]
        p50, p99 = (statistics.median(run[which] for run in runs[key]) for which in ("p50", "p99"))
        rate = statistics.median(run["records"] / (run["synced"] / 1e9) for run in runs[key])
        rows.append(
            [name, f"{p50 / 1000:.2f}", f"{p99 / 1000:.1f}", f"{p50 / 1000 / first['group_records']:.2f}", f"{rate:,.0f}",
             f"{p50 / base:.2f}"])
    return rows, runs["stratd"][0]["group_bytes"]
