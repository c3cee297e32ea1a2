"""What a user of a smart home means: an intent for the sentence, a slot for each word, and turns.

The sentences are those of Home Assistant (see `house_sentences`), filled here with names. A sentence is
read word by word up to an end mark. The answer at a word is its tag (``O``, or ``B-`` and ``I-`` with the
slot it begins or goes on with), the answer at the end mark is the intent: so one readout gives both, and a
sentence counts as right only if all of its answers are.

A seed draws who plays which part, of the templates and of the names: most train, some choose, some test.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from .tasks import DATA, FAMILIES, Examples, Own, Split, Task, whole

if TYPE_CHECKING:
    from .training import Run

FOLDER = DATA / "house"
PAD, RARE, END = (
    0,
    1,
    2,
)  # numbers of words that are none: a step that is not there, an unknown word, the end
NONE = -100  # the target of a step that is not asked for; PyTorch's cross entropy leaves it out
LONGEST = 20  # steps of a sentence with its end mark
WORDS = 800  # numbers there are for words
PIECES, OF_A_WORD = (
    3000,
    12,
)  # numbers there are for pieces of words, and how many a word has at most
HELD = 0.2  # of the templates and of the names, for the test part and again for the validation part
CHOOSING, TESTED = 600, 1000  # sentences
# How a name that was never seen is met: not at all; hidden in half of the training sentences; spelled in
# runs of three letters; looked up in the house's own list; the second and the fourth together.
FORMS = ("words", "hidden", "letters", "listed", "mended")
TWO = "both"  # the net that reads in two directions; else in one
FREE = (
    "timer",
    "item",
    "task",
    "message",
    "query",
    "command",
)  # said freely: no list can hold them


@dataclass(frozen=True)
class Sentence:
    """What was said and what it means: ``tags`` one for each of the ``words``; ``named``: the places of
    the words that a household chose itself; ``kinds``: the kind of each name, in order."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    intent: str
    named: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def answers(self) -> tuple[str, ...]:
        """What is to be answered at each word and at the end."""
        return (*self.tags, self.intent)


@cache
def templates() -> pd.DataFrame:
    """The sentences as they are shipped: ``intent``, ``template`` (its number), ``sentence`` with braces."""
    return pd.read_csv(FOLDER / "sentences.tsv", sep="\t", quoting=3)


@cache
def names() -> dict[str, list[str]]:
    """The names of each kind."""
    table = pd.read_csv(FOLDER / "names.tsv", sep="\t", quoting=3)
    return table.groupby("kind")["name"].agg(list).to_dict()


@cache
def labels() -> list[str]:
    """Every answer there is: the tags, then the intents."""
    slots = sorted(set(templates()["sentence"].str.findall(r":([a-z_]+)\}").explode().dropna()))
    tags = ["O", *(f"{mark}-{slot}" for slot in slots for mark in "BI")]
    return tags + sorted(set(templates()["intent"]))


def filled(
    intent: str, sentence: str, known: Mapping[str, Sequence[str]], source: np.random.Generator
) -> Sentence:
    """A sentence with a name drawn for each slot that wants one."""
    words: list[str] = []
    tags: list[str] = []
    named: list[int] = []
    kinds: list[str] = []
    for text, what, slot in re.findall(r"([^{}]+)|\{([^:]+):([a-z_]+)\}", sentence):
        said = text.split()
        if what:
            if what.isdigit():
                value = str(source.integers(1, int(what) + 1))
            else:
                value = what[1:] if what[0] == "=" else str(source.choice(known[what]))
            said = value.split()
            if what in known:
                named += range(len(words), len(words) + len(said))
                kinds.append(what)
        words += said
        tags += [f"{'I' if k else 'B'}-{slot}" if what else "O" for k in range(len(said))]
    return Sentence(tuple(words), tuple(tags), intent, tuple(named), tuple(kinds))


@dataclass(frozen=True)
class Cast:
    """Who plays which part: rows of `templates` and names of each kind, for "train", "choose" and "test"."""

    rows: dict[str, np.ndarray]
    names: dict[str, dict[str, list[str]]]


