"""What memcached's newest doc/protocol.txt has and Debian's 1.6.18 has not: expected replies by hand."""

import pytest

from blackbox.servers import Server, kind_under_test

pytestmark = pytest.mark.skipif(kind_under_test() == "memcached", reason="1.6.18 is older than what is tested here")

#: name -> (request, reply).
EXPECTED: dict[str, tuple[bytes, bytes]] = {
    "ms sets its CAS": (b"ms a 1 E99 c\r\nx\r\n", b"HD c99\r\n"),
    "mg shows that CAS": (b"ms a 1 E99\r\nx\r\nmg a c\r\n", b"HD\r\nHD c99\r\n"),
    "gets shows that CAS": (b"ms a 1 E99\r\nx\r\ngets a\r\n", b"HD\r\nVALUE a 0 1 99\r\nx\r\nEND\r\n"),
    "cas compares that CAS": (
        b"ms a 1 E99\r\nx\r\ncas a 0 0 1 98\r\ny\r\ncas a 0 0 1 99\r\ny\r\n",
        b"HD\r\nEXISTS\r\nSTORED\r\n",
    ),
    "ms C compares that CAS": (
        b"ms a 1 E99\r\nx\r\nms a 1 C98\r\ny\r\nms a 1 C99 E100 c\r\ny\r\n",
        b"HD\r\nEX\r\nHD c100\r\n",
    ),
    "ma sets its CAS": (b"ms a 1\r\n5\r\nma a E7 c v\r\nmg a c\r\n", b"HD\r\nVA 1 c7\r\n6\r\nHD c7\r\n"),
    "md I sets its CAS": (b"ms a 1 E5\r\nx\r\nmd a I E6\r\nmg a c v\r\n", b"HD\r\nHD\r\nVA 1 c6 X W\r\nx\r\n"),
    "md C compares that CAS": (b"ms a 1 E5\r\nx\r\nmd a C4\r\nmd a C5\r\n", b"HD\r\nEX\r\nHD\r\n"),
    "md x empties the item": (b"ms a 3 F5\r\nabc\r\nmd a x\r\nmg a v f\r\n", b"HD\r\nHD\r\nVA 0 f0\r\n\r\n"),
    "append vivifies": (b"ms absent 1 MA N30\r\nx\r\nmg absent v t\r\n", b"HD\r\nVA 1 t30\r\nx\r\n"),
    "prepend vivifies": (b"ms absent 1 MP N30\r\nx\r\nmg absent v\r\n", b"HD\r\nVA 1\r\nx\r\n"),
    "append with N keeps what is there": (
        b"ms a 1 T0\r\nx\r\nms a 1 MA N30\r\ny\r\nmg a v t\r\n",
        b"HD\r\nHD\r\nVA 2 t-1\r\nxy\r\n",
    ),
    "ms tells the size": (b"ms a 3 s\r\nabc\r\nms a 2 MA s\r\nde\r\n", b"HD s3\r\nHD s5\r\n"),
    "mg u does not count as a fetch": (b"ms a 1\r\nx\r\nmg a u\r\nmg a h\r\n", b"HD\r\nHD\r\nHD h0\r\n"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_reply(server: Server, name: str) -> None:
    request, expected = EXPECTED[name]
    with server.connect() as connection:
        assert connection.ask_line(b"flush_all\r\n") == b"OK"
        reply = connection.ask(request + b"mn\r\n", b"MN\r\n").removesuffix(b"MN\r\n")
    assert reply == expected


def test_cluster_configuration(server: Server) -> None:
    """`config get cluster`, as clients with automatic discovery ask for it."""
    node = b"127.0.0.1|127.0.0.1|%d" % server.port
    with server.connect() as connection:
        for request in (b"config get cluster\r\n", b"get AmazonElastiCache:cluster\r\n"):
            head = connection.ask_line(request)
            assert head.startswith(b"CONFIG cluster 0 "), head
            body = connection.read_exactly(int(head.split(b" ")[3]))
            assert connection.read_until(b"END\r\n") == b"\r\nEND\r\n"
            epoch, nodes = body.strip().split(b"\n")
            assert epoch.isdigit() and nodes.split(b" ") == [node], body


def test_binary_protocol_is_refused(server: Server) -> None:
    with server.connect() as connection:
        connection.send(b"\x80" + b"\0" * 23)
        assert connection.read_to_end() == b""
