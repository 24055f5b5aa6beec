"""Keeps the books of feedd.sock, by docs/PROTOCOL.md alone."""
import json, os, socket, time


def follow(path):
    """Yields every frame's type and body, and the books by market number as they stand after it."""
    line, sent, books = socket.socket(socket.AF_UNIX), 0, {}
    line.connect(path)
    stream = line.makefile("rb")

    def send(type, body):
        nonlocal sent
        sent += 1
        frame = {"v": 1, "seq": sent, "type": type, "sent_time": time.time_ns() // 1000, "body": body}
        text = json.dumps(frame).encode()
        line.sendall(len(text).to_bytes(4, "big") + text)

    send("hello", {"daemon": "example", "version": "1", "instance": os.urandom(8).hex(), "pid": os.getpid()})
    send("subscribe", {"id": 1, "markets": "all", "reference_prices": []})
    while length := stream.read(4):
        frame = json.loads(stream.read(int.from_bytes(length, "big")))
        type, body = frame["type"], frame["body"]
        book = books.get(body.get("n"))
        if type == "ping":
            send("pong", body)
        elif type == "book":
            books[body["n"]] = body | {side: dict(body[side]) for side in ("bids", "asks")}
        elif type == "trust":
            for each in list(books.values()) if body["n"] == "all" else [book] if book else []:
                each["trusted"] = False  # until its next book
        elif type == "delta" and book and book["trusted"]:
            book["trusted"] = (body["epoch"], body["update"]) == (book["epoch"], book["update"] + 1)
            for side, price, size in body["levels"]:
                book[side + "s"][price] = size
                if size == 0:
                    del book[side + "s"][price]
            book.update(update=body["update"], settled=body["settled"])
        yield type, body, books
