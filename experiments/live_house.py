"""The figure of the house: what two turns mean, and the state that goes from one to the other.

A page shows it with two cells, one of code and one of raw HTML::

    display(HTML(live_house.understand(live_house.house_data())))

    ```{raw} html
    <script src="../../_static/gm-elements.js" defer></script>
    <script src="../../_static/gm-house.js" defer></script>
    ```

It is ``<gm-house>`` around its data and, without JavaScript, a drawing of one dialogue. The data, a dict
(arrays of `quantized.quantize` are marked Q):

- ``net``: Q of the arrays of `house.Tagger` with GRUs in two directions, named as `NAMES` says;
- ``words``: what has a number, from number 3 on, joined by "|"; ``labels``: the answers;
- ``names``: for what a name is read as, such as "<light>", the names of the house's list, joined by "|";
- ``longest``: steps of a turn with its end; ``examples``: dialogues, lists of two turns.
"""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from . import house
from .house import END, RARE, Known, Sentence, Tagger
from .live import _drawing, _figure, _fill, _number, _percent, _px, _tag, _text
from .models import FOLDER
from .quantized import dequantize, quantize
from .training import Run

PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
# What an array is called in the data, and in the net's state dict.
NAMES = {
    "embedding": "embedding.weight", "readout_weight": "readout.weight", "readout_bias": "readout.bias",
    **{f"{part}{end}": f"memory.{part}_l0{end}" for part in PARTS for end in ("", "_reverse")},
}  # fmt: skip
EXAMPLES = (
    ("turn on the firefly", "and the kitchen too"),
    ("set the bedroom to 20 percent", "and the kitchen too"),
    ("set the thermostat to 21 degrees", "no 19"),
    ("pause the radio", "undo that"),
    ("turn off the radio", "no the other one"),
    ("pause the pizza timer", "what time is it"),
)
ROW = 24


def house_data(
    file: Path = FOLDER / "house.json", examples: Sequence[Sequence[str]] = EXAMPLES
) -> dict:
    """All that ``<gm-house>`` needs, from the file of a shipped net."""
    packed = json.loads(file.read_text(encoding="utf-8"))
    known = known_to(Run(**packed["run"]))
    net = {name: packed["arrays"][there] for name, there in NAMES.items()}
    # Words that a seed's training part does not have left rows that nothing reads.
    net["embedding"] = quantize(dequantize(net["embedding"])[: END + 1 + len(known.numbers)])
    names = defaultdict(list)
    for name, kind in house.listed().items():
        names[kind].append(" ".join(name))
    return {
        "net": net, "words": "|".join(known.numbers), "labels": house.labels(),
        "names": {kind: "|".join(those) for kind, those in names.items()}, "longest": house.LONGEST,
        "examples": [list(turns) for turns in examples],
    }  # fmt: skip


def known_to(run: Run) -> Known:
    """The numbers of a net that was trained on turns."""
    train = house.dialogues(run.seed, run.count or COUNT)["train"]
    return house.known_from([s for _, first, after in train for s in (first, after)], "mended")


COUNT = 4000  # dialogues that train, as in `jobs`


def net_of(data: dict) -> Tagger:
    """The net of the data, in torch."""
    arrays = {NAMES[name]: torch.from_numpy(dequantize(q)) for name, q in data["net"].items()}
    words, width = arrays["embedding.weight"].shape
    outputs, hidden = arrays["readout.weight"].shape
    net = Tagger(nn.GRU, outputs, hidden, vocabulary=words, embedding=width, two=True, carry=True)
    net.load_state_dict(arrays)
    return net.eval()


def cut(text: str) -> list[str]:
    """The words of a text, as in the data."""
    return re.findall(r"[a-z0-9']+|[%°]", text.lower())


@torch.no_grad()
def understood(data: dict, turns: Sequence[str], carry: bool = True) -> list[dict]:
    """What the net makes of turns: ``words``, ``logits`` (T, outputs), ``tags``, ``intent``, ``share`` of it, and
    the ``state`` (H,) that it hands on; as ``GMHouse.understand`` on the page."""
    net, found = net_of(data), []
    known = Known("mended", {word: END + 1 + k for k, word in enumerate(data["words"].split("|"))})
    state = None
    for text in turns:
        words = cut(text)[: data["longest"] - 1]
        xs = torch.tensor([known.read(Sentence(tuple(words), ("O",) * len(words), ""))])
        logits, after = net.turn(xs, state if carry else None)
        assert isinstance(after, torch.Tensor)
        state, shares = after, logits[0, -1].softmax(-1)
        found.append({
            "words": words, "known": [number != RARE for number in xs[0, :-1].tolist()], "logits": logits[0].numpy(),
            "tags": [data["labels"][k] for k in logits[0, :-1].argmax(-1).tolist()],
            "intent": data["labels"][int(shares.argmax())], "share": float(shares.max()), "state": state[0, 0].numpy(),
        })  # fmt: skip
    return found


def spaced(intent: str) -> str:
    """An intent as it is read: "TurnOn" is "Turn On"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", intent)


def _turn(found: dict, name: str, top: float) -> tuple[str, float]:
    """A turn as rows of words and slots below its intent, and where it ends."""
    out = [
        _text(0, top + 15, name, "muted", 13),
        _text("38%", top + 15, f"{spaced(found['intent'])}, {_percent(found['share'])} sure", "gru", 15, font_weight=600),
    ]  # fmt: skip
    y = top + ROW
    for word, tag, known in zip(found["words"], found["tags"], found["known"], strict=True):
        style = {} if known else {"font_style": "italic"}
        out.append(_text(14, y + 16, word, size=14, **style))
        if tag != "O":
            out.append(
                _tag(
                    "rect",
                    x="38%",
                    y=_number(y + 3),
                    width="45%",
                    height=ROW - 6,
                    rx=4,
                    **_fill("panel"),
                )
            )
            out.append(_text("40%", y + 16, tag[2:].replace("_", " "), "gru", 13))
        y += ROW
    return "".join(out), y


def understand(data: dict) -> str:
    """The figure in which a reader talks to a house, as HTML: ``<gm-house>`` around its first example.

    Without JavaScript that example is all that stands there. The page that shows it loads gm-elements.js
    and gm-house.js.
    """
    turns = data["examples"][0]
    first, second = understood(data, turns)
    top, y = _turn(first, "First turn", 0)
    cells, width = [], 100 / len(first["state"])
    for k, value in enumerate(first["state"].tolist()):
        color = _fill("reset" if value < 0 else "gru", round(0.06 + 0.9 * abs(value), 3))
        cells.append(
            _tag(
                "rect",
                x=_px(width * k + 0.3),
                width=_px(width - 0.6),
                y=_number(y + 28),
                height=20,
                rx=2,
                **color,
            )
        )
    label = _text(0, y + 20, "The state that the first turn hands on, one cell a unit", "muted", 13)
    bottom, end = _turn(second, "Second turn", y + 64)
    said = "; ".join(
        f"“{text}” means {spaced(turn['intent'])}, with "
        + (", ".join(f"{word} ({tag[2:]})" for word, tag in zip(turn["words"], turn["tags"], strict=True) if tag != "O") or "no slot")
        for text, turn in zip(turns, (first, second), strict=True)
    )  # fmt: skip
    svg = _drawing(
        "".join([top, label, *cells, bottom]), "Two turns to a house", f"{said}.", end + 4
    )
    caption = (
        "With each word its slot, and for each turn the three likeliest intents. The cells between the turns are the state of "
        "the direction that reads forward: green above zero, blue below, the stronger, the darker."
    )
    return _figure("gm-house", {}, data, svg, caption)
