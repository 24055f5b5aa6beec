"""Prints what feedd_client.follow makes of feedd.sock, a JSON text a line.

    python3 feedd_books.py SOCKET

{"state": [market, [[price, size] of bids, best first], [of asks]]}   each trusted and settled state of a book
{"status": counters, "books": {market: state}}                         with each feed_status
"""
import json, sys

from feedd_client import follow


def state(book):
    return [book["market"], sorted(book["bids"].items(), reverse=True), sorted(book["asks"].items())]


for type, body, books in follow(sys.argv[1]):
    if type in ("book", "delta"):
        book = books[body["n"]]
        if book["trusted"] and book["settled"]:
            print(json.dumps({"state": state(book)}), flush=True)
    elif type == "feed_status":
        good = {b["market"]: state(b) for b in books.values() if b["trusted"] and b["settled"]}
        print(json.dumps({"status": body["counters"], "books": good}), flush=True)
    elif type == "error":
        print(json.dumps({"error": body}), flush=True)
