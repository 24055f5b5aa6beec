"""An HTTP server that is not ours, for the tests of the REST client. Prints its port; ends when its standard input does.

    http_peer.py [CERTIFICATE KEY]
"""
import gzip
import os
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

counts = {"connections": 0}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        counts["connections"] += 1
        super().setup()

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if url.path == "/echo":
            names = ["Content-Type", "User-Agent", "X-Test", "Expect", "Accept-Encoding"]
            seen = "|".join(self.headers.get(name, "-") for name in names)
            self.answer(200, f"{self.command}|{seen}|".encode() + body)
        elif url.path == "/status":
            self.answer(int(query["code"]), b"no", [("Retry-After", "7"), ("Location", "/echo"), ("X-Odd", "")])
        elif url.path == "/gzip":
            packed = gzip.compress(b"0" * int(query["size"]))
            self.answer(200, packed, [("Content-Encoding", "gzip")])
        elif url.path == "/big":
            self.answer(200, b"0" * int(query["size"]))
        elif url.path == "/slow":
            time.sleep(float(query["seconds"]))
            self.answer(200, b"late")
        elif url.path == "/connections":
            self.answer(200, str(counts["connections"]).encode())
        else:
            self.answer(404, b"not here")

    do_GET = do_POST = do_DELETE = handle_any


class Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # Clients that vanish are the subject of some tests, not news.


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
os._exit(0)
