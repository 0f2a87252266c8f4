"""A small memcached client for benchmarks: one blocking socket, bytes in and out.

Library clients hide pipelining and replies; here a script decides what goes into one `send`.
"""

import socket

RECEIVE_BYTES = 1 << 18


class ProtocolSurprise(Exception):
    """The server answered with something the script did not expect."""


class Client:
    """One connection to one server."""

    def __init__(self, port, timeout=60.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends all bytes."""
        self.socket.sendall(data)

    def _receive(self):
        data = self.socket.recv(RECEIVE_BYTES)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._buffer += data

    def line(self) -> bytes:
        """The next line, without its ending."""
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._receive()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def exactly(self, count) -> bytes:
        """The next `count` bytes; a large block is received in place, without growing a buffer."""
        block = bytearray(count)
        view = memoryview(block)
        have = min(count, len(self._buffer))
        view[:have] = self._buffer[:have]
        del self._buffer[:have]
        while have < count:
            received = self.socket.recv_into(view[have:])
            if not received:
                raise ConnectionError(f"the server closed after {have} of {count} bytes")
            have += received
        return bytes(block)

    def until(self, ending) -> bytes:
        """Everything up to `ending`, which must end what the server has to say."""
        while not self._buffer.endswith(ending):
            self._receive()
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def version(self) -> bytes:
        """The server's version line."""
        self.send(b"version\r\n")
        return self.line()

    def barrier(self) -> list[bytes]:
        """Waits until all noreply commands before it are done; returns the errors they left."""
        self.send(b"version\r\n")
        errors = []
        while not (line := self.line()).startswith(b"VERSION"):
            errors.append(line)
        return errors

    def set(self, key, value, ttl=0) -> bytes:
        """Stores a value; returns the reply line."""
        self.send(b"set %b 0 %d %d\r\n%b\r\n" % (key, ttl, len(value), value))
        return self.line()

    def get(self, key) -> bytes | None:
        """The value, or `None` for a miss."""
        self.send(b"get %b\r\n" % key)
        return self.get_reply()

    def get_reply(self) -> bytes | None:
        """Reads the reply to a `get` of one key."""
        line = self.line()
        if line == b"END":
            return None
        if not line.startswith(b"VALUE "):
            raise ProtocolSurprise(line[:200])
        value = self.exactly(int(line.split()[3]) + 2)[:-2]
        if (end := self.line()) != b"END":
            raise ProtocolSurprise(end[:200])
        return value

    def stats(self, group="") -> dict[str, str]:
        """The reply to `stats`."""
        self.send(f"stats {group}".strip().encode() + b"\r\n")
        found = {}
        while (line := self.line()) != b"END":
            words = line.decode().split(" ", 2)
            if words[0] != "STAT":
                raise ProtocolSurprise(line[:200])
            found[words[1]] = words[2] if len(words) > 2 else ""
        return found