@cache
def cast(seed: int) -> Cast:
    """The parts as a seed draws them; every intent and every kind of name keeps most for training."""
    source = np.random.default_rng(70_000 + seed)
    part_of: dict[int, str] = {}
    for _, rows in templates().groupby("intent"):
        part_of |= roles(source.permutation(rows["template"].unique()).tolist())
    parts = templates()["template"].map(part_of).to_numpy()
    own: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for kind, known in names().items():
        for name, part in roles(source.permutation(known).tolist()).items():
            own[part][kind].append(name)
    return Cast({part: np.flatnonzero(parts == part) for part in own}, own)


def roles(order: list) -> dict:
    """A part for each: a fifth tests, rounded down, as many choose, the others train."""
    held = int(HELD * len(order))
    return {
        who: "test" if place < held else "choose" if place < 2 * held else "train"
        for place, who in enumerate(order)
    }


class Drawing:
    """Draws sentences for a seed."""

    def __init__(self, seed: int, number: int):
        self.source, self.cast = np.random.default_rng(number + seed), cast(seed)
        self.named = templates()["sentence"].str.contains(r"\{[a-z_]+:").to_numpy()

    def draw(self, rows: str, known: str, count: int, named: bool = False) -> list[Sentence]:
        """Sentences from the templates of one part and the names of one, with ``named`` all with a name."""
        pool, table = self.cast.rows[rows], templates()
        if named:
            pool = pool[self.named[pool]]
        return [
            filled(table["intent"].iat[row], table["sentence"].iat[row], self.cast.names[known], self.source)
            for row in self.source.choice(pool, count)
        ]  # fmt: skip


