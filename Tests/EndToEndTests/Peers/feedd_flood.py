"""Floods feedd.sock with connections while an observer follows its books.

    python3 feedd_flood.py SOCKET COUNT SECONDS PID

Opens COUNT connections, holds them for SECONDS and prints {"answers": first frames, "cpu_ms": the daemon's meanwhile,
"observer": report, "after": the first frame of a connection made when the others are closed}.
"""
import json, os, resource, select, socket, sys, time

from feedd_observer import Observer, read_frame

path, count, seconds, pid = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
# What may not be held is given back at once, the oldest first.
held_max = min(count, hard - 64)


def cpu():
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 // os.sysconf("SC_CLK_TCK")


def first_frame(line):
    frame = read_frame(line.makefile("rb"))
    return None if frame is None else frame["body"].get("code", frame["type"])


observer = Observer(path)
observer.start()
observer.first_book.wait(60)
before, end, held, answers = cpu(), time.monotonic() + seconds, [], {}
waiting, poller = {}, select.poll()
for _ in range(count):
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    held.append(line)
    waiting[line.fileno()] = line
    poller.register(line, select.POLLIN)
    if len(held) > held_max or len(waiting) > 500:
        end = max(end, time.monotonic() + seconds)
        for number, _ in poller.poll(0):
            poller.unregister(number)
            answer = first_frame(waiting.pop(number))
            answers[answer] = answers.get(answer, 0) + 1
    if len(held) > held_max:
        held.pop(0).close()
while time.monotonic() < end:
    for number, _ in poller.poll(max(0, int(1000 * (end - time.monotonic())))):
        poller.unregister(number)
        answer = first_frame(waiting.pop(number))
        answers[answer] = answers.get(answer, 0) + 1
spent = cpu() - before
for line in held:
    line.close()
after = socket.socket(socket.AF_UNIX)
after.settimeout(60)
deadline = time.monotonic() + 60
last = None
while last != "hello" and time.monotonic() < deadline:
    after = socket.socket(socket.AF_UNIX)
    after.settimeout(60)
    after.connect(path)
    last = first_frame(after)
print(json.dumps({"answers": answers, "cpu_ms": spent, "observer": observer.report(), "after": last}), flush=True)
