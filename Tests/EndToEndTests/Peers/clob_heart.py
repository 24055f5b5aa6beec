"""Sends heartbeats for an account with the official client, as a second trading program of the same account does.

    clob_heart.py HOST KEY_FILE    for a minute and a half, unless it is stopped

A name that the venue does not expect is corrected from its answer and sent again at once.
"""

import sys
import time

from py_clob_client_v2.client import ClobClient
from py_clob_client_v2.exceptions import PolyApiException

INTERVAL = 1
COUNT = 90


def beat(client, name):
    for _ in range(3):
        try:
            return client.post_heartbeat(name)["heartbeat_id"]
        except PolyApiException as refusal:
            if not isinstance(refusal.error_msg, dict) or "heartbeat_id" not in refusal.error_msg:
                raise
            name = refusal.error_msg["heartbeat_id"]
    raise SystemExit("no heartbeat was accepted")


def main():
    host, key_file = sys.argv[1:]
    with open(key_file) as file:
        key = file.read().strip()
    client = ClobClient(host, chain_id=137, key=key)
    client.set_api_creds(client.derive_api_key())
    name = ""
    for number in range(1, COUNT + 1):
        name = beat(client, name)
        print("beat", number, flush=True)
        time.sleep(INTERVAL)


main()
