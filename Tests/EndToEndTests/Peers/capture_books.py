"""Rebuilds the books of a capture straight from its messages, without a line of polybot's.

    python3 capture_books.py FILE

Prints {"states": [[market, bids, asks], …], "last": {market: [market, bids, asks]}}: the book of each market's first
outcome after every message, levels [price, size] in millionths, best first. A book of the second outcome is kept beside,
and must be the mirror of the first whenever both were told.
"""
import json, sys
from decimal import Decimal


def micros(text):
    return int(Decimal(text) * 1_000_000)


books, first, states, last = {}, {}, [], {}
for line in open(sys.argv[1]):
    record = json.loads(line)
    if "terms" in record:
        first[record["terms"]["market"]] = record["terms"]["outcomes"][0]["token"]
    raw = record["raw"]
    if raw is None or isinstance(raw, str) or "follows" in record:
        continue  # an event of the recorder's, a PONG, or what another connection told as well
    for message in raw if isinstance(raw, list) else [raw]:
        market, touched = message.get("market"), set()
        if message["event_type"] == "book":
            first.setdefault(market, message["asset_id"])
            sides = ({micros(level["price"]): micros(level["size"]) for level in message[side]} for side in ("bids", "asks"))
            books[market, message["asset_id"]] = list(sides)
            touched.add(message["asset_id"])
        for change in message.get("price_changes", []):
            book = books.get((market, change["asset_id"]))
            if book is None:
                continue
            side = book[0 if change["side"] == "BUY" else 1]
            side[micros(change["price"])] = micros(change["size"])
            if side[micros(change["price"])] == 0:
                del side[micros(change["price"])]
            touched.add(change["asset_id"])
        if first.get(market) in touched:
            bids, asks = books[market, first[market]]
            last[market] = [market, sorted(bids.items(), reverse=True), sorted(asks.items())]
            states.append(last[market])

for (market, asset), (bids, asks) in books.items():
    if asset != first[market]:
        mirrored = [{1_000_000 - price: size for price, size in side.items()} for side in (asks, bids)]
        assert mirrored == books[market, first[market]], f"the outcomes of {market} contradict each other"
print(json.dumps({"states": states, "last": last}))
