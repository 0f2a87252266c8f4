"""Small memcached servers with a fault each: what a load tool must notice."""

import random
import socket
import socketserver
import threading
import time
from collections.abc import Callable


class _Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: "ScriptedServer"

    def handle(self) -> None:
        try:
            while self.server.serve(self.rfile, self.wfile):
                pass
        except (ConnectionError, ValueError):
            pass


class ScriptedServer(socketserver.ThreadingTCPServer):
    """A server on a free port; `serve` handles one command and says whether to go on."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, serve: Callable[..., bool]):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.serve = serve
        self.name = f"127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> "ScriptedServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is nothing to report."""


class Cache:
    """A correct memcached for get, gets, set, cas and delete, unless it is told to err."""

    def __init__(self, stale_share: float = 0.0, forgets_cas: bool = False, seed: int = 1):
        self._lock = threading.Lock()
        self._items: dict[bytes, list[tuple[bytes, int]]] = {}
        self._version = 0
        self._random = random.Random(seed)
        self._stale_share = stale_share
        self._forgets_cas = forgets_cas

    def serve(self, reader, writer) -> bool:
        words = reader.readline().split()
        if not words:
            return False
        if words[0] in (b"get", b"gets"):
            writer.write(self._get(words))
        elif words[0] in (b"set", b"cas"):
            value = reader.read(int(words[4]) + 2)[:-2]
            writer.write(self._store(words, value))
        elif words[0] == b"delete":
            with self._lock:
                found = self._items.pop(words[1], None)
            writer.write(b"DELETED\r\n" if found else b"NOT_FOUND\r\n")
        else:
            writer.write(b"ERROR\r\n")
        return True

    def _get(self, words: list[bytes]) -> bytes:
        reply = b""
        for key in words[1:]:
            with self._lock:
                versions = self._items.get(key)
                if not versions:
                    continue
                # The fault: now and then the version before the last one.
                is_stale = len(versions) > 1 and self._random.random() < self._stale_share
                value, cas = versions[-2 if is_stale else -1]
            unique = b" %d" % cas if words[0] == b"gets" else b""
            reply += b"VALUE %b 0 %d%b\r\n%b\r\n" % (key, len(value), unique, value)
        return reply + b"END\r\n"

    def _store(self, words: list[bytes], value: bytes) -> bytes:
        with self._lock:
            versions = self._items.setdefault(words[1], [])
            if words[0] == b"cas" and not self._forgets_cas:
                if not versions:
                    return b"NOT_FOUND\r\n"
                if versions[-1][1] != int(words[5]):
                    return b"EXISTS\r\n"
            self._version += 1
            versions.append((value, self._version))
            del versions[:-2]
        return b"STORED\r\n"


class SlowCache(Cache):
    """Answers one request at a time, each after `seconds`: it can do 1 / seconds a second."""

    def __init__(self, seconds: float):
        super().__init__()
        self._seconds = seconds
        self._turn = threading.Lock()

    def serve(self, reader, writer) -> bool:
        line = reader.peek(1)
        if not line:
            return False
        with self._turn:
            time.sleep(self._seconds)  # What a request costs here; not a wait for anything.
            return super().serve(reader, writer)


class EndingCache(Cache):
    """Answers `count` commands in all, then does `ending` to whoever asks."""

    def __init__(self, count: int, ending: bytes | None):
        super().__init__()
        self._left = count
        self._ending = ending

    def serve(self, reader, writer) -> bool:
        with self._lock:
            self._left -= 1
            is_over = self._left < 0
        if not is_over:
            return super().serve(reader, writer)
        if not reader.readline():
            return False
        if self._ending is None:
            return False
        writer.write(self._ending)
        return True


def silent(reader, _writer) -> bool:
    """Reads and never answers."""
    return bool(reader.readline())


def closed_port() -> str:
    """An address nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"
