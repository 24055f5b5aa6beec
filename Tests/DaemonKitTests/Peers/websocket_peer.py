"""A WebSocket server that is not ours, for the tests of the client. Prints its port; ends when its standard input does.

    websocket_peer.py [CERTIFICATE KEY]
"""
import asyncio
import logging
import ssl
import sys
from urllib.parse import parse_qs, urlsplit

try:
    from websockets.asyncio.server import serve
except ImportError:  # Debian 12's generation
    from websockets.server import serve

# Clients that vanish are the subject of some tests, not news.
logging.disable()


async def handle(connection):
    request = getattr(connection, "request", None)
    path, headers = (request.path, request.headers) if request else (connection.path, connection.request_headers)
    url = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    if url.path == "/echo":
        async for message in connection:
            await connection.send(message)
    elif url.path == "/burst":
        for number in range(int(query["count"])):
            await connection.send(f"{number} ".ljust(int(query["size"]), "x"))
        await connection.close(1000)
    elif url.path == "/close":
        await connection.close(int(query["code"]), query.get("reason", ""))
    elif url.path == "/fragments":
        await connection.send(["Grü", "ße ", "", "€"])
    elif url.path == "/ping":
        await (await connection.ping(b"alive?"))
        await connection.send("ponged")
    elif url.path == "/headers":
        names = ["Host", "User-Agent", "X-Test"]
        await connection.send("|".join(headers.get(name, "") for name in names))
    await connection.wait_closed()


async def main():
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    async with serve(handle, "127.0.0.1", 0, ssl=context, max_size=None, close_timeout=2) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        server.close(close_connections=True)


asyncio.run(main())
