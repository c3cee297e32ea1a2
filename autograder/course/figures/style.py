"""The course's Matplotlib style, and figures as inline SVG that follow light and dark mode."""

import hashlib
import io
import re
from html import escape

from .palette import COLORS, FIGURE_CSS, css_variables
from .phone import growing, larger_scripts, narrow, stacked

SANS = '"Instrument Sans", "Instrument Sans Variable", system-ui, sans-serif'
# The mathematics fonts of the page come first, so that a symbol in a figure is the symbol in
# the equation beside it.
SERIF = (
    'KaTeX_Math, KaTeX_Main, MJXTEX-I, MJXTEX, "Source Serif 4", "Source Serif 4 Variable", '
    '"STIX Two Text", Cambria, Georgia, serif'
)

# Pixels a figure unit (1/72 inch) may take at most on a wide screen.
_SCALE = 1.7

_used: set[str] = set()


def use_style() -> None:
    """Set Matplotlib's rcParams to the style of the course."""
    import matplotlib as mpl
    from cycler import cycler

    ink, muted, line = COLORS["ink"], COLORS["muted"], COLORS["line"]
    cycle = [COLORS[name] for name in ("gru", "update", "reset", "candidate")]
    mpl.rcParams.update(
        {
            "figure.figsize": (4.8, 2.8),
            "figure.constrained_layout.use": True,
            "figure.facecolor": "none",
            "savefig.facecolor": "none",
            "svg.fonttype": "none",
            "font.family": "DejaVu Sans",
            "font.size": 9.5,
            "mathtext.fontset": "cm",
            "text.color": ink,
            "axes.facecolor": "none",
            "axes.edgecolor": muted,
            "axes.labelcolor": ink,
            "axes.titlesize": 10,
            "axes.titleweight": "semibold",
            "axes.titlelocation": "left",
            "axes.titlepad": 7,
            "axes.labelsize": 9.5,
            "axes.linewidth": 0.7,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.prop_cycle": cycler(color=cycle),
            "grid.color": line,
            "grid.linewidth": 0.5,
            "xtick.color": muted,
            "ytick.color": muted,
            "xtick.labelcolor": ink,
            "ytick.labelcolor": ink,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "xtick.major.width": 0.7,
            "ytick.major.width": 0.7,
            "xtick.major.size": 3,
            "ytick.major.size": 3,
            "lines.linewidth": 1.7,
            "lines.markersize": 4.5,
            "lines.solid_capstyle": "round",
            "legend.frameon": False,
            "legend.fontsize": 9,
            "legend.handlelength": 2.6,
        }
    )


def svg_of(fig) -> str:
    """A figure as one inline SVG, colors as CSS variables, ids unique in the page."""
    import matplotlib as mpl

    buffer = io.StringIO()
    # A fixed salt: the same figure gives the same text in every build.
    with mpl.rc_context({"svg.hashsalt": "gated-memory", "svg.fonttype": "none"}):
        fig.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    svg = _light(svg)
    width = float(re.findall(r'viewBox="0 0 ([\d.]+)', svg)[0])
    svg = re.sub(r'<svg [^>]*?(viewBox="[^"]+")[^>]*>', r"<svg \1>", svg, count=1, flags=re.S)
    svg = _site_fonts(svg)
    style = (
        f"max-width:{width * _SCALE:.0f}px;font-synthesis:none;"
        "stroke-linejoin:round;stroke-linecap:butt"
    )
    svg = svg.replace("<svg ", f'<svg style="{style}" ', 1)
    return _own_ids(css_variables(svg))


def _light(svg: str) -> str:
    """Leave out what no reader sees: names nothing refers to, a thousandth of a pixel, line ends."""
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", svg)
    # Matplotlib's rule for every element would hold in the whole page; `svg_of` has it at the root.
    svg = re.sub(r"<defs>\s*<style[^>]*>\*\{[^}]*\}</style>\s*</defs>", "", svg)
    # Long lines and clouds of marks are most of a page's weight: a tenth of a unit has to do there.
    svg = re.sub(r'(?<= d=")[^"]{200,}|(?<=<use )[^>]*', lambda m: _rounded(m[0], 1), svg)
    # Only within tags: between them stands what is read, such as a rate of 0.001.
    svg = re.sub(r"<[^>]*>", lambda m: _rounded(m[0], 2), svg)
    svg = re.sub(r"\s*\n\s*(<)?", lambda m: m[1] or " ", svg)
    return re.sub(r"<text><tspan .*?</text>", _numbers, svg)


