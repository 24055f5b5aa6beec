"""Says nonsense to feedd.sock while an observer follows its books; prints {"answers": {what: code}, "observer": report}."""
import json, socket, sys

from feedd_observer import HELLO, Observer, read_frame, write_frame


def frame(text):
    return len(text).to_bytes(4, "big") + text.encode()


def envelope(seq, type, body, version=1):
    return frame(json.dumps({"v": version, "seq": seq, "type": type, "sent_time": 0, "body": body}))


NONSENSE = {
    "length 0": bytes(4),
    "length 2 GiB": (1 << 31).to_bytes(4, "big"),
    "torn frame": (100).to_bytes(4, "big") + b'{"v":1,',
    "invalid JSON": frame("{'v':1}"),
    "unknown version": envelope(2, "subscribe", {"markets": "all"}, version=2),
    "no such market": envelope(2, "subscribe", {"id": 1, "markets": ["0x12"]}),
    "markets of no kind": envelope(2, "subscribe", {"id": 1, "markets": 5}),
    "a gap": envelope(3, "subscribe", {"id": 1, "markets": "all"}),
    "unknown type": envelope(2, "teleport", {}) + envelope(3, "subscribe", {"id": 1, "markets": []}),
}

path = sys.argv[1]
observer = Observer(path)
observer.start()
observer.first_book.wait(60)
answers = {}
for name, words in NONSENSE.items():
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(60)
    line.connect(path)
    write_frame(line, 1, "hello", HELLO)
    line.sendall(words)
    if name == "torn frame":
        line.shutdown(socket.SHUT_WR)
    stream, answer = line.makefile("rb"), "the end"
    while said := read_frame(stream):
        if said["type"] in ("error", "result"):
            answer = said["body"].get("code", said["type"])
            break
    answers[name] = answer
    line.close()
print(json.dumps({"answers": answers, "observer": observer.report()}), flush=True)
