"""Places orders that rest, with the venue's official client, and says how many of the key's are open then.

    clob_orders.py READY_LINE KEY COUNT      what simvenue printed when it was ready; 0 places none
"""

import json
import sys

from py_clob_client_v2.client import ClobClient
from py_clob_client_v2.clob_types import OrderArgs, OrderType, PostOrdersV2Args

ready, key, count = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
host = f"http://127.0.0.1:{ready['port']}"
client = ClobClient(host, chain_id=137, key=key)
client.set_api_creds(client.create_or_derive_api_key())
if count:
    import urllib.request

    with urllib.request.urlopen(f"{host}/truth", timeout=10) as answer:
        # Windows of five minutes may end while this runs, and their orders with them.
        markets = [one for one in json.load(answer)["markets"] if "updown" not in one["slug"]]
    token = markets[0]["tokens"][0]
    while count:
        batch = min(count, 15)
        orders = [
            PostOrdersV2Args(order=client.create_order(OrderArgs(token_id=token, price=0.01, size=5, side="BUY")),
                             orderType=OrderType.GTC)
            for _ in range(batch)]
        for one in client.post_orders(orders):
            if not one.get("orderID"):
                sys.exit(f"an order was refused: {one}")
        count -= batch
print(len(client.get_open_orders()))
