"""A net that reads one sequence and speaks another: encoder, decoder, and attention where it is asked for.

Sutskever et al. (2014) and Cho et al. (2014) hand the encoder's last state to the decoder; Bahdanau et
al. (2015) let the decoder look at all of its states, here in the form of Luong et al. (2015).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from .tasks import FAMILIES, Examples, Own, Split, Task
from .translation import DIGITS, END, GERMAN, PAD, START, Language, pair, unseen

WIDTH = 4  # of the beam
ATTENTION = "attention"


class Translator(nn.Module):
    """An encoder that reads numbered symbols and a decoder that begins with its last state.

    With ``attention``, what is said at a step comes from the decoder's state and from a mean of the
    encoder's states, weighted by how well each fits (Luong et al. 2015, "general").
    """

    def __init__(
        self, family: str, read: int, spoken: int, hidden: int, embedding: int, attention: bool
    ):
        super().__init__()
        self.source = nn.Embedding(read, embedding, padding_idx=PAD)
        self.target = nn.Embedding(spoken, embedding, padding_idx=PAD)
        self.encoder = FAMILIES[family](embedding, hidden, batch_first=True)
        self.decoder = FAMILIES[family](embedding, hidden, batch_first=True)
        self.attention = attention
        if attention:
            self.scores = nn.Linear(hidden, hidden, bias=False)
            self.mix = nn.Linear(2 * hidden, hidden)
        self.readout = nn.Linear(hidden, spoken)

    def encode(self, xs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | tuple[Tensor, Tensor]]:
        """The states of the encoder at every symbol, (B, T, H), and its last state as the decoder takes it."""
        packed = nn.utils.rnn.pack_padded_sequence(
            self.source(xs), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        hs, last = self.encoder(packed)
        return nn.utils.rnn.pad_packed_sequence(hs, batch_first=True, total_length=xs.shape[1])[
            0
        ], last

    def speak(self, before: Tensor, state, seen: Tensor, real: Tensor):
        """What comes after each of the symbols ``before`` (B, S), from a state on.

        ``seen`` (B, T, H), the encoder's states; ``real`` (B, T), which of them are no padding. Returns
        logits (B, S, symbols), the decoder's state after the last, and the attention (B, S, T), or None.
        """
        hs, state = self.decoder(self.target(before), state)
        if not self.attention:
            return self.readout(hs), state, None
        fit = hs @ self.scores(seen).transpose(1, 2)
        weights = fit.masked_fill(~real[:, None], -torch.inf).softmax(-1)
        hs = torch.tanh(self.mix(torch.cat([hs, weights @ seen], -1)))
        return self.readout(hs), state, weights

    def forward(self, xs: Tensor, lengths: Tensor, ys: Tensor) -> Tensor:
        """Teacher forcing: logits (B, S, symbols) at every step, the right symbols before it given."""
        before = torch.cat([torch.full_like(ys[:, :1], START), ys[:, :-1]], 1)
        seen, last = self.encode(xs, lengths)
        return self.speak(before, last, seen, xs != PAD)[0]


def chosen(state, rows: Tensor):
    """A state of nn.RNN, nn.GRU or nn.LSTM with these rows of its batch."""
    return tuple(part[:, rows] for part in state) if isinstance(state, tuple) else state[:, rows]


@torch.no_grad()
def greedy(
    net: Translator, xs: Tensor, lengths: Tensor, longest: int
) -> tuple[Tensor, Tensor | None]:
    """The likeliest symbol at every step, each fed back: (N, at most ``longest``), and the attention.

    After the end of a sentence its row has zeros.
    """
    seen, state = net.encode(xs, lengths)
    before, ended = torch.full((len(xs), 1), START), torch.zeros(len(xs), dtype=torch.bool)
    found, looked = [], []
    for _ in range(longest):
        logits, state, weights = net.speak(before, state, seen, xs != PAD)
        before = logits.argmax(-1).masked_fill(ended[:, None], PAD)
        found.append(before)
        looked.append(weights)
        ended |= before[:, 0] == END
        if ended.all():
            break
    return torch.cat(found, 1), torch.cat(looked, 1) if net.attention else None


@dataclass(frozen=True)
class Beam:
    """Sentences kept, the best first: symbols (N, K, S), and the sums of their log probabilities (N, K).

    ``steps``: the same two after every step, in the beam's own order.
    """

    symbols: Tensor
    scores: Tensor
    steps: list[tuple[Tensor, Tensor]]


@torch.no_grad()
def beam(net: Translator, xs: Tensor, lengths: Tensor, longest: int, width: int = WIDTH) -> Beam:
    """Beam search: at every step the ``width`` beginnings with the largest sums of log probabilities go on.

    A sentence that has ended keeps its place and its sum. At last sums are divided by the number of
    symbols, the end among them, or longer sentences would always lose.
    """
    count = len(xs)
    seen, state = net.encode(xs, lengths)
    rows = torch.arange(count).repeat_interleave(width)
    seen, real, state = seen[rows], (xs != PAD)[rows], chosen(state, rows)
    symbols = torch.full((count * width, 1), START)
    scores = torch.full((count, width), -torch.inf)
    scores[:, 0] = 0  # at first all are the same beginning
    ended, steps = torch.zeros(count * width, dtype=torch.bool), []
    for _ in range(longest):
        logits, state, _ = net.speak(symbols[:, -1:], state, seen, real)
        logs = logits[:, 0].log_softmax(-1)
        logs[ended] = -torch.inf
        logs[ended, PAD] = 0
        sums = (scores.reshape(-1, 1) + logs).reshape(count, -1)
        scores, best = sums.topk(width)
        from_row = (best // logs.shape[1] + torch.arange(count)[:, None] * width).flatten()
        symbols = torch.cat([symbols[from_row], (best % logs.shape[1]).reshape(-1, 1)], 1)
        state, ended = chosen(state, from_row), ended[from_row] | (symbols[:, -1] == END)
        steps.append((symbols[:, 1:].reshape(count, width, -1), scores))
        if ended.all():
            break
    symbols = symbols[:, 1:].reshape(count, width, -1)
    order = (scores / (symbols != PAD).sum(-1)).argsort(-1, descending=True)
    return Beam(symbols.take_along_dim(order[:, :, None], 1), scores.gather(1, order), steps)


def distance(first: Sequence, second: Sequence) -> int:
    """How many symbols have to be put in, taken out or changed to make one sequence the other."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(second, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def sentences(symbols: Tensor) -> list[list[int]]:
    """Rows of numbers up to the end, without it."""
    return [row[: row.index(END)] if END in row else row for row in symbols.tolist()]


