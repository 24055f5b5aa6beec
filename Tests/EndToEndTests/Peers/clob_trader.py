"""Trades at a venue with the official client, once for each signature type, and follows both channels meanwhile.

    clob_trader.py READY_LINE      what simvenue printed when it was ready

Prints one JSON line for each signature type; ends with 1 and a sentence at the first thing that is not as the venue
documents it. The keys are made of fixed words: worth nothing anywhere.
"""

import hashlib
import json
import sys
import threading
import time
import urllib.request

from eth_utils import keccak, to_checksum_address
from py_clob_client_v2.client import ClobClient
from py_clob_client_v2.clob_types import (
    AssetType, BalanceAllowanceParams, BookParams, MarketOrderArgs, OpenOrderParams, OrderArgs,
    OrderMarketCancelParams, OrderPayload, OrderType, PostOrdersV2Args, TradeParams, ApiCreds)
from py_clob_client_v2.exceptions import PolyApiException
from websockets.sync.client import connect

WAIT_MAX = 30
BALANCE = 10_000_000_000
PROXY_FACTORY = bytes.fromhex("aB45c5A4B0c941a2F231C04C3f49182e1A254052")
PROXY_IMPLEMENTATION = bytes.fromhex("44e999d5c2F66Ef0861317f9A4805AC2e90aEB4f")
SAFE_FACTORY = bytes.fromhex("aacFeEa03eb1561C4e67d661e40682Bd20E3541b")
SAFE_CODE_HASH = bytes.fromhex("2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf")
WALLET_FACTORY = bytes.fromhex("00000000000Fb5C9ADea0298D729A0CB3823Cc07")
WALLET_BEACON = bytes.fromhex("7A18EDfe055488A3128f01F563e5B479D92ffc3a")


class Wrong(Exception):
    pass


def expect(holds, *facts):
    if not holds:
        raise Wrong(" ".join(str(fact) for fact in facts))


def refused(text, action):
    """The action must be refused with `text`; gives the status."""
    try:
        answer = action()
    except PolyApiException as refusal:
        expect(text in str(refusal.error_msg), "refused with", refusal, "instead of", text)
        return refusal.status_code
    answers = answer if isinstance(answer, list) else [answer]
    expect(all(text in str(one.get("errorMsg")) for one in answers), "accepted instead of", text, answer)
    return 200


# Wallets


def create2(factory, salt, code_hash):
    return to_checksum_address(keccak(b"\xff" + factory + salt + code_hash)[12:])


def funder(signer, signature_type):
    signer = bytes.fromhex(signer[2:])
    if signature_type == 1:
        code = (bytes.fromhex("3d3d606380380380913d393d73") + PROXY_FACTORY
                + bytes.fromhex("5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73")
                + PROXY_IMPLEMENTATION + bytes.fromhex("5af43d82803e903d91602b57fd5bf352e831dd")
                + (32).to_bytes(32, "big") + bytes(32))
        return create2(PROXY_FACTORY, keccak(signer), keccak(code))
    if signature_type == 2:
        return create2(SAFE_FACTORY, keccak(signer.rjust(32, b"\0")), SAFE_CODE_HASH)
    if signature_type == 3:
        words = WALLET_FACTORY.rjust(32, b"\0") + signer.rjust(32, b"\0")
        prefix = (0x6100523D8160233D3973 + (len(words) << 56)).to_bytes(10, "big")
        code = prefix + WALLET_BEACON + bytes.fromhex(
            "60195155f3363d3d373d3d363d602036600436635c60da"
            "1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c"
            "b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3") + words
        return create2(WALLET_FACTORY, keccak(words), keccak(code))
    return to_checksum_address(signer)


# Channels


class Channel:
    """Follows a channel on a thread of its own; what it heard is in `events`."""

    def __init__(self, url, hello):
        self.socket = connect(url, max_size=None).__enter__()
        self.events, self.lock = [], threading.Lock()
        self.socket.send(json.dumps(hello))
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        try:
            for text in self.socket:
                if text == "PONG":
                    continue
                value = json.loads(text)
                with self.lock:
                    self.events += value if isinstance(value, list) else [value]
        except Exception:
            pass

    def all(self, event_type):
        with self.lock:
            return [event for event in self.events if event.get("event_type") == event_type]

    def wait(self, what, is_wanted):
        deadline = time.monotonic() + WAIT_MAX
        while time.monotonic() < deadline:
            with self.lock:
                for event in self.events:
                    if is_wanted(event):
                        return event
            time.sleep(0.01)
        with self.lock:
            raise Wrong(f"no {what} came; the latest events: {self.events[-5:]}")

    def order(self, order_id, kind):
        return self.wait(f"{kind} of {order_id}", lambda event: event.get("event_type") == "order"
                         and event["type"] == kind and event["id"] == order_id)

    def trade(self, trade_id, status):
        return self.wait(f"trade {trade_id} {status}", lambda event: event.get("event_type") == "trade"
                         and event["id"] == trade_id and event["status"] == status)


