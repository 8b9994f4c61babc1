"""A WebSocket client of bare sockets, for what a real client would never do."""
import os
import socket
import struct

KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 1.3
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def request(port: int, *more: str) -> bytes:
    lines = ["GET / HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", *more, "", ""]
    return "\r\n".join(lines).encode()


def frame(opcode: int, payload: bytes, final=True, masked=True) -> bytes:
    size, mask_bit = len(payload), 0x80 if masked else 0
    if size < 126:
        header = struct.pack("!BB", opcode | 0x80 * final, mask_bit | size)
    elif size < 65536:
        header = struct.pack("!BBH", opcode | 0x80 * final, mask_bit | 126, size)
    else:
        header = struct.pack("!BBQ", opcode | 0x80 * final, mask_bit | 127, size)
    return header + (b"\0\0\0\0" if masked else b"") + payload  # a key of zeros changes nothing


class RawClient:
    def __init__(self, port: int, upgrade=True, seconds=10.0, receive_buffer=0, headers=()):
        self.socket = socket.socket()
        self.socket.settimeout(seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self.bytes = b""
        if upgrade:
            self.socket.sendall(request(port, *headers))
            while b"\r\n\r\n" not in self.bytes:
                self._receive()
            head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
            if not head.startswith(b"HTTP/1.1 101 ") or ACCEPT not in head:
                raise ConnectionError(head.decode(errors="replace"))

    def _receive(self):
        received = self.socket.recv(1 << 16)
        if not received:
            raise EOFError("the server has closed")
        self.bytes += received

    def _take(self, size: int) -> bytes:
        while len(self.bytes) < size:
            self._receive()
        taken, self.bytes = self.bytes[:size], self.bytes[size:]
        return taken

    def send(self, opcode: int, payload=b"", final=True):
        self.socket.sendall(frame(opcode, payload, final))

    def read(self):
        """The next frame: opcode and payload."""
        first, second = self._take(2)
        size = second & 127
        if size == 126:
            size = struct.unpack("!H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._take(8))[0]
        return first & 15, self._take(size)

    def read_until(self, opcode: int) -> bytes:
        while True:
            kind, payload = self.read()
            if kind == opcode:
                return payload

    def read_close(self):
        """Code and reason of the Close that comes."""
        payload = self.read_until(CLOSE)
        return (struct.unpack("!H", payload[:2])[0], payload[2:].decode()) if payload else (1005, "")

    def echoes(self) -> bool:
        payload = os.urandom(8)
        self.send(BINARY, payload)
        return self.read_until(BINARY) == payload

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
