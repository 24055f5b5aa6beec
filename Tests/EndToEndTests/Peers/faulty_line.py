"""The last piece of the way to a venue, and what goes wrong on it: one fault for each connection, in their order.

    faulty_line.py VENUE STEP...

VENUE is a file that holds the venue's port once a connection is passed on. The last STEP serves all connections that
follow. Prints its own port; then, for each connection, its step and the time it came, in seconds.

    pass               to the venue, both ways
    bytewise           likewise, the venue's first 4 KB one byte at a time
    cut                half of the venue's answer to the handshake, then the end
    wrong-accept       an answer to another key
    status:CODE[:S]    a refusal, with "Retry-After: S"
    endless            a head that does not end
    silent             nothing at all
    masked             a right answer, then a masked frame
    mute               a right answer, then nothing
    unasked            a right answer without compression, then a compressed message
    damaged            a right answer to an offer of compression, then a message that is none
    bomb               a right answer to an offer of compression, then a small message of 256 MB
    extension:VALUE    a right answer with this Sec-WebSocket-Extensions
    tls:CERT:KEY       TLS, then to the venue
    tls-old:CERT:KEY   TLS of a version that is no longer believed
    in-tls:CERT:KEY=STEP    another of these steps, in TLS
    in-proxy:CERT:KEY=STEP  likewise, after a CONNECT
    proxy-pass         what follows a CONNECT goes to the venue
    proxy-tls:CERT:KEY likewise, in TLS
    proxy:CODE         a CONNECT is refused
    proxy-cut          half of an answer to a CONNECT, then the end
    proxy-garbage      an answer to a CONNECT with a line that is no header
    proxy-endless      an answer to a CONNECT that does not end
    proxy-silent       a CONNECT without an answer
"""
import base64, hashlib, socket, ssl, sys, threading, time, zlib

venue_file, steps = sys.argv[1], sys.argv[2:]


def read_head(line):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = line.recv(1)
        if not byte:
            break
        head += byte
    return head


def wait_for_end(line):
    while line.recv(65536):
        pass


def accepted(head, extra=b""):
    key = next(name for name in head.split(b"\r\n") if name.lower().startswith(b"sec-websocket-key:")).split()[1]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    return (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n" + extra + b"\r\n")


def forward(source, target, bytewise=0):
    try:
        while data := source.recv(1 if bytewise > 0 else 65536):
            bytewise -= 1
            target.sendall(data)
    except OSError:
        pass
    for line in (source, target):
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def connect_to_venue():
    with open(venue_file) as file:
        line = socket.create_connection(("127.0.0.1", int(file.read())))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def relay(line, bytewise=0):
    venue = connect_to_venue()
    thread = threading.Thread(target=forward, args=(line, venue), daemon=True)
    thread.start()
    forward(venue, line, bytewise)
    thread.join()
    venue.close()


def pour_headers(line, status):
    line.sendall(b"HTTP/1.1 " + status + b"\r\n")
    while True:
        line.sendall(b"X-More: and more\r\n" * 20)
        time.sleep(0.001)


def bomb():
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = compressor.compress(b"[" * (1 << 20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    payload = (piece * 256)[:-4]
    return b"\xc1\x7f" + len(payload).to_bytes(8, "big") + payload


def in_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate.split(":"))
    return context


def serve(line, step):
    name, _, rest = step.partition(":")
    if name in ("in-tls", "in-proxy"):
        if name == "in-proxy":
            read_head(line)
            line.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        certificate, _, inner = rest.partition("=")
        return serve(in_tls(certificate).wrap_socket(line, server_side=True), inner)
    if name in ("tls", "tls-old"):
        context = in_tls(rest)
        if name == "tls-old":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
        return relay(context.wrap_socket(line, server_side=True))
    if name == "pass":
        return relay(line)
    if name == "bytewise":
        return relay(line, bytewise=4096)
    if name == "silent":
        return wait_for_end(line)
    head = read_head(line)
    if name == "wrong-accept":
        line.sendall(accepted(head.replace(b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: x")))
    elif name == "cut":
        line.sendall(accepted(head)[:60])
        line.shutdown(socket.SHUT_WR)
    elif name == "status":
        code, _, seconds = rest.partition(":")
        retry = f"Retry-After: {seconds}\r\n" if seconds else ""
        line.sendall(f"HTTP/1.1 {code} No\r\nLocation: https://elsewhere.test/\r\n{retry}\r\n".encode())
    elif name == "endless":
        pour_headers(line, b"101 Yes")
    elif name == "masked":
        line.sendall(accepted(head) + b"\x81\x82\x00\x00\x00\x00[]")
    elif name == "mute":
        line.sendall(accepted(head))
    elif name == "extension":
        line.sendall(accepted(head, b"Sec-WebSocket-Extensions: " + rest.encode() + b"\r\n"))
    elif name == "unasked":
        line.sendall(accepted(head) + b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00")
    elif name == "damaged":
        line.sendall(accepted(head, b"Sec-WebSocket-Extensions: permessage-deflate\r\n") + b"\xc1\x01\x06")
    elif name == "bomb":
        line.sendall(accepted(head, b"Sec-WebSocket-Extensions: permessage-deflate\r\n") + bomb())
    elif name == "proxy-pass":
        line.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        return relay(line)
    elif name == "proxy-tls":
        line.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        return serve(line, f"tls:{rest}")
    elif name == "proxy":
        line.sendall(f"HTTP/1.1 {rest} No\r\nProxy-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n\r\n".encode())
    elif name == "proxy-cut":
        line.sendall(b"HTTP/1.1 200 Conn")
        line.shutdown(socket.SHUT_WR)
    elif name == "proxy-garbage":
        line.sendall(b"HTTP/1.1 200 Connected\r\nno header\r\n\r\n")
    elif name == "proxy-endless":
        pour_headers(line, b"200 Connected")
    elif name != "proxy-silent":
        raise ValueError(step)
    wait_for_end(line)


def run(line, step):
    try:
        serve(line, step)
    except (OSError, ssl.SSLError) as error:
        print(f"# {step}: {error}", flush=True)
    line.close()


with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    for number in range(10**9):
        line, _ = listener.accept()
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        step = steps[min(number, len(steps) - 1)]
        print(step, time.monotonic(), flush=True)
        threading.Thread(target=run, args=(line, step), daemon=True).start()
