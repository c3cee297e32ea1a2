"""One palette, one voice, and nothing borrowed from another host."""

import re
import struct

import pytest
from site_pages import ROOT

from autograder.course.figures import palette

STATIC = ROOT / "book" / "_static"
CSS = (STATIC / "course.css").read_text(encoding="utf-8")


def declared(selector: str) -> dict[str, str]:
    block = CSS[CSS.index("/* tokens */") :].split(selector + " {", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--gm-(\w+): (#[0-9a-f]{6});", block))


MODES = {"light": (":root", palette.LIGHT), "dark": ('html[data-theme="dark"]', palette.DARK)}


@pytest.mark.parametrize("mode", MODES)
def test_site_and_figures_share_one_palette(mode):
    selector, colors = MODES[mode]
    assert declared(selector) == colors


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("mode", MODES)
def test_every_color_can_be_read(mode, ground):
    """At least 4.5 to 1 (WCAG AA) against both grounds that text stands on."""
    colors = MODES[mode][1]
    low = {}
    for name in set(colors) - {"line", "panel", "paper"}:
        bright, dim = sorted((luminance(colors[name]), luminance(colors[ground])), reverse=True)
        if (ratio := (bright + 0.05) / (dim + 0.05)) < 4.5:
            low[name] = round(ratio, 2)
    assert low == {}


def test_logo_uses_the_palette():
    colors = set(re.findall(r"#[0-9a-f]{6}", (STATIC / "logo.svg").read_text()))
    assert colors == {
        mode[name] for mode in (palette.LIGHT, palette.DARK) for name in ("ink", "gru")
    }


def test_styles_ask_no_other_host_and_every_file_is_there():
    targets = [
        target for target in re.findall(r'url\("([^"]+)"\)', CSS) if not target.startswith("data:")
    ]
    assert targets and all((STATIC / target).is_file() for target in targets)


def test_what_is_not_ours_comes_with_its_license():
    fonts = {
        path.name.split("-latin")[0].split("-greek")[0]
        for path in (STATIC / "fonts").glob("*.woff2")
    }
    assert {f"LICENSE-{font}.txt" for font in fonts} == {
        p.name for p in (STATIC / "fonts").glob("LICENSE-*")
    }
    assert (STATIC / "vendor" / "katex" / "LICENSE").is_file()
    assert (ROOT / "tests" / "site" / "vendor" / "LICENSE-axe-core.txt").is_file()


def test_the_card_has_the_size_that_is_shown():
    header = (STATIC / "social-card.png").read_bytes()[:24]
    assert struct.unpack(">II", header[16:24]) == (1200, 630)
