"""The HTML report in a real browser."""

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


def test_the_page_shows_three_plots(page: Path, tmp_path: Path) -> None:
    """The page's own measure of its plots, written into its title by a copy with a script."""
    probe = """<script>addEventListener('load', () => {
        const plots = [...document.querySelectorAll('svg')].map(plot => {
          const box = plot.getBoundingClientRect(), drawn = plot.querySelectorAll('path, rect').length;
          return `${Math.round(box.width)}x${Math.round(box.height)}:${drawn}`; });
        document.title = 'plots ' + plots.join(' '); });</script>"""
    probed = tmp_path / "probed.html"
    probed.write_text(page.read_text().replace("</head>", probe + "</head>"))
    done = render(probed, tmp_path / "profile", "--dump-dom")
    assert done.returncode == 0, done.stderr[-2000:]
    title = re.search(r"<title>plots (.*?)</title>", done.stdout)
    assert title, done.stdout[:2000]
    plots = [re.match(r"(\d+)x(\d+):(\d+)", word).groups() for word in title.group(1).split()]
    assert len(plots) == 3
    for width, height, drawn in plots:
        assert int(width) > 500 and int(height) > 20 and int(drawn) >= 1, plots


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