def wrong_sentences(said: Tensor, ys: Tensor) -> float:
    """Percent of the sentences that are not right from the first symbol to the last."""
    pairs = zip(sentences(said), sentences(ys), strict=True)
    return 100 * sum(mine != right for mine, right in pairs) / len(ys)


def wrong_symbols(said: Tensor, ys: Tensor) -> float:
    """Edit distance over the length of the right sentences, in percent; above 100 where much is put in."""
    pairs = list(zip(sentences(said), sentences(ys), strict=True))
    return 100 * sum(distance(*pair) for pair in pairs) / sum(len(right) for _, right in pairs)


def forced_loss(net: Translator, part: Examples) -> Tensor:
    """Mean cross entropy (nats) of a symbol, the right ones before it given; what pads does not count."""
    logits = net(part.xs, part.lengths, part.ys)
    return nn.functional.cross_entropy(logits.flatten(0, 1), part.ys.flatten(), ignore_index=PAD)


@torch.no_grad()
def forced_wrong(net: Translator, part: Examples) -> float:
    """Percent of the symbols that are wrong where the right ones before it are given, the end not counted."""
    answers = net(part.xs, part.lengths, part.ys).argmax(-1)
    real = part.ys > END
    return 100 * float((answers != part.ys)[real].double().mean())


def translator(language: Language, run, split: Split) -> Translator:
    """The untrained net of a run."""
    read, spoken = len(language.read) + 1, len(language.spoken) + 3
    return Translator(run.family, read, spoken, run.hidden, run.embedding, run.net == ATTENTION)


def measured(language: Language, error, net: Translator, part: Examples) -> float:
    """An error of what the net says, its own output fed back."""
    return error(greedy(net, part.xs, part.lengths, language.longest)[0], part.ys)


def translating(language: Language, error) -> Own:
    """What a task of translation brings."""
    return Own(partial(translator, language), forced_loss, partial(measured, language, error))


def read_phrases(net: Translator, task: Task, split: Split) -> dict[str, float | list[float]]:
    """A net that says numbers.

    ``by_digits``: percent of the phrases wrong, for numbers of 2 to 6 digits; ``unseen`` the same for 7 to
    9, which no net was trained on. On the test part: ``forced``, percent of the pieces wrong where the right
    ones before are given; ``fed_back``, edit distance over length with the net's own output; ``beam``,
    percent of the phrases wrong with beam search. ``forced_long`` and ``fed_back_long`` are those of the
    numbers of six digits alone.
    """
    net.eval()
    test = split.test
    said = greedy(net, test.xs, test.lengths, GERMAN.longest)[0]
    rows = {digits: test.lengths == digits for digits in range(2, DIGITS + 1)}
    long = test[rows[DIGITS]]
    longer = []
    for digits in range(DIGITS + 1, DIGITS + 4):
        asked = [pair(number) for number in unseen(digits)]
        xs = GERMAN.part([(read, []) for read, _ in asked], digits, 1)
        told = greedy(net, xs.xs, xs.lengths, GERMAN.longest)[0].tolist()
        right = [GERMAN.said(mine) == words for mine, (_, words) in zip(told, asked, strict=True)]
        longer.append(100 * (1 - sum(right) / len(right)))
    return {
        "by_digits": [wrong_sentences(said[mine], test.ys[mine]) for mine in rows.values()],
        "unseen": longer, "forced": forced_wrong(net, test), "fed_back": wrong_symbols(said, test.ys),
        "forced_long": forced_wrong(net, long), "fed_back_long": wrong_symbols(said[rows[DIGITS]], long.ys),
        "beam": wrong_sentences(beam(net, test.xs, test.lengths, GERMAN.longest).symbols[:, 0], test.ys),
    }  # fmt: skip


def read_sounds(language: Language, net: Translator, task: Task, split: Split) -> dict[str, float]:
    """A net that says how words sound, in percent of the test part.

    ``words``: not right as a whole; ``forced``: phones wrong where the right ones before are given;
    ``beam`` and ``beam_words``: phone error and words wrong with beam search.
    """
    net.eval()
    test = split.test
    said = greedy(net, test.xs, test.lengths, language.longest)[0]
    kept = beam(net, test.xs, test.lengths, language.longest).symbols[:, 0]
    return {
        "words": wrong_sentences(said, test.ys), "forced": forced_wrong(net, test),
        "beam": wrong_symbols(kept, test.ys), "beam_words": wrong_sentences(kept, test.ys),
    }  # fmt: skip
