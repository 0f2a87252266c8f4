"""A raw connection: bytes out, bytes in, nothing understood but lines and counts."""

import socket
import struct
from collections.abc import Iterable


class ServerClosed(Exception):
    """The server closed the connection before the reply was complete."""

    def __init__(self, received: bytes):
        super().__init__(f"closed after {received[-200:]!r}")
        self.received = received


class Connection:
    """A blocking TCP connection whose every wait ends at ``timeout`` seconds."""

    def __init__(self, address: tuple[str, int], timeout: float = 20.0, receive_buffer: int = 0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
        except BaseException:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_pieces(self, pieces: Iterable[bytes]) -> None:
        """Sends each piece in a segment of its own (as far as the kernel keeps them apart)."""
        for piece in pieces:
            self.socket.sendall(piece)

    def read_line(self) -> bytes:
        """One reply line, without its CRLF."""
        return self.read_until(b"\r\n")[:-2]

    def read_until(self, end: bytes) -> bytes:
        """Everything up to and including ``end``."""
        searched = 0
        pieces = bytearray(self._buffer)
        while (index := pieces.find(end, searched)) < 0:
            searched = max(0, len(pieces) - len(end) + 1)
            pieces += self._receive(bytes(pieces))
        index += len(end)
        self._buffer = bytes(pieces[index:])
        return bytes(pieces[:index])

    def read_exactly(self, count: int) -> bytes:
        pieces = bytearray(self._buffer)
        while len(pieces) < count:
            pieces += self._receive(bytes(pieces[:200]))
        self._buffer = bytes(pieces[count:])
        return bytes(pieces[:count])

    def read_to_end(self) -> bytes:
        """Everything until the server closes; a reset counts as a close."""
        pieces = bytearray(self._buffer)
        self._buffer = b""
        while True:
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionError:
                return bytes(pieces)
            if not data:
                return bytes(pieces)
            pieces += data

    def ask_line(self, request: bytes) -> bytes:
        self.send(request)
        return self.read_line()

    def ask(self, request: bytes, end: bytes) -> bytes:
        self.send(request)
        return self.read_until(end)

    def statistics(self, group: str = "") -> dict[str, str]:
        """``stats [group]``, checked for shape, as a dictionary."""
        reply = self.ask(f"stats {group}".strip().encode() + b"\r\n", b"END\r\n").decode()
        values = {}
        for line in reply.split("\r\n")[:-2]:
            word, name, value = line.split(" ", 2)
            assert word == "STAT", line
            values[name] = value
        return values

    def get(self, key: bytes) -> bytes | None:
        """The value of one key."""
        header = self.ask_line(b"get " + key + b"\r\n")
        if header == b"END":
            return None
        word, _, _, count = header.split(b" ")
        assert word == b"VALUE", header
        value = self.read_exactly(int(count))
        assert self.read_exactly(7) == b"\r\nEND\r\n"
        return value

    def set(self, key: bytes, value: bytes, flags: int = 0, ttl: int = 0) -> bytes:
        """Stores a value; returns the reply line."""
        return self.ask_line(b"set %b %d %d %d\r\n%b\r\n" % (key, flags, ttl, len(value), value))

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Closes by RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self, received: bytes) -> bytes:
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionError as error:
            raise ServerClosed(received) from error
        if not data:
            raise ServerClosed(received)
        return data
