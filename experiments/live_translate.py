"""The figure that translates: a number of up to six digits is said in German, piece by piece.

A page shows it with two cells, one of code and one of raw HTML::

    display(HTML(live_translate.translate(live_translate.translate_data(), "472816")))

    ```{raw} html
    <script src="../../_static/gm-elements.js" defer></script>
    <script src="../../_static/gm-translate.js" defer></script>
    ```

It is ``<gm-translate>`` around its data and, without JavaScript, a drawing of one number: where the net
looks while it says it. The data, a dict (arrays of `quantized.quantize` are marked Q):

- ``net``: Q of the arrays of `translator.Translator` with attention and GRUs, named as `NAMES` says;
- ``spoken``: the pieces, the first of them number 3; ``longest``: how many are said at most;
- ``digits``: the length of the longest number that was trained;
- ``examples``: numbers to begin with, as strings.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import torch

from .live import _drawing, _figure, _fill, _number, _px, _tag, _text
from .models import FOLDER
from .quantized import dequantize
from .translation import DIGITS, END, GERMAN, german
from .translator import Translator, greedy

PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
# What an array is called in the data, and in the net's state dict.
NAMES = {
    "source": "source.weight", "target": "target.weight", "scores": "scores.weight",
    **{f"{name}_{part}": f"{name}.{part}" for name in ("mix", "readout") for part in ("weight", "bias")},
    **{f"{name}_{part}": f"{name}.{part}_l0" for name in ("encoder", "decoder") for part in PARTS},
}  # fmt: skip
EXAMPLES = ("472816", "1001", "30", "700017", "999999", "212121", "4728160")
ROW, TOP, LEFT = 26, 26, 88  # pixels, as in gm-translate.js


def translate_data(
    file: Path = FOLDER / "numbers.json", examples: Sequence[str] = EXAMPLES
) -> dict:
    """All that ``<gm-translate>`` needs, from the file of a shipped net."""
    arrays = json.loads(file.read_text(encoding="utf-8"))["arrays"]
    return {
        "net": {name: arrays[there] for name, there in NAMES.items()}, "spoken": list(GERMAN.spoken),
        "longest": GERMAN.longest, "digits": DIGITS, "examples": list(examples),
    }  # fmt: skip


def net_of(data: dict) -> Translator:
    """The net of the data, in torch."""
    arrays = {NAMES[name]: torch.from_numpy(dequantize(q)) for name, q in data["net"].items()}
    (read, width), spoken = arrays["source.weight"].shape, len(arrays["target.weight"])
    net = Translator("gru", read, spoken, len(arrays["mix.bias"]), width, attention=True)
    net.load_state_dict(arrays)
    return net.eval()


def digits_of(number: str) -> tuple[torch.Tensor, torch.Tensor]:
    """A number as a net reads it: (1, T) int64, and its length (1,)."""
    xs = torch.tensor([GERMAN.numbers(number)])
    return xs, torch.tensor([xs.shape[1]])


def _cells(number: str, pieces: list[str], weights: torch.Tensor) -> str:
    width = 100 / len(number)
    out = [
        _text(_px(width * (k + 0.5)), 17, digit, size=13, text_anchor="middle", font_weight=600)
        for k, digit in enumerate(number)
    ]
    for row, (piece, looked) in enumerate(zip(pieces, weights.tolist(), strict=True)):
        out.append(_text(-8, TOP + ROW * (row + 0.5) + 4, piece, size=13, text_anchor="end"))
        out += [
            _tag("rect", x=_px(width * k + 0.4), width=_px(width - 0.8), y=_number(TOP + ROW * row + 1), height=ROW - 2,
                 rx=3, **_fill("gru", round(0.04 + 0.9 * weight, 3)))
            for k, weight in enumerate(looked)
        ]  # fmt: skip
    return "".join(out)


def translate(data: dict, number: str) -> str:
    """The figure in which a reader types a number, as HTML: ``<gm-translate>`` around one of them.

    ``number`` is what stands there at first, and all that stands there without JavaScript. The page that
    shows it loads gm-elements.js and gm-translate.js.
    """
    said, looked = greedy(net_of(data), *digits_of(number), data["longest"])
    assert looked is not None
    pieces = ["end" if n == END else data["spoken"][n - 3] for n in said[0].tolist()]
    most = [number[k] for k in looked[0].argmax(-1).tolist()]
    steps = ", ".join(f"{piece} (at {digit})" for piece, digit in zip(pieces, most, strict=True))
    words = "".join(pieces[:-1])
    text = f"It says {words}, which is {'right' if words == german(int(number)) else 'wrong'}. Piece by piece, and the digit it looks at most: {steps}."
    svg = _drawing(
        _cells(number, pieces, looked[0]), f"The number {number}, said in German", text, TOP + ROW * len(pieces), LEFT
    )  # fmt: skip
    caption = (
        "A row for each piece that the decoder says, a column for each digit that the encoder has read: the darker, the more "
        "the decoder looks there. In the list, the four beginnings that beam search keeps, with their probabilities."
    )
    return _figure("gm-translate", {"number": number}, data, svg, caption)
