"""The venue's official Python client: from what an order shall be to the signed order, without any request.

    clob_sign.py COUNT     prints one line of JSON, in nanoseconds
"""

import json
import sys
import time

from py_clob_client_v2.clob_types import CreateOrderOptions, OrderArgs
from py_clob_client_v2.order_builder.builder import OrderBuilder
from py_clob_client_v2.signer import Signer

TOKEN = "71321045679252212594626385532706912750332728571942532289631379312455583992563"


def main():
    builder = OrderBuilder(Signer("0x" + "4f" * 32, 137))
    times = []
    for number in range(int(sys.argv[1])):
        price = 0.3 + number % 40 / 100
        start = time.perf_counter_ns()
        builder.build_order(
            OrderArgs(token_id=TOKEN, price=price, size=10.0, side="BUY"), CreateOrderOptions(tick_size="0.01", neg_risk=False))
        times.append(time.perf_counter_ns() - start)
    times.sort()
    print(json.dumps({"p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}))


main()
