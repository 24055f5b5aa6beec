"""A subscriber of feedd.sock that notices everything: a gap, a delay, an error, the end."""
import json, socket, threading, time


def read_frame(stream):
    """The next frame, or None at the end."""
    length = stream.read(4)
    if len(length) < 4:
        return None
    return json.loads(stream.read(int.from_bytes(length, "big")))


def write_frame(line, seq, type, body):
    text = json.dumps({"v": 1, "seq": seq, "type": type, "sent_time": time.time_ns() // 1000, "body": body}).encode()
    line.sendall(len(text).to_bytes(4, "big") + text)


HELLO = {"daemon": "observer", "version": "1", "instance": "1", "pid": 1}


class Observer(threading.Thread):
    def __init__(self, path):
        super().__init__(daemon=True)
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(path)
        self.stream = self.line.makefile("rb")
        self.frames, self.gaps, self.errors, self.has_ended, self.delay = 0, 0, 0, False, 0.0
        self.books = {}
        self.first_book = threading.Event()

    def run(self):
        write_frame(self.line, 1, "hello", HELLO)
        write_frame(self.line, 2, "subscribe", {"markets": "all"})
        sent, last = 2, None
        while frame := read_frame(self.stream):
            now = time.monotonic()
            self.delay, last = max(self.delay, now - (last or now)), now
            self.frames += 1
            type, body = frame["type"], frame["body"]
            self.gaps += frame["seq"] != self.frames
            self.errors += type == "error"
            if type == "ping":
                sent += 1
                write_frame(self.line, sent, "pong", body)
            elif type == "book":
                self.gaps += "conflated" in body
                self.books[body["n"]] = (body["epoch"], body["update"])
                self.first_book.set()
            elif type == "delta":
                epoch, update = self.books[body["n"]]
                self.gaps += (epoch, update + 1) != (body["epoch"], body["update"])
                self.books[body["n"]] = (body["epoch"], body["update"])
        self.has_ended = True

    def report(self):
        return {
            "frames": self.frames, "gaps": self.gaps, "errors": self.errors, "ended": self.has_ended,
            "delay_ms": int(self.delay * 1000)
        }
