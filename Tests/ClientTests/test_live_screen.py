"""`kiln top` in a real terminal: tmux gives it one, types, and reads what it shows."""

import json
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator

import pytest

from blackbox.servers import Server, kiln_binary, kind_under_test
from blackbox.waiting import wait_until

pytestmark = pytest.mark.skipif(kind_under_test() != "kiln", reason="the live screen asks a Kiln node")

#: Of ten reads, how many go to which key.
CROWDS = [b"celebrity"] * 5 + [b"user:7"] * 3


class Terminal:
    """A tmux server of its own with one window."""

    def __init__(self, command: str, columns: int, lines: int) -> None:
        self.name = f"kiln-test-{uuid.uuid4().hex[:12]}"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), command)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-L", self.name, *words], capture_output=True, timeout=30, check=True)
        return done.stdout.decode()

    def keys(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def resize(self, columns: int, lines: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def screen(self) -> list[str]:
        return self._tmux("capture-pane", "-p").split("\n")[:-1]

    def wait_for(self, condition: Callable[[list[str]], bool], what: str) -> list[str]:
        wait_until(lambda: condition(self.screen()), what)
        return self.screen()

    def end(self) -> None:
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True, timeout=30, check=False)


@pytest.fixture(scope="module")
def busy_server(server: Server) -> Iterator[Server]:
    """The server under a load with two hot keys."""
    stop = threading.Event()

    def load() -> None:
        number = 0
        with server.connect() as connection:
            assert connection.ask_line(b"set celebrity 0 0 5\r\nhello\r\n") == b"STORED"
            while not stop.wait(0.002):
                number += 2
                keys = [*CROWDS, b"cold:%d" % number, b"cold:%d" % (number + 1)]
                connection.send(b"".join(b"get %b\r\n" % key for key in keys) + b"mn\r\n")
                while connection.read_line() != b"MN":
                    pass

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    yield server
    stop.set()
    thread.join()


@pytest.fixture
def open_top(busy_server: Server) -> Iterator[Callable[[int, int], Terminal]]:
    """Opens `kiln top` in a terminal of a size; the shell behind it says when it was left."""
    opened: list[Terminal] = []

    def start(columns: int, lines: int) -> Terminal:
        command = f"echo before; {kiln_binary()} top -d 0.2 --server {busy_server.name}; echo left with $?; cat"
        opened.append(Terminal(command, columns, lines))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.end()


def shows_hot(screen: list[str]) -> bool:
    return any("celebrity" in line and " hot" in line for line in screen)


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (200, 50)])
def test_fills_the_terminal(open_top: Callable, columns: int, lines: int) -> None:
    screen = open_top(columns, lines).wait_for(shows_hot, "the hot key is shown")
    assert len(screen) == lines
    assert screen[0].startswith("kiln top  127.0.0.1:")
    assert screen[-1].startswith("q quit")
    assert all(len(line) <= columns for line in screen)
    header = next(line for line in screen if "OPS/S" in line)
    assert ("OWNER" in header) == (columns == 200)
    rows = [line.split()[1] for line in screen if line.strip()[:2] in ("1 ", "2 ")]
    assert rows == ["celebrity", "user:7"]


def test_follows_the_terminal_s_size(open_top: Callable) -> None:
    terminal = open_top(80, 24)
    terminal.wait_for(shows_hot, "the hot key is shown")
    terminal.resize(120, 40)
    screen = terminal.wait_for(lambda s: len(s) == 40 and s[-1].startswith("q quit"), "40 lines are used")
    assert any("SIZE" in line for line in screen)
    terminal.resize(60, 12)
    terminal.wait_for(lambda s: len(s) == 12 and s[-1].startswith("q quit") and shows_hot(s), "12 lines are used")
    terminal.resize(30, 6)
    terminal.wait_for(lambda s: s[0].startswith("40x8 needed"), "it says what it needs")


def test_filter_sort_pause_detail_help(open_top: Callable) -> None:
    terminal = open_top(100, 30)
    terminal.wait_for(shows_hot, "the hot key is shown")
    terminal.keys("/", "user", "Enter")
    screen = terminal.wait_for(lambda s: "filter user" in s[0], "the filter is in the title")
    assert not shows_hot(screen) and any("user:7" in line for line in screen)
    terminal.keys("Escape")
    terminal.wait_for(shows_hot, "all keys are shown again")
    terminal.keys("b")
    screen = terminal.wait_for(lambda s: "by bytes" in s[0], "the order is in the title")
    # Only the celebrity has a value: it moves the most bytes.
    assert next(line for line in screen if "user:7" in line or "celebrity" in line).split()[1] == "celebrity"
    terminal.keys("p")
    terminal.wait_for(lambda s: "PAUSED" in s[0], "it is paused")
    terminal.keys("p", "Enter")
    terminal.wait_for(lambda s: any("owner" in line for line in s), "the key's detail is shown")
    terminal.keys("x", "?")
    terminal.wait_for(lambda s: any("ctrl-C  leave" in line for line in s), "the help is shown")


@pytest.mark.parametrize("key", ["q", "C-c"])
def test_leaving_restores_the_terminal(open_top: Callable, key: str) -> None:
    terminal = open_top(80, 24)
    terminal.wait_for(shows_hot, "the hot key is shown")
    terminal.keys(key)
    screen = terminal.wait_for(lambda s: any("left with 0" in line for line in s), "it is left")
    assert screen[0] == "before" and screen[1] == "left with 0"
    # Typing is echoed again, line by line.
    terminal.keys("hello", "Enter")
    terminal.wait_for(lambda s: s[2:4] == ["hello", "hello"], "cat answers")


def test_a_signal_restores_the_terminal(open_top: Callable, busy_server: Server) -> None:
    terminal = open_top(80, 24)
    terminal.wait_for(shows_hot, "the hot key is shown")
    pattern = f"^{kiln_binary()} top -d 0.2 --server {busy_server.name}$"
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, check=True).stdout.split()
    assert len(found) == 1
    subprocess.run(["kill", found[0].decode()], check=True)
    screen = terminal.wait_for(lambda s: any("left with" in line for line in s), "it is left")
    assert screen[0] == "before"


def test_off_a_terminal_it_prints_a_line_of_json_per_answer(busy_server: Server) -> None:
    done = subprocess.run(
        [str(kiln_binary()), "top", "-d", "0.1", "--answers", "3", "--server", busy_server.name],
        capture_output=True, timeout=30, check=True, stdin=subprocess.DEVNULL)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == 3
    assert all(answer["schema_version"] == 1 and answer["nodes"] for answer in answers)


def test_a_server_that_knows_no_top_is_told_in_one_line(reference: Server) -> None:
    done = subprocess.run(
        [str(kiln_binary()), "top", "--server", reference.name],
        capture_output=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and done.stdout == b""
    assert done.stderr.decode().count("\n") == 1 and "refused: ERROR" in done.stderr.decode()
