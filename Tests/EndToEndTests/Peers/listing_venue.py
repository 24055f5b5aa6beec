"""A venue that lists as many markets as are wanted and confirms each: pages by cursor in Gamma's form, and the order
book service's terms.

    listing_venue.py COUNT

Prints {"port": N}, and serves at loopback until it is ended. One market in eight ended long ago, as at the real venue.
"""

import json
import sys
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE_COUNT_MAX = 100
# Odd, so that numbers and ids of 256 bits belong to each other one to one.
FACTOR = 0x9E3779B97F4A7C15F39CC0605CEDC8341082276BF3A27251F86C6A11D0C18E95
SPACE = 1 << 256
INVERSE = pow(FACTOR, -1, SPACE)
DAY = 86_400
SUBJECTS = ("Bitcoin", "the Fed", "Arsenal", "Taylor Swift", "gold", "the Senate", "Ethereum", "a hurricane")
DESCRIPTION = (
    'This market will resolve to "Yes" if {subject} is above {number} by the end of the date that the title names, and '
    'to "No" otherwise.\nThe resolution source for this market is a consensus of credible reporting, and the official '
    "page of whoever publishes the figure, as it stands when the window ends.\nPlease note that later corrections of "
    'the figure do not count, and that one that is not published within two weeks resolves this market to "No".')


def condition(number):
    return f"0x{number * FACTOR % SPACE:064x}"


def tokens(number):
    return [str((2 * number + side) * FACTOR % SPACE) for side in (0, 1)]


def number_of(condition_id):
    try:
        return int(condition_id, 16) * INVERSE % SPACE
    except ValueError:
        return 0


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Listing:
    def __init__(self, count):
        self.count = count
        self.start = int(time.time())

    def market(self, number):
        has_ended = number % 8 == 0
        end = self.start + (-100 * DAY if has_ended else 30 * DAY + number)
        created = rfc3339(self.start - 200 * DAY + number)
        subject = SUBJECTS[number % len(SUBJECTS)]
        slug = f"will-{subject.lower().replace(' ', '-')}-be-above-{number}"
        question = f"Will {subject} be above {number}?"
        description = DESCRIPTION.format(subject=subject, number=number)
        image = f"https://polymarket-upload.s3.us-east-2.amazonaws.com/{slug}.png"
        volume = number * 7_919 % 1_000_000 + 0.123457
        common = {
            "slug": slug, "description": description, "resolutionSource": "", "startDate": created,
            "endDate": rfc3339(end), "image": image, "icon": image, "active": True, "closed": False,
            "archived": False, "new": False, "featured": False, "restricted": True, "createdAt": created,
            "updatedAt": created, "volume24hr": volume, "volume1wk": volume, "volume1mo": volume, "volume1yr": volume,
            "enableOrderBook": True, "liquidityClob": 2_032.8374, "negRisk": False, "competitive": 0.99, "cyom": False,
            "pendingDeployment": False, "deploying": False, "requiresTranslation": False, "automaticallyActive": True,
        }
        event = common | {
            "id": str(100_000 + number), "ticker": slug, "title": question, "creationDate": created,
            "liquidity": 2_032.8374, "volume": volume, "openInterest": 0, "commentCount": 0, "showAllOutcomes": True,
            "showMarketImages": True, "enableNegRisk": False, "negRiskAugmented": False,
        }
        return common | {
            "id": str(number), "question": question, "conditionId": condition(number),
            "questionID": condition(number + SPACE // 2), "outcomes": '["Yes", "No"]',
            "outcomePrices": '["0.505", "0.495"]', "clobTokenIds": json.dumps(tokens(number)), "volume": str(volume),
            "liquidity": "2032.8374", "volumeNum": volume, "liquidityNum": 2_032.8374, "volumeClob": volume,
            "endDateIso": rfc3339(end)[:10], "startDateIso": created[:10], "hasReviewedDates": True,
            "marketMakerAddress": "", "groupItemThreshold": "0", "orderPriceMinTickSize": 0.01, "orderMinSize": 5,
            "acceptingOrders": True, "acceptingOrdersTimestamp": created, "makerBaseFee": 1_000, "takerBaseFee": 1_000,
            "ready": False, "funded": False, "approved": True, "pagerDutyNotificationEnabled": False,
            "rewardsMinSize": 50, "rewardsMaxSpread": 4.5, "spread": 0.01, "lastTradePrice": 0.51, "bestBid": 0.5,
            "bestAsk": 0.51, "clearBookOnStart": False, "showGmpSeries": False, "showGmpOutcome": False,
            "manualActivation": False, "negRiskOther": False, "umaResolutionStatuses": "[]", "rfqEnabled": False,
            "holdingRewardsEnabled": False, "feesEnabled": False, "events": [event],
            "tags": [
                {"id": "21", "label": "Crypto", "slug": "crypto", "forceShow": False, "createdAt": created},
                {"id": "1312", "label": subject, "slug": slug[:20], "forceShow": False, "createdAt": created},
            ],
        }

    def page(self, query):
        if "condition_ids" in query:
            numbers = [number_of(text) for text in query["condition_ids"]]
            return {"markets": [self.market(number) for number in numbers if 1 <= number <= self.count]}
        count = min(PAGE_COUNT_MAX, int(query.get("limit", ["20"])[0]))
        cursor = query.get("after_cursor", [None])[0]
        if query.get("ascending", ["true"])[0] == "false":
            last = int(cursor) if cursor else self.count + 1
            numbers = range(last - 1, max(0, last - 1 - count), -1)
            has_more = last - 1 - count > 0
        else:
            last = int(cursor) if cursor else 0
            numbers = range(last + 1, min(self.count, last + count) + 1)
            has_more = last + count < self.count
        page = {"markets": [self.market(number) for number in numbers]}
        if has_more:
            page["next_cursor"] = str(numbers[-1])
        return page

    def terms(self, condition_id):
        number = number_of(condition_id)
        if not 1 <= number <= self.count:
            return None
        outcomes = [{"t": token, "o": label} for token, label in zip(tokens(number), ("Yes", "No"))]
        return {"c": condition_id, "mos": 5, "mts": 0.01, "ao": True, "nr": False, "t": outcomes}

    def answer(self, path, query):
        """None for what is not there."""
        if path == "/markets/keyset":
            return self.page(query)
        if path.startswith("/clob-markets/"):
            return self.terms(path.rsplit("/", 1)[1])
        number = path.rsplit("-", 1)[-1]
        if path.startswith("/markets/slug/") and number.isdigit() and 1 <= int(number) <= self.count:
            return self.market(int(number))
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        url = urlsplit(self.path)
        answer = self.server.listing.answer(url.path, parse_qs(url.query))
        body = json.dumps(answer).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Type", "application/json")
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            packer = zlib.compressobj(1, wbits=31)
            body = packer.compress(body) + packer.flush()
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.listing = Listing(int(sys.argv[1]))
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
