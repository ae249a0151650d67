"""WebSocket frames by hand (RFC 6455, section 5.2), for what no library would send."""

import base64
import os
import socket
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(opcode, payload=b"", final=True, masked=True, reserved=0, length=None):
    """`length` is what it claims to have."""
    count = len(payload) if length is None else length
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    mark = 0x80 if masked else 0
    if count < 126:
        head += bytes([mark | count])
    elif count < 65536:
        head += bytes([mark | 126]) + struct.pack(">H", count)
    else:
        head += bytes([mark | 127]) + struct.pack(">Q", count)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def handshake(path="/ws", protocol=None, headers=()):
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", "Host: h", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines += [f"Sec-WebSocket-Key: {key}", *headers] + ([f"Sec-WebSocket-Protocol: {protocol}"] if protocol else [])
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Raw:
    """A connection whose frames are written by hand."""

    def __init__(self, address, path="/ws", protocol=None, behind=b"", wrap=None):
        """`address` is `HOST:PORT`; `behind` is sent together with the request; `wrap` encrypts a socket."""
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if wrap:
            self.socket = wrap(self.socket)
        self.rest = b""
        self.send(handshake(path, protocol) + behind)
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._more()
        head, self.rest = head.split(b"\r\n\r\n", 1)
        self.status = int(head.split(b" ")[1])

    def send(self, *pieces):
        self.socket.sendall(b"".join(pieces))

    def _more(self):
        more = self.socket.recv(65536)
        if not more:
            raise EOFError
        return more

    def _take(self, count):
        while len(self.rest) < count:
            self.rest += self._more()
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def next(self):
        """The next frame: opcode and payload."""
        head = self._take(2)
        count = head[1] & 0x7F
        if count == 126:
            count = struct.unpack(">H", self._take(2))[0]
        elif count == 127:
            count = struct.unpack(">Q", self._take(8))[0]
        return head[0] & 0x0F, self._take(count)

    def text(self):
        """The next message."""
        while True:
            opcode, payload = self.next()
            if opcode == TEXT:
                return payload.decode()
            if opcode == CLOSE:
                return self._end(payload)

    def end(self):
        """How it is closed: code and reason, or `no word`."""
        try:
            while True:
                opcode, payload = self.next()
                if opcode == CLOSE:
                    return self._end(payload)
        except (EOFError, ConnectionError):
            return "no word"

    @staticmethod
    def _end(payload):
        return (struct.unpack(">H", payload[:2])[0], payload[2:].decode()) if payload else (1005, "")
