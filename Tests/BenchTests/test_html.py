"""The HTML report in a real browser."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bench import bench
from blackbox.servers import Server

BROWSER = shutil.which("chromium-headless-shell") or shutil.which("chromium")


def render(page: Path, profile: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Opens `page`; the console's messages go to standard error."""
    assert BROWSER, "no headless Chromium: run `make setup`"
    return subprocess.run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--enable-logging=stderr", f"--user-data-dir={profile}", "--window-size=900,2200", *flags, page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(reference: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("html") / "report.html"
    bench("--quiet", "--server", reference.name, "--warmup", "0", "--time", "2", "--rate", "2000", "--html", str(path))
    return path


#: Measures the page as it is drawn, and leaves the figures in its title.
PROBE = """<script>addEventListener('load', () => {
    const plots = [...document.querySelectorAll('svg')];
    const sizes = plots.map(plot => {
      const box = plot.getBoundingClientRect();
      return [box.width, box.height, plot.querySelectorAll('path, rect').length]; });
    const cut = plots.flatMap(plot => [...plot.querySelectorAll('text')].filter(text => {
      const inner = text.getBoundingClientRect(), outer = plot.getBoundingClientRect();
      return inner.left < outer.left - 1 || inner.right > outer.right + 1; }).map(text => text.textContent));
    const lines = [...plots[0].querySelectorAll('path')].map(line => getComputedStyle(line).stroke);
    const keys = [...plots[0].parentElement.querySelectorAll('.key')].map(key => getComputedStyle(key).borderTopColor);
    document.title = 'probed ' + JSON.stringify({sizes, cut, lines, keys}); });</script>"""


def test_the_page_shows_three_plots(page: Path, tmp_path: Path) -> None:
    probed = tmp_path / "probed.html"
    probed.write_text(page.read_text().replace("</head>", PROBE + "</head>"))
    done = render(probed, tmp_path / "profile", "--dump-dom")
    assert done.returncode == 0, done.stderr[-2000:]
    title = re.search(r"<title>probed (.*?)</title>", done.stdout)
    assert title, done.stdout[:2000]
    found = json.loads(html.unescape(title.group(1)))
    assert len(found["sizes"]) == 3
    for width, height, drawn in found["sizes"]:
        assert width > 500 and height > 20 and drawn >= 1, found
    assert found["cut"] == [], "a label is cut off"
    assert found["keys"] == found["lines"], "the legend has the lines' colours"
    assert len(set(found["lines"])) == 2, "reads and writes"


def test_the_console_stays_empty(page: Path, tmp_path: Path) -> None:
    done = render(page, tmp_path / "profile", "--dump-dom")
    assert done.returncode == 0
    assert "CONSOLE" not in done.stderr, done.stderr
    # The check sees messages: a page with an error has one.
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text().replace("</body>", "<script>nothing.here()</script></body>"))
    assert "CONSOLE" in render(broken, tmp_path / "profile", "--dump-dom").stderr


def test_light_and_dark_differ(page: Path, tmp_path: Path) -> None:
    pictures = []
    for name, flags in [("light", ()), ("dark", ("--blink-settings=preferredColorScheme=0",))]:
        picture = tmp_path / f"{name}.png"
        done = render(page, tmp_path / "profile", f"--screenshot={picture}", *flags)
        assert done.returncode == 0 and picture.stat().st_size > 10_000, done.stderr[-1000:]
        pictures.append(picture.read_bytes())
    assert pictures[0] != pictures[1]
