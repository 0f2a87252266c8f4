"""Running a program on one server: sends bursts in random pieces, collects each step's reply."""

import random
import re
import selectors
import time
from dataclasses import dataclass

from blackbox.wire import Connection
from normalise import Normaliser, Reply
from program import Burst, Program

#: A server that has not answered by then is taken to wait for more bytes.
SILENCE_SECONDS = 5.0
CLOSED = b"<closed>"
SILENT = b"<silent>"
UNANSWERED = b"<unanswered>"


@dataclass
class Outcome:
    """What one server answered, raw and comparable: a reply per step, or per burst without markers."""

    raw: list[bytes]
    replies: list[Reply]


class Runner:
    """Runs programs on one server, each from an empty cache on new connections."""

    def __init__(self, address: tuple[str, int]):
        self.address = address

    def run(self, program: Program) -> Outcome:
        normaliser = Normaliser(has_keys=program.has_markers)
        outcome = Outcome([], [])
        connection = self._connect_empty()
        try:
            for number, burst in enumerate(program.bursts):
                raw = self._run_burst(connection, program, number, burst, normaliser)
                for index, reply in enumerate(raw):
                    outcome.raw.append(reply)
                    outcome.replies.append(normaliser.reply(reply, burst.steps[index].key))
                if raw[-1].endswith((CLOSED, SILENT, UNANSWERED)):
                    connection.close()
                    connection = Connection(self.address)
        finally:
            connection.close()
        return outcome

    def _connect_empty(self) -> Connection:
        connection = Connection(self.address)
        assert connection.ask_line(b"flush_all\r\n") == b"OK"
        return connection

    def _run_burst(
        self,
        connection: Connection,
        program: Program,
        number: int,
        burst: Burst,
        normaliser: Normaliser,
    ) -> list[bytes]:
        """The raw replies; they tell where the server closed, went silent, or what it never answered."""
        tag = b"m%d.%d." % (program.seed % 1_000_000, number)
        request = bytearray()
        for index, step in enumerate(burst.steps):
            request += step.render(normaliser.seen)
            if program.has_markers or index == len(burst.steps) - 1:
                request += b"mg marker O%b%d\r\n" % (tag, index)
        last = b"EN O%b%d\r\n" % (tag, len(burst.steps) - 1)
        received, end = exchange(connection, cut(bytes(request), burst.seed), last)
        if not program.has_markers:
            replies = [received.removesuffix(last)]
        else:
            replies = re.split(rb"EN O%b\d+\r\n" % re.escape(tag), received)
            if not end:
                replies.pop()  # What follows the last marker: nothing.
        replies[-1] += end
        if program.has_markers:
            replies += [UNANSWERED] * (len(burst.steps) - len(replies))
        return replies


def cut(data: bytes, seed: int) -> list[bytes]:
    """``data`` in pieces: at random places, often of one byte, often at a line end."""
    if seed == 0 or len(data) > 200_000:
        return [data]
    chance = random.Random(seed)
    sizes = chance.choice([[1], [1, 2, 3, 7], [1, 16, 64], [64, 500, 1500], [2047, 2048, 2049, 16384]])
    if len(data) > 5_000 and max(sizes) < 100:
        sizes = [*sizes, 1000]
    pieces, start = [], 0
    while start < len(data):
        size = chance.choice(sizes)
        pieces.append(data[start : start + size])
        start += size
    return pieces


def exchange(connection: Connection, pieces: list[bytes], last: bytes) -> tuple[bytes, bytes]:
    """Sends ``pieces`` while reading; returns what came and how it ended (empty: ``last`` came)."""
    sock = connection.socket
    sock.setblocking(False)
    received = bytearray()
    waiting = list(reversed(pieces))
    deadline = time.monotonic() + SILENCE_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while True:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if waiting else 0)
            selector.modify(sock, wanted)
            events = selector.select(max(0.0, deadline - time.monotonic()))
            if not events:
                return bytes(received), SILENT
            ready = events[0][1]
            try:
                if ready & selectors.EVENT_READ:
                    data = sock.recv(1 << 20)
                    if not data:
                        return bytes(received), CLOSED
                    received += data
                    deadline = time.monotonic() + SILENCE_SECONDS
                    if received.endswith(last):
                        return bytes(received), b""
                if ready & selectors.EVENT_WRITE and waiting:
                    sent = sock.send(waiting[-1])
                    if sent == len(waiting[-1]):
                        waiting.pop()
                    else:
                        waiting[-1] = waiting[-1][sent:]
                    deadline = time.monotonic() + SILENCE_SECONDS
            except BlockingIOError:
                continue
            except ConnectionError:
                return bytes(received), CLOSED
