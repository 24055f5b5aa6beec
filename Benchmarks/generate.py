"""Makes the markets and the messages that the path is measured with: right hashes, the venue's order of members.

The hash of a book is computed here a second time, independently of the project's own code.
"""

import hashlib
import random
import struct

DEPTH = 30  # Places on each side of a book; about nine of ten are taken.
SIZE_MIN = "5"
BID, ASK = 0, 1


class Market:
    """A book as texts: one for each level, side and outcome, so that a change costs little. Worst levels first."""

    def __init__(self, draw):
        self.condition = "0x%064x" % draw.getrandbits(256)
        self.tokens = [str(draw.getrandbits(255) | 1 << 254) for _ in range(2)]
        middle = draw.randrange(40, 60)
        # Prices in hundredths, in terms of the first outcome.
        self.prices = [range(middle - DEPTH, middle), range(middle + DEPTH, middle, -1)]
        self.sizes = [[0] * DEPTH, [0] * DEPTH]
        # By outcome and the side on which that outcome shows it.
        self.texts = [[[""] * DEPTH, [""] * DEPTH] for _ in range(2)]
        for side in (BID, ASK):
            for place in range(DEPTH):
                self.set(side, place, draw.randrange(500, 500_000))

    def set(self, side, place, size):
        self.sizes[side][place] = size
        price, text = self.prices[side][place], decimal(size)
        for outcome, shown in ((0, price), (1, 100 - price)):
            level = f'{{"price":"{decimal(shown)}","size":"{text}"}}' if size else ""
            self.texts[outcome][side ^ outcome][place] = level

    def levels(self, outcome):
        bids, asks = (",".join(filter(None, side)) for side in self.texts[outcome])
        return f'"bids":[{bids}],"asks":[{asks}]'

    def hash(self, outcome, time):
        text = (
            f'{{"market":"{self.condition}","asset_id":"{self.tokens[outcome]}","timestamp":"{time}","hash":"",'
            f'{self.levels(outcome)},"min_order_size":"{SIZE_MIN}","tick_size":"0.01","neg_risk":false,'
            '"last_trade_price":"0.500"}'
        )
        return hashlib.sha1(text.encode()).hexdigest()

    def book(self, outcome, time):
        return (
            f'{{"event_type":"book","market":"{self.condition}","asset_id":"{self.tokens[outcome]}",'
            f'"timestamp":"{time}","hash":"{self.hash(outcome, time)}",{self.levels(outcome)},'
            '"tick_size":"0.01","last_trade_price":"0.500"}'
        )

    def terms(self):
        tokens = ",".join(f'{{"t":"{token}","o":"{label}"}}' for token, label in zip(self.tokens, ("Up", "Down")))
        return f'{{"c":"{self.condition}","ao":true,"t":[{tokens}],"mts":0.01,"mos":{SIZE_MIN},"nr":false,"fd":{{"r":0.07,"e":1}},"itode":true}}'

    def best(self, side):
        place = max(place for place in range(DEPTH) if self.sizes[side][place])
        return self.prices[side][place]

    def change(self, draw, time):
        """A price change: one level's new size, told for both outcomes; one change in ten takes the level away."""
        side, place = draw.randrange(2), draw.randrange(DEPTH)
        old = self.sizes[side][place]
        is_removed = old and draw.random() < 0.1 and sum(map(bool, self.sizes[side])) > 1
        self.set(side, place, 0 if is_removed else old + draw.randrange(500, 10_000))
        price, size = self.prices[side][place], decimal(self.sizes[side][place])
        bid, ask = self.best(BID), self.best(ASK)
        shown = ((price, bid, ask, side), (100 - price, 100 - ask, 100 - bid, side ^ 1))
        entries = ",".join(
            f'{{"asset_id":"{self.tokens[outcome]}","price":"{decimal(price)}","size":"{size}",'
            f'"side":"{("BUY", "SELL")[side]}","hash":"{self.hash(outcome, time)}",'
            f'"best_bid":"{decimal(bid)}","best_ask":"{decimal(ask)}"}}'
            for outcome, (price, bid, ask, side) in enumerate(shown)
        )
        return (
            f'{{"event_type":"price_change","market":"{self.condition}","timestamp":"{time}",'
            f'"price_changes":[{entries}]}}'
        )


def decimal(hundredths):
    """As the venue writes prices and sizes: no zeros at the end."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0") if rest else str(whole)


def generate(markets_path, messages_path, market_count, message_count, base, seed=1):
    """Writes `message_count` price changes; message i has the venue time `base` + 1 + i milliseconds."""
    draw = random.Random(seed)
    markets = [Market(draw) for _ in range(market_count)]
    with open(markets_path, "w") as file:
        for market in markets:
            fields = [market.condition, market.terms()]
            for outcome in (0, 1):
                fields += [market.tokens[outcome], market.book(outcome, base)]
            file.write("\t".join(fields) + "\n")
    with open(messages_path, "wb") as file:
        for index in range(message_count):
            text = draw.choice(markets).change(draw, base + 1 + index).encode()
            file.write(struct.pack(">I", len(text)) + text)
