"""Values that every client must get back as it sent them."""

import os

LARGE = os.urandom(1 << 10) * 100  # 100 KiB
NEARLY_A_MEGABYTE = os.urandom(1 << 10) * 1000  # 1,024,000 bytes: below the 1 MiB limit with its header
TOO_LARGE = os.urandom(1 << 20)  # 1 MiB of value alone; no client can compress it
BINARY_VALUES = [b"", b"x", b"\r\n", b"END\r\n", b"\x00\xff" * 50, b"VALUE a 0 1\r\n", LARGE, NEARLY_A_MEGABYTE]
LONG_KEY = "k" * 250
TOO_LONG_KEY = "k" * 251


def ids(value: object) -> str:
    """A short name of a sample for pytest."""
    return f"{len(value)}B" if isinstance(value, bytes) else str(value)