def micros(text):
    whole, _, rest = str(text).partition(".")
    return int(whole or "0") * 1_000_000 + int((rest + "000000")[:6])


# The story


class Trader:
    def __init__(self, urls, signature_type):
        self.urls, self.signature_type = urls, signature_type
        key = "0x" + hashlib.sha256(f"a trader of type {signature_type}".encode()).hexdigest()
        host = urls["clob_url"]
        bare = ClobClient(host, 137, key=key)
        self.wallet = funder(bare.get_address(), signature_type)
        self.client = ClobClient(host, 137, key=key, signature_type=signature_type, funder=self.wallet)
        creds = self.client.create_or_derive_api_key()
        expect(self.client.derive_api_key() == creds, "derived key differs")
        refused("Could not create api key", self.client.create_api_key)
        self.client.set_api_creds(creds)
        self.user = Channel(urls["user_ws_url"], {
            "type": "user", "markets": [],
            "auth": {"apiKey": creds.api_key, "secret": creds.api_secret, "passphrase": creds.api_passphrase}})

    def choose(self, market):
        self.market, self.token = market["market"], market["tokens"][0]
        self.tick = self.client.get_tick_size(self.token)
        # The channel says nothing when it has taken us in; a PONG proves it.
        self.book = Channel(self.urls["market_ws_url"], {"type": "market", "assets_ids": market["tokens"]})
        self.book.wait("first book", lambda event: event.get("event_type") == "book")

    def limit(self, ticks=3, size=10.0, side="BUY", **more):
        """An order so many ticks above zero, where nobody sells: it rests."""
        return self.client.create_order(OrderArgs(
            token_id=self.token, price=round(ticks * float(self.tick), 4), size=size, side=side, **more))

    def money(self):
        answer = self.client.get_balance_allowance(BalanceAllowanceParams(AssetType.COLLATERAL))
        return int(answer["balance"])

    def shares(self):
        answer = self.client.get_balance_allowance(
            BalanceAllowanceParams(AssetType.CONDITIONAL, token_id=self.token))
        return int(answer["balance"])

    def rest_and_cancel(self):
        order = self.limit()
        answer = self.client.post_order(order, OrderType.GTC, post_only=True)
        expect(answer["success"] and answer["status"] == "live", answer)
        order_id = answer["orderID"]
        placement = self.user.order(order_id, "PLACEMENT")
        expect(placement["maker_address"].lower() == self.wallet.lower(), placement)
        expect(placement["owner"] == self.client.creds.api_key, placement)
        known = self.client.get_order(order_id)
        expect(known["original_size"] == "10" and known["size_matched"] == "0", known)
        price = known["price"]
        self.book.wait("level of our order", lambda event: event.get("event_type") == "price_change" and any(
            change["asset_id"] == self.token and change["side"] == "BUY"
            and float(change["price"]) == float(price) for change in event["price_changes"]))
        ids = [one["id"] for one in self.client.get_open_orders(OpenOrderParams(market=self.market))]
        expect(ids == [order_id], ids)
        refused("Duplicated", lambda: self.client.post_order(order, OrderType.GTC))
        done = self.client.cancel_order(OrderPayload(orderID=order_id))
        expect(done == {"canceled": [order_id], "not_canceled": {}}, done)
        self.user.order(order_id, "CANCELLATION")
        again = self.client.cancel_order(OrderPayload(orderID=order_id))
        expect(order_id in again["not_canceled"] and not again["canceled"], again)
        expect(self.client.get_open_orders() == [], "an order is left open")

    def batches(self):
        def batch(count):
            return [PostOrdersV2Args(self.limit(ticks=2 + index % 5), OrderType.GTC) for index in range(count)]
        answers = self.client.post_orders(batch(15))
        expect(len(answers) == 15 and all(one["status"] == "live" for one in answers), answers)
        refused("Too many orders in payload: 16, max allowed: 15", lambda: self.client.post_orders(batch(16)))
        ids = [one["orderID"] for one in answers]
        done = self.client.cancel_orders(ids[:5])
        expect(sorted(done["canceled"]) == sorted(ids[:5]), done)
        done = self.client.cancel_market_orders(OrderMarketCancelParams(market=self.market))
        expect(sorted(done["canceled"]) == sorted(ids[5:]), done)
        expect(self.client.cancel_all()["canceled"] == [], "orders were left")

    def buy_and_sell(self):
        money = self.money()
        # Prices with room: the book may move while the taker delay holds the order.
        asks = self.client.get_order_book(self.token)["asks"]
        order = self.client.create_market_order(MarketOrderArgs(
            token_id=self.token, amount=25, side="BUY", order_type=OrderType.FOK,
            price=round(min(float(asks[-1]["price"]) + 0.1, 0.98), 2)))
        answer = self.client.post_order(order, OrderType.FOK)
        if answer["status"] == "delayed":
            self.user.order(answer["orderID"], "UPDATE")
        else:
            expect(answer["status"] == "matched" and answer["tradeIDs"], answer)
        trades = [one for one in self.client.get_trades(TradeParams(market=self.market))
                  if one["taker_order_id"] == answer["orderID"]]
        expect(trades, "no trades of", answer)
        bought = 0
        for trade in trades:
            expect(trade["trader_side"] == "TAKER" and trade["maker_orders"], trade)
            bought += micros(trade["size"])
            for status in ("MATCHED", "MINED", "CONFIRMED"):
                self.user.trade(trade["id"], status)
        expect(self.shares() == bought, "shares", self.shares(), "bought", bought)
        spent = money - self.money()
        expect(25_000_000 - 25 * 10_000 <= spent <= 26_750_000, "spent", spent)
        size = bought // 10_000 / 100
        order = self.client.create_market_order(
            MarketOrderArgs(token_id=self.token, amount=size, side="SELL", order_type=OrderType.FAK,
                            price=float(self.tick)))
        answer = self.client.post_order(order, OrderType.FAK)
        expect(answer["status"] in ("matched", "delayed"), answer)
        self.user.order(answer["orderID"], "UPDATE")
        return spent

    def refusals(self):
        refused("not enough balance / allowance", lambda: self.client.post_order(self.limit(size=9_000_000.0)))
        refused("lower than the minimum: 5", lambda: self.client.post_order(self.limit(size=4.0)))
        crossing = self.client.create_order(OrderArgs(
            token_id=self.token, price=round(1 - float(self.tick), 4), size=10.0, side="BUY"))
        refused("invalid post-only order", lambda: self.client.post_order(crossing, OrderType.GTC, post_only=True))
        below = self.client.create_order(OrderArgs(
            token_id=self.token, price=float(self.tick), size=5_000.0, side="BUY"))
        refused("FOK orders are fully filled or killed", lambda: self.client.post_order(below, OrderType.FOK))
        refused("no orders found to match with FAK order", lambda: self.client.post_order(
            self.client.create_order(OrderArgs(token_id=self.token, price=float(self.tick), size=6_000.0, side="BUY")),
            OrderType.FAK))
        late = self.limit(expiration=int(time.time()) + 5)
        refused("invalid expiration", lambda: self.client.post_order(late, OrderType.GTD))
        stranger = ClobClient(
            self.urls["clob_url"], 137, key="0x" + "17" * 32, signature_type=self.signature_type, funder=self.wallet)
        stranger.set_api_creds(self.client.creds)
        order = stranger.create_order(OrderArgs(
            token_id=self.token, price=3 * float(self.tick), size=10.0, side="BUY"))
        expect(refused("", lambda: stranger.post_order(order)) in (400, 401), "a stranger's order was taken")
        wrong = self.client.creds
        self.client.set_api_creds(ApiCreds(wrong.api_key, "A" * 43 + "=", wrong.api_passphrase))
        expect(refused("Unauthorized/Invalid api key", self.client.get_open_orders) == 401, "not 401")
        self.client.set_api_creds(wrong)

    def expire_later(self):
        order = self.limit(expiration=int(time.time()) + 600)
        answer = self.client.post_order(order, OrderType.GTD)
        expect(answer["status"] == "live", answer)
        expect(self.client.get_order(answer["orderID"])["order_type"] == "GTD", "not GTD")
        expect(self.client.cancel_all()["canceled"] == [answer["orderID"]], "not cancelled")

    def beat(self):
        first = self.client.post_heartbeat("")["heartbeat_id"]
        second = self.client.post_heartbeat(first)["heartbeat_id"]
        expect(first and second, first, second)
        refused("Invalid Heartbeat ID", lambda: self.client.post_heartbeat(
            "00000000-0000-0000-0000-000000000000"))


def main():
    urls = json.loads(sys.argv[1])
    with urllib.request.urlopen(urls["clob_url"] + "/truth", timeout=WAIT_MAX) as answer:
        markets = [one for one in json.load(answer)["markets"] if "up" not in one["slug"].split("-")
                   and "updown" not in one["slug"]]
    try:
        for signature_type in range(4):
            trader = Trader(urls, signature_type)
            expect(trader.money() == BALANCE, trader.money())
            trader.choose(markets[signature_type % len(markets)])
            trader.rest_and_cancel()
            trader.batches()
            spent = trader.buy_and_sell()
            trader.refusals()
            trader.expire_later()
            trader.beat()
            print(json.dumps({
                "signature_type": signature_type, "spent": spent,
                "user_events": len(trader.user.events), "market_events": len(trader.book.events)}), flush=True)
    except Wrong as wrong:
        print(f"signature type {signature_type}: {wrong}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