def _rounded(text: str, digits: int) -> str:
    """The text, its numbers with at most so many decimals."""
    number = rf"-?\d+\.\d{{{digits + 1},}}"
    return re.sub(number, lambda m: f"{float(m[0]):.{digits}f}".rstrip("0").rstrip("."), text)


def _numbers(label: re.Match) -> str:
    """Let the digits of a number such as a power of ten follow each other.

    Matplotlib places each where its own font would have it, and the site's digits are narrower.
    """
    if re.search(r">[^<\d−.]+</tspan>", label[0]):
        return label[0]
    digits = re.compile(r'(<tspan x="[^"]+" )([^>]*>)([^<]+)</tspan><tspan x="[^"]+" \2([^<]+)')
    text, before = label[0], ""
    while text != before:
        text, before = digits.sub(r"\1\2\3\4", text), text
    head, first, *others = text.split("<tspan x=")
    others = [re.sub(r'^"[^"]*"', '<tspan dx="0.5"', other) for other in others]
    return f"{head}<tspan x={first}" + "".join(others)


def _site_fonts(svg: str) -> str:
    """Name the site's fonts where Matplotlib names its own."""
    sans, serif = SANS.replace('"', "'"), SERIF.replace('"', "'")
    svg = re.sub(r"'DejaVu Sans'(?:, [^;\"]*)?", sans, svg)
    return re.sub(r"'?(?:cmmi10|cmr10|cmsy10|cmex10|cmb10)'?", serif, svg)


def _own_ids(svg: str) -> str:
    """Prefix every id, so that two figures on one page never share one."""
    base = prefix = "gm" + hashlib.sha1(svg.encode()).hexdigest()[:8]
    count = 1
    while prefix in _used:
        count += 1
        prefix = f"{base}-{count}"
    _used.add(prefix)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    return re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)


def figure_html(svg: str, alt: str, caption: str = "", phone: str = "") -> str:
    """An SVG text as ``<figure class="gm-figure">`` with a text alternative and a caption.

    ``phone`` is the same picture as another SVG text, seen instead where the column is narrow.
    """
    if not alt:
        raise ValueError("a figure needs a text alternative: alt must not be empty")
    drawings = _named(svg, alt)
    if phone:
        drawings = drawings.replace("<svg", '<svg class="gm-wide"', 1) + _named(phone, alt).replace(
            "<svg", '<svg class="gm-narrow"', 1
        )
    text = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f'<figure class="gm-figure"><style>{FIGURE_CSS}</style>{drawings}{text}</figure>'


def _named(svg: str, alt: str) -> str:
    """An SVG text with its text alternative."""
    head, body = svg.split(">", 1)
    head = re.sub(r'\s(?:role|aria-label)="[^"]*"', "", head)
    body = re.sub(r"^\s*<title>.*?</title>", "", body, flags=re.S)
    label = escape(alt, quote=True)
    head = head.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
    return f"{head}><title>{escape(alt)}</title>{body}"


def _display(html: str, alt: str) -> None:
    from IPython.display import display

    display({"text/html": html, "text/plain": alt}, raw=True)


def show(fig, alt: str, caption: str = "", phone_inches: float = 0) -> None:
    """Display a Matplotlib figure as inline SVG, one for a wide and one for a narrow column; close it.

    ``alt`` says what the figure shows to someone who cannot see it; ``caption`` (HTML allowed)
    says what to see in it. ``phone_inches`` is the width of the drawing for a phone, where it
    cannot be as narrow as the others: it then scrolls in its box.
    """
    import matplotlib.pyplot as plt

    wide = svg_of(fig)
    with larger_scripts():
        moved = narrow(fig, phone_inches) if phone_inches else narrow(fig)
        phone = svg_of(fig)
    if phone_inches:
        phone = phone.replace('style="', f'style="--gm-column:{72 * phone_inches:.0f}px;', 1)
    caption = stacked(caption) if moved else caption
    plt.close(fig)
    html = figure_html(wide, alt, caption, phone)
    _display(html, alt)


def show_svg(svg: str, alt: str, caption: str = "") -> None:
    """Display a hand-drawn SVG text in the same frame as `show`."""
    _display(figure_html(_own_ids(css_variables(growing(svg))), alt, caption), alt)
