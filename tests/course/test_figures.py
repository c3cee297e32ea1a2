"""The figure package: colors as variables, ids, text alternatives, cheap imports."""

import re
import subprocess
import sys

import pytest
from contrast import contrast

from autograder.course.diagrams import gru_cell
from autograder.course.diagrams.gru_diagram import GRU_PARTS
from autograder.course.figures import COLORS, figure_html, show, show_svg, svg_of, use_style
from autograder.course.figures.palette import DARK, LIGHT
from autograder.course.figures.phone import growing


def draw():
    import matplotlib.pyplot as plt

    use_style()
    fig, ax = plt.subplots()
    ax.plot([0, 1], [0, 1], color=COLORS["gru"], label="$z_t$")
    ax.set(xlabel="step", ylabel="gate")
    ax.legend()
    return fig


@pytest.fixture
def displayed(monkeypatch):
    """What a call displays, as the MIME bundle a notebook would get."""
    import IPython.display

    def run(call) -> dict:
        bundles = []
        monkeypatch.setattr(IPython.display, "display", lambda data, raw: bundles.append(data))
        call()
        (bundle,) = bundles
        return bundle

    return run


def test_importing_the_package_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys; from autograder.course.diagrams import gru_cell; gru_cell(); "
        "print([m for m in ('torch', 'matplotlib', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("highlight", [None, *GRU_PARTS])
def test_the_cell_is_well_formed_and_uses_variables_only(highlight, compact):
    from xml.etree import ElementTree

    svg = gru_cell(highlight=highlight, compact=compact)
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img" and root.get("aria-label")
    assert root.find("title") is not None
    assert "var(--gm-ink" in svg
    bare = re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', svg)
    assert bare == []


def test_the_cell_grows_part_by_part():
    full = gru_cell(ghost=False)
    for count in range(len(GRU_PARTS)):
        svg = gru_cell(show=GRU_PARTS[:count], ghost=False)
        drawn = set(re.findall(r'data-part="(\w+)"', svg)) - {"input"}
        assert drawn == set(GRU_PARTS[:count])
        assert len(svg) < len(full)


def test_unknown_parts_are_refused():
    with pytest.raises(ValueError, match="the parts of the cell are"):
        gru_cell(show=("z", "forget"))
    with pytest.raises(ValueError, match="forget"):
        gru_cell(highlight="forget")


def test_plots_use_variables_and_the_same_figure_gives_the_same_text(monkeypatch):
    from autograder.course.figures import style

    monkeypatch.setattr(style, "_used", set())
    first = svg_of(draw())
    monkeypatch.setattr(style, "_used", set())
    assert first == svg_of(draw())
    gru = COLORS["gru"]
    assert "var(--gm-gru" in first and gru not in first.replace(f", {gru})", "")
    assert "<text" in first and "Instrument Sans" in first


def test_rounding_leaves_what_is_read_as_it_is():
    fig = draw()
    fig.axes[0].set_xticks([0, 1], ["0.001", "0.0005"])
    svg = svg_of(fig)
    assert ">0.001<" in svg and ">0.0005<" in svg
    assert not re.search(r'[ "]\d+\.\d{3,}[ "]', svg)


def test_two_figures_on_one_page_share_no_id():
    ids = [i for _ in range(2) for i in re.findall(r'\bid="([^"]+)"', svg_of(draw()))]
    assert len(ids) == len(set(ids))


def test_every_reference_inside_a_figure_resolves():
    svg = svg_of(draw())
    ids = set(re.findall(r'\bid="([^"]+)"', svg))
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= ids
    assert set(re.findall(r'href="#([^"]+)"', svg)) <= ids


def test_show_displays_a_captioned_figure_with_a_text_alternative(displayed):
    data = displayed(lambda: show(draw(), alt='A line "rising"', caption="It rises."))
    assert data["text/plain"] == 'A line "rising"'
    html = data["text/html"]
    assert 'class="gm-figure"' in html and "<figcaption>It rises.</figcaption>" in html
    named = 'role="img" aria-label="A line &quot;rising&quot;"'
    assert html.count(named) == 2, "one drawing for a wide column, one for a narrow one"
    assert html.count('class="gm-wide"') == html.count('class="gm-narrow"') == 1


def test_on_a_phone_panels_stand_below_each_other_and_say_what_they_shared(displayed):
    import matplotlib.pyplot as plt

    use_style()
    fig, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(7, 3))
    left.set(ylabel="loss", yscale="log", ylim=(1e-6, 1))
    html = displayed(lambda: show(fig, alt="Two empty panels", caption="Left: one. Right: two."))
    html = html["text/html"]
    wide, phone = (float(size) for size in re.findall(r'viewBox="0 0 ([\d.]+)', html))
    assert wide > 500 and phone < 330
    first, second = html.split('svg class="gm-narrow"')
    assert first.count(">loss<") == 1 and second.count(">loss<") == 2
    assert '<span class="gm-wide">Left</span><span class="gm-narrow">Above</span>: one.' in html


def test_a_diagram_says_how_large_its_letters_are():
    svg = growing(gru_cell())
    assert svg == gru_cell()  # it is told as it is drawn, and once
    assert "--gm-least:18.8px" in svg  # 10.2 pixels where 560 units are 304 pixels wide
    sizes = re.findall(r'font-size="([\d.]+)"[^>]*style="--gm-size:([\d.]+)px', svg)
    assert len(sizes) > 20 and all(drawn == told for drawn, told in sizes)


def test_show_svg_gives_the_cell_its_own_text_alternative(displayed):
    html = displayed(lambda: show_svg(gru_cell(), alt="The whole cell"))["text/html"]
    assert html.count("aria-label=") == 1 and html.count("<title>") == 1
    assert 'aria-label="The whole cell"' in html


def test_a_figure_without_a_text_alternative_is_refused():
    with pytest.raises(ValueError, match="text alternative"):
        figure_html("<svg></svg>", alt="")


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", [n for n in LIGHT if n not in ("line", "panel", "paper")])
@pytest.mark.parametrize("ground", ["paper", "panel"])
def test_text_in_every_color_is_readable(palette, name, ground):
    assert contrast(palette[name], palette[ground]) >= 4.5


def test_palette_values_are_distinct():
    assert len(set(LIGHT.values())) == len(LIGHT) and LIGHT.keys() == DARK.keys()