def said(seed: int, count: int) -> dict[str, list[Sentence]]:
    """The sentences of a seed: "train", "choose", and the three parts that test.

    "known": templates and names of the training part, but no sentence of it. "templates": templates that
    were left out. "names": templates of the training part, and every name was left out.
    """
    drawing = Drawing(seed, 71_000)
    found = {"train": drawing.draw("train", "train", count)}
    seen = {sentence.words for sentence in found["train"]}
    fresh = [s for s in drawing.draw("train", "train", 4 * TESTED) if s.words not in seen]
    found["choose"] = drawing.draw("choose", "train", CHOOSING // 2)
    found["choose"] += drawing.draw("train", "choose", CHOOSING // 2, named=True)
    found["known"] = fresh[:TESTED]
    found["templates"] = drawing.draw("test", "train", TESTED)
    found["names"] = drawing.draw("train", "test", TESTED, named=True)
    return found


@cache
def other_words() -> list[str]:
    """Words that anything could be called by: those of the movie reviews, without the rarest and the commonest."""
    table = pd.read_csv(DATA / "movie_snippets.tsv", sep="\t", quoting=3)
    counts = table["text"].str.lower().str.findall(r"[a-z']+").explode().value_counts()
    return sorted(counts.index[(counts > 2) & (counts < 200)])


def renamed(sentences: list[Sentence], seed: int) -> list[Sentence]:
    """Every second sentence with other words for its names."""
    source, made = np.random.default_rng(72_000 + seed), []
    for place, sentence in enumerate(sentences):
        words = list(sentence.words)
        for at in sentence.named if place % 2 else ():
            words[at] = str(source.choice(other_words()))
        made.append(replace(sentence, words=tuple(words)))
    return made


# From words to numbers.


@cache
def listed() -> dict[tuple[str, ...], str]:
    """The list of a house: what each of its names stands for, such as "<light>", or "<area floor>" for two kinds."""
    kinds = defaultdict(set)
    for kind, known in names().items():
        for name in known if kind not in FREE else ():
            kinds[tuple(name.split())].add(kind)
    return {name: f"<{' '.join(sorted(found))}>" for name, found in kinds.items()}


def looked_up(words: Sequence[str]) -> list[str]:
    """The words with each name of the list replaced by what it stands for; the longest name counts."""
    table, found, at = listed(), list(words), 0
    longest = max(map(len, table))
    while at < len(words):
        sizes = range(min(longest, len(words) - at), 0, -1)
        size = next((n for n in sizes if tuple(words[at : at + n]) in table), 0)
        for place in range(at, at + size):
            found[place] = table[tuple(words[at : at + size])]
        at += max(size, 1)
    return found


def pieces_of(word: str) -> list[str]:
    """The runs of three letters of a word with its ends marked: "tv" has "<tv" and "tv>"."""
    marked = f"<{word}>"
    return [marked[k : k + 3] for k in range(len(marked) - 2)][:OF_A_WORD]


@dataclass(frozen=True)
class Known:
    """The numbers that a net of a form has for words, or for pieces of words."""

    form: str
    numbers: dict[str, int]

    def read(self, sentence: Sentence, hide: bool = False) -> list:
        """The numbers of the words and of the end, with ``hide`` its names as unknown words.

        For "letters" a word is a list of 12, those of its pieces with zeros behind them.
        """
        words = (
            looked_up(sentence.words) if self.form in ("listed", "mended") else list(sentence.words)
        )
        if self.form == "letters":
            rows = [[self.numbers.get(piece, RARE) for piece in pieces_of(word)] for word in words]
            return [row + [PAD] * (OF_A_WORD - len(row)) for row in [*rows, [END]]]
        found = [self.numbers.get(word, RARE) for word in words]
        if hide:
            for place in sentence.named:
                if not words[place].startswith("<"):
                    found[place] = RARE
        return [*found, END]


def known_from(sentences: Sequence[Sentence], form: str) -> Known:
    """Numbers for what occurs at least twice; what occurs once is as unknown as what is yet to come."""
    counts = Counter(
        part for s in sentences
        for word in (looked_up(s.words) if form in ("listed", "mended") else s.words)
        for part in (pieces_of(word) if form == "letters" else [word])
    )  # fmt: skip
    room = (PIECES if form == "letters" else WORDS) - END - 1
    common = [word for word, count in counts.most_common(room) if count > 1]
    return Known(form, {word: number for number, word in enumerate(common, END + 1)})


def encoded(sentences: Sequence[Sentence], known: Known, training: bool = False) -> Examples:
    """Numbers of words (N, T), or of their pieces (N, T, 12), and the number of every answer (N, T).

    ``training``: forms that hide names do so in every second sentence. Raises ValueError for a sentence
    of more than 19 words.
    """
    number = {label: place for place, label in enumerate(labels())}
    shape = (len(sentences), LONGEST)
    xs = np.zeros((*shape, OF_A_WORD) if known.form == "letters" else shape, np.int64)
    ys, lengths = np.full(shape, NONE, np.int64), np.zeros(len(sentences), np.int64)
    hiding = training and known.form in ("hidden", "mended")
    for row, sentence in enumerate(sentences):
        read = known.read(sentence, hiding and row % 2 == 1)
        if len(read) > LONGEST:
            raise ValueError(
                f"{len(read)} steps, and {LONGEST} are read: {' '.join(sentence.words)}"
            )
        lengths[row] = len(read)
        xs[row, : len(read)] = read
        ys[row, : len(read)] = [number[answer] for answer in sentence.answers]
    return whole(xs, ys, lengths)


@dataclass(frozen=True)
class House(Split):
    """A split with other parts that test, each by its name."""

    others: dict[str, Examples] = field(default_factory=dict)

    def to(self, device: str) -> "House":
        """The same on a device."""
        parts = (self.train, self.validation, self.test)
        train, validation, test = (part.to(device) for part in parts)
        others = {name: part.to(device) for name, part in self.others.items()}
        return House(train, validation, test, others=others)


def vocabulary(form: str, seed: int, count: int) -> Known:
    """What a net of a form knows that was trained with a seed."""
    train = said(seed, count)["train"]
    return known_from(renamed(train, seed) if form == "letters" else train, form)


def house(form: str, seed: int, count: int) -> House:
    """Intent and slots of a sentence, in one of `FORMS`; the test part holds names that were never seen.

    Beside it "known" and "templates", see `said`.
    """
    sentences = said(seed, count)
    if form == "letters":
        sentences["train"] = renamed(sentences["train"], seed)
    known = known_from(sentences["train"], form)
    part = {name: encoded(those, known, name == "train") for name, those in sentences.items()}
    others = {name: part[name] for name in ("known", "templates")}
    return House(part["train"], part["choose"], part["names"], others=others)


# Two turns.


@dataclass(frozen=True)
class FollowUp:
    """One kind of second turn: the ``ways`` it is said, and what it needs of the first."""

    name: str
    ways: tuple[str, ...]


# "same": the intent of the first turn; "undo": the opposite one. {KIND:name} is a name of the kind that the
# first turn has, {N:SLOT} a number for the slot that has one there.
FOLLOW_UPS = {
    rule.name: rule
    for rule in (
        FollowUp("area", (
            "and the {area:area} too", "and in the {area:area}", "the {area:area} as well", "same for the {area:area}",
            "also in the {area:area}", "and now the {area:area}", "do the {area:area} too", "and the {area:area} please",
            "now the {area:area}", "no in the {area:area}",
        )),
        FollowUp("name", (
            "and the {KIND:name} too", "the {KIND:name} as well", "and the {KIND:name}", "same for the {KIND:name}",
            "no the {KIND:name}", "i meant the {KIND:name}", "and now the {KIND:name}", "also the {KIND:name}",
            "not that the {KIND:name}", "the {KIND:name} please",
        )),
        FollowUp("other", (
            "no the other one", "and the other one", "the other one too", "not that one", "i meant the other one",
            "no not this one", "the other one as well", "the other one please", "also the other one", "wrong one",
        )),
        FollowUp("number", (
            "make it {N:SLOT}", "no {N:SLOT}", "{N:SLOT} please", "better {N:SLOT}", "make that {N:SLOT}",
            "i meant {N:SLOT}", "rather {N:SLOT}", "{N:SLOT} instead", "no make it {N:SLOT}", "say {N:SLOT}",
        )),
        FollowUp("undo", (
            "undo that", "no put it back", "take that back", "the other way round", "no the opposite", "reverse that",
            "as it was before", "undo it please", "back again", "no undo that",
        )),
    )
}  # fmt: skip
NEW = "new"  # a second turn that has nothing to do with the first
TURNS = (*FOLLOW_UPS, NEW)
PAIRS = (
    ("TurnOn", "TurnOff"), ("MediaPause", "MediaUnpause"), ("PauseTimer", "UnpauseTimer"),
    ("MediaPlayerMute", "MediaPlayerUnmute"), ("IncreaseTimer", "DecreaseTimer"), ("MediaNext", "MediaPrevious"),
)  # fmt: skip
OPPOSITE = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}
SETTING = (
    "LightSet",
    "SetPosition",
    "ClimateSetTemperature",
    "SetVolume",
    "FanSetSpeed",
    "StartTimer",
)
Dialogue = tuple[str, Sentence, Sentence]  # the kind of second turn, and the two


def number_slot(sentence: Sentence) -> str | None:
    """The slot of a sentence's number, where it sets something to one."""
    if sentence.intent not in SETTING:
        return None
    pairs = zip(sentence.words, sentence.tags, strict=True)
    return next((tag[2:] for word, tag in pairs if word.isdigit() and tag[:2] == "B-"), None)


def fitting(first: Sentence) -> list[str]:
    """The kinds of second turn that can follow."""
    named = [kind for kind in first.kinds if kind not in ("area", "floor", *FREE)]
    fits = {"area": "area" in first.kinds, "name": bool(named), "other": bool(named),
            "number": number_slot(first) is not None, "undo": first.intent in OPPOSITE}  # fmt: skip
    return [*(name for name, fit in fits.items() if fit), NEW]


def second(first: Sentence, name: str, way: str, known: Mapping[str, Sequence[str]], source: np.random.Generator) -> Sentence:  # fmt: skip
    """A second turn that needs the first: what it says, and what it means after that."""
    own = [kind for kind in first.kinds if kind not in ("area", "floor", *FREE)]
    way = way.replace("KIND", own[0] if own else "").replace("N:SLOT", f"100:{number_slot(first)}")
    return filled(OPPOSITE[first.intent] if name == "undo" else first.intent, way, known, source)


def dialogues(seed: int, count: int) -> dict[str, list[Dialogue]]:
    """Two turns each, for "train", "choose" and "test", which share no template and no way to follow up."""
    drawing = Drawing(seed, 73_000)
    source = drawing.source
    ways = {
        name: {part: [way for way, role in roles(source.permutation(rule.ways).tolist()).items() if role == part]
               for part in ("train", "choose", "test")}
        for name, rule in FOLLOW_UPS.items()
    }  # fmt: skip
    found: dict[str, list[Dialogue]] = {}
    for part, number in (("train", count), ("choose", CHOOSING), ("test", 2 * TESTED)):
        known = drawing.cast.names["train"]
        found[part] = []
        for first, new in zip(
            *(drawing.draw(part, "train", number) for _ in range(2)), strict=True
        ):
            name = str(source.choice(fitting(first)))
            way = "" if name == NEW else str(source.choice(ways[name][part]))
            after = new if name == NEW else second(first, name, way, known, source)
            found[part].append((name, first, after))
    return found


def turns(seed: int, count: int) -> House:
    """Two turns: xs (N, 2, T), ys (N, 2, T); the test part asks for the second turn only.

    Beside it the test part by the kind of second turn, and "first": the first turns. Names are looked up
    and hidden as in "mended".
    """
    found = dialogues(seed, count)
    known = known_from([s for _, first, after in found["train"] for s in (first, after)], "mended")

    def part(
        those: list[Dialogue], training: bool = False, asked: tuple[int, ...] = (0, 1)
    ) -> Examples:
        read = [encoded(list(turn), known, training) for turn in list(zip(*those, strict=True))[1:]]
        ys = torch.stack(
            [one.ys if k in asked else torch.full_like(one.ys, NONE) for k, one in enumerate(read)],
            1,
        )
        return Examples(torch.stack([one.xs for one in read], 1), read[1].lengths, ys)

    others = {"first": part(found["test"], asked=(0,))}
    for name in TURNS:
        others[name] = part([turn for turn in found["test"] if turn[0] == name], asked=(1,))
    test = part(found["test"], asked=(1,))
    return House(part(found["train"], True), part(found["choose"]), test, others=others)


class Tagger(nn.Module):
    """Reads a sentence, or two turns, and answers at every step, in one direction or in two.

    ``hidden`` counts the numbers that the readout sees at a step: with two directions each has half of
    them, and nothing behind a sentence's end is read. ``carry``: the second turn begins with the state in
    which the first one ended; the direction that reads backward begins at zero in either.
    """

    def __init__(self, layer: type[nn.RNNBase], outputs: int, hidden: int, *, vocabulary: int, embedding: int,
                 two: bool = False, carry: bool = False):  # fmt: skip
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=PAD)
        self.memory = layer(
            embedding, hidden // 2 if two else hidden, batch_first=True, bidirectional=two
        )
        self.readout = nn.Linear(hidden, outputs)
        self.carry = carry

    def forward(self, xs: Tensor, lengths: Tensor) -> Tensor:
        """Numbers of words (B, T) or of pieces (B, T, 12) to answers (B, T, outputs); turns (B, 2, T) to
        (B, 2, T, outputs)."""
        if xs.ndim == 3 and xs.shape[1] == 2:
            first, state = self.turn(xs[:, 0])
            return torch.stack([first, self.turn(xs[:, 1], state if self.carry else None)[0]], 1)
        return self.turn(xs)[0]

    def turn(self, xs: Tensor, state: Tensor | tuple[Tensor, ...] | None = None) -> tuple[Tensor, Tensor | tuple[Tensor, ...]]:  # fmt: skip
        """The answers of one turn, and the state to begin the next one with."""
        inputs, lengths = (
            self.embedding(xs),
            (xs.flatten(2) if xs.ndim == 3 else xs[:, :, None]).any(2).sum(1),
        )
        if xs.ndim == 3:
            inputs = inputs.sum(2)
        packed = nn.utils.rnn.pack_padded_sequence(
            inputs, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        hs, last = self.memory(packed, state)
        hs, _ = nn.utils.rnn.pad_packed_sequence(hs, batch_first=True, total_length=xs.shape[1])
        return self.readout(hs), self.onward(last)

    def onward(self, last: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        """The last state, with zeros for the direction that reads backward."""
        if isinstance(last, tuple):
            return tuple(map(self.only_forward, last))
        return self.only_forward(last)

    def only_forward(self, state: Tensor) -> Tensor:
        """(directions, B, H), all but the first direction zero."""
        return torch.cat([state[:1], torch.zeros_like(state[1:])])


def all_right(answers: Tensor, ys: Tensor) -> Tensor:
    """Whether every answer that is asked for is right: (N, ..., outputs) and (N, ...) to (N,)."""
    return ((answers.argmax(-1) == ys) | (ys == NONE)).flatten(1).all(1)


def without_intent(ys: Tensor) -> Tensor:
    """The same targets without the intents, so that only the slots are asked for."""
    return torch.where(ys >= len(labels()) - templates()["intent"].nunique(), NONE, ys)


def intent_right(answers: Tensor, ys: Tensor) -> Tensor:
    """Whether the intent is right, the last answer that is asked for: (N, ..., outputs) and (N, ...) to (N,)."""
    right, asked = (answers.argmax(-1) == ys).flatten(1), (ys != NONE).flatten(1)
    last = asked.shape[1] - 1 - asked.flip(1).int().argmax(1)
    return right[torch.arange(len(right)), last]


# What the trial is given: see `tasks.Own`.


def tagging(carry: bool = False) -> Own:
    """The task's own net, loss and measure; with ``carry`` the state goes on to the second turn."""

    def net(run: "Run", split: Split) -> Tagger:
        letters = split.train.xs.shape[-1] == OF_A_WORD
        return Tagger(
            FAMILIES[run.family], len(labels()), run.hidden, vocabulary=PIECES if letters else WORDS,
            embedding=run.embedding, two=run.net == TWO, carry=carry,
        )  # fmt: skip

    return Own(net, loss, wrong)


def loss(net: nn.Module, part: Examples) -> Tensor:
    """The mean cross entropy, in nats, of all answers that are asked for."""
    return nn.functional.cross_entropy(net(part.xs, part.lengths).flatten(0, -2), part.ys.flatten())


def wrong(net: nn.Module, part: Examples) -> float:
    """Percent of the sentences, or turns, that are not wholly right."""
    return 100 * float(1 - all_right(net(part.xs, part.lengths), part.ys).double().mean())


@torch.no_grad()
def read_house(model: nn.Module, task: Task, split: Split) -> dict[str, float]:
    """Percent of the sentences or turns that are wrong, by part: ``PART_wrong`` (not wholly right),
    ``PART_intent`` and ``PART_slots``; the test part is called "names" or "turns"."""
    assert isinstance(split, House)
    found = {}
    parts = {"turns" if split.test.ys.ndim == 3 else "names": split.test, **split.others}
    for name, part in parts.items():
        answers = model(part.xs, part.lengths)
        right, intent = all_right(answers, part.ys), intent_right(answers, part.ys)
        slots = all_right(answers, without_intent(part.ys))
        for what, share in (("wrong", right), ("intent", intent), ("slots", slots)):
            found[f"{name}_{what}"] = 100 * float(1 - share.double().mean())
    return found
