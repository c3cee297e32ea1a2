"""One model, and the training loop of every experiment.

Everything that is compared is trained here: the same optimizer (Adam), the same clipping (global
norm 1), the same number of epochs, the same batches for the same seed. The validation part
chooses the epoch; the test part is looked at once, with the weights of that epoch.
"""

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from .jobs import task_named
from .readings import READINGS
from .tasks import FAMILIES, Examples, Split, Task

# How the recurrent weights, or the biases of the gate that keeps the state, are drawn at first.
STARTS = {
    "rnn": ("default", "orthogonal", "identity"),
    "lstm": ("default", "keep", "chrono"),
    "gru": ("default", "keep", "chrono"),
}
EMBEDDING = 32


@dataclass(frozen=True)
class Run:
    """One training run, named by everything it depends on.

    ``size``: "hidden" for ``hidden`` units, "parameters" for as many units as give the number of
    parameters that an LSTM with ``hidden`` units has. ``start`` is one of ``STARTS`` of its family.
    ``flipped`` is the share of training labels that are replaced by a random class. ``readout``:
    what is answered from, the "last" state of a sequence or the "mean" of its states. ``without``:
    a gate of the GRU that is held where it does nothing, "reset" at 1 (all of the old state is
    seen) or "update" at 0 (all of it is replaced). ``reading`` is one of ``READINGS``. ``net``: where a
    task brings its own nets, which of them.
    """

    task: str
    family: str
    rate: float
    seed: int
    size: str = "hidden"
    hidden: int = 32
    layers: int = 1
    count: int | None = None
    delay: int | None = None
    start: str = "default"
    dropout: float = 0.0
    flipped: float = 0.0
    epochs: int | None = None
    target: float | None = None  # stop when the validation loss is below this
    embedding: int = EMBEDDING
    readout: str = "last"
    without: str = ""
    reading: str = ""
    net: str = ""

    @property
    def key(self) -> str:
        """What differs from the defaults, in a fixed order: the name of the run's result."""
        defaults = Run("", "", 0.0, -1)
        parts = (
            f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in asdict(self).items()
            if value != getattr(defaults, name)
        )
        return " ".join(parts)


class Reader(nn.Module):
    """Reads a sequence with ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU``; answers at its end, from its
    last state or the mean of its states, or at every step where the targets are symbols."""

    def __init__(self, family: str, inputs: int, outputs: int, hidden: int, *, layers: int = 1,
                 dropout: float = 0.0, vocabulary: int | None = None, embedding: int = EMBEDDING,
                 every_step: bool = False, mean: bool = False):  # fmt: skip
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding) if vocabulary else nn.Identity()
        self.memory = FAMILIES[family](
            embedding if vocabulary else inputs, hidden, layers, batch_first=True,
            dropout=dropout if layers > 1 else 0.0,
        )  # fmt: skip
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(hidden, outputs)
        self.every_step, self.mean = every_step, mean

    def forward(self, xs: Tensor, lengths: Tensor) -> Tensor:
        """(B, outputs), or (B, T, outputs) where every step has an answer."""
        hs, _ = self.memory(self.dropout(self.embedding(xs)))
        if self.mean:
            real = torch.arange(hs.shape[1], device=hs.device) < lengths[:, None]
            hs = (hs * real[:, :, None]).sum(1) / lengths[:, None]
        elif not self.every_step:
            hs = hs[torch.arange(len(hs), device=hs.device), lengths - 1]
        return self.readout(self.dropout(hs))


def count_parameters(model: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(p.numel() for p in model.parameters())


def build(run: Run, task: Task, split: Split) -> nn.Module:
    """The untrained model of a run, its weights drawn by its seed: a `Reader`, or what the task brings."""
    if task.own:
        torch.manual_seed(run.seed)
        net = task.own.net(run, split)
        for layer in net.modules():
            if isinstance(layer, FAMILIES[run.family]):
                start_from(layer, run.family, run.start, split.train.xs.shape[1])
        return net
    inputs = 0 if task.vocabulary else split.train.xs.shape[-1]

    def model(family: str, hidden: int) -> Reader:
        return Reader(
            family, inputs, task.outputs, hidden, layers=run.layers, dropout=run.dropout,
            vocabulary=task.vocabulary, embedding=run.embedding,
            every_step=task.kind == "symbols", mean=run.readout == "mean",
        )  # fmt: skip

    hidden = run.hidden
    if run.size == "parameters":
        with torch.device("meta"):
            wanted = count_parameters(model("lstm", run.hidden))
            sizes = range(1, 4 * run.hidden)
            hidden = min(sizes, key=lambda h: abs(count_parameters(model(run.family, h)) - wanted))
    elif run.size != "hidden":
        raise ValueError(f"size is {run.size!r}; it can be 'hidden' or 'parameters'")
    torch.manual_seed(run.seed)
    net = model(run.family, hidden)
    start_from(net.memory, run.family, run.start, split.train.xs.shape[1])
    if run.without:
        hold(net.memory, run.without)
    return net


@torch.no_grad()
def hold(memory: nn.GRU, gate: str) -> None:
    """Hold a gate of a GRU where it does nothing, in place: its weights 0, its bias 100 or -100.

    There the sigmoid is flat in float32, so that no gradient ever moves it: it stays for good.
    """
    if gate not in ("reset", "update"):
        raise ValueError(f"no gate {gate!r} to do without; there are: reset, update")
    size = memory.hidden_size
    rows = slice(0, size) if gate == "reset" else slice(size, 2 * size)
    for weights in memory.parameters():
        weights[rows] = 0
    memory.bias_ih_l0[rows] = 100 if gate == "reset" else -100


@torch.no_grad()
def start_from(memory: nn.Module, family: str, start: str, steps: int) -> None:
    """Change the first weights of a layer as a start asks, in place.

    "default": as PyTorch draws them, uniform within 1/sqrt(H). RNN: recurrent weights "orthogonal"
    (Le et al. 2015 and Arjovsky et al. 2016 discuss both) or the "identity", and biases zero.
    LSTM and GRU: "keep" adds 1 to the bias of the gate that keeps the state (LSTM: forget gate;
    GRU: update gate, z keeps in PyTorch); "chrono" is Tallec and Ollivier (2018): that bias is
    log(u), u uniform in [1, T - 1], and the LSTM's input gate gets its negative. Every layer of a
    stack is started in the same way.
    """
    if start not in STARTS[family]:
        raise ValueError(f"no start {start!r} for {family}; there are: {', '.join(STARTS[family])}")
    if start == "default":
        return
    size = memory.hidden_size
    for name, weights in memory.named_parameters():
        if family == "rnn":
            if name.startswith("bias"):
                nn.init.zeros_(weights)
            elif name.startswith("weight_hh"):
                (nn.init.orthogonal_ if start == "orthogonal" else nn.init.eye_)(weights)
        elif name.startswith("bias_ih"):
            # rows: LSTM i, f, g, o; GRU r, z, n
            kept = weights[size : 2 * size]
            if start == "keep":
                kept += 1
                continue
            kept.copy_(torch.log(torch.empty(size).uniform_(1, max(steps - 1, 2))))
            if family == "lstm":
                weights[:size] = -kept


def loss_of(kind: str, answers: Tensor, ys: Tensor) -> Tensor:
    """Mean squared error for numbers, mean cross entropy (nats) for classes and symbols."""
    if kind == "numbers":
        return nn.functional.mse_loss(answers, ys)
    return nn.functional.cross_entropy(answers.flatten(0, -2), ys.flatten())


def score_of(task: Task, split: Split, answers: Tensor, ys: Tensor) -> float:
    """The measure of the task, in its unit; less is better."""
    if task.kind == "numbers":
        return split.scale * float((answers - ys).square().mean().sqrt())
    if task.kind == "symbols":
        return float(loss_of(task.kind, answers, ys)) / math.log(2)
    return 100 * float((answers.argmax(-1) != ys).float().mean())


def batch_loss(task: Task, model: nn.Module, batch: Examples) -> Tensor:
    """The loss of a batch."""
    if task.own:
        return task.own.loss(model, batch)
    return loss_of(task.kind, model(batch.xs, batch.lengths), batch.ys)


@torch.no_grad()
def part_loss(task: Task, model: nn.Module, part: Examples) -> float:
    """The loss of a whole part, without dropout; of a task's own, 500 sequences at a time, each as much."""
    if not task.own:
        return float(loss_of(task.kind, answers_to(model, part), part.ys))
    model.eval()
    pieces = [part[i : i + 500] for i in range(0, len(part), 500)]
    total = sum(len(piece) * float(task.own.loss(model, piece)) for piece in pieces)
    model.train()
    return total / len(part)


@torch.no_grad()
def measure_of(task: Task, model: nn.Module, split: Split, part: Examples) -> float:
    """The measure of the task on a part, in its unit; less is better."""
    if not task.own:
        return score_of(task, split, answers_to(model, part), part.ys)
    model.eval()
    found = task.own.measure(model, part)
    model.train()
    return found


@torch.no_grad()
def answers_to(model: Reader, part: Examples) -> Tensor:
    """The answers to a whole part, 500 sequences at a time, without dropout."""
    model.eval()
    pieces = [model(p.xs, p.lengths) for p in (part[i : i + 500] for i in range(0, len(part), 500))]
    model.train()
    return torch.cat(pieces)


def load(run: Run) -> Split:
    """The split of a run; a share ``flipped`` of its training labels is replaced at random."""
    task = task_named(run.task)
    more = {} if task.delayed is None or run.delay is None else {task.delayed: run.delay}
    split = task.load(run.seed, run.count or task.count, **more)
    if not run.flipped:
        return split
    source = torch.Generator().manual_seed(30_000 + run.seed)
    ys = split.train.ys
    wrong = torch.rand(len(ys), generator=source) < run.flipped
    ys = torch.where(wrong, torch.randint(task.outputs, (len(ys),), generator=source), ys)
    train = Examples(split.train.xs, split.train.lengths, ys)
    return Split(train, split.validation, split.test, split.scale)


def train(run: Run, device: str = "cpu") -> dict:
    """Train once; what came out, as plain numbers (see `fit`)."""
    return fit(run, device)[1]


def fit(run: Run, device: str = "cpu") -> tuple[nn.Module, dict]:
    """Train once; the net with the weights that validation chose, and what came out as plain numbers.

    Keys: ``parameters`` and ``hidden`` (units); ``training`` (mean loss) and ``validation`` (loss)
    for every look, ``updates_per_look``, ``looks`` (per epoch); ``seconds`` (training only);
    ``finite`` (whether every loss was). With the weights of the look with the lowest validation
    loss: ``test`` and ``train`` (the task's measure), ``test_loss`` and ``train_loss``, and what
    the run's reading adds. These are missing where no loss was finite.
    """
    task, split = task_named(run.task), load(run)
    model = build(run, task, split).to(device)
    split = split.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=run.rate)
    batches = shuffled(split.train, task.batch, torch.Generator().manual_seed(40_000 + run.seed))
    # A smaller training part is read more often: every size gets the same number of updates.
    per_look = max(1, round(task.count / task.batch / task.looks))
    training, validation, best, kept, seconds = [], [], math.inf, None, 0.0
    for _ in range((run.epochs or task.epochs) * task.looks):
        started, losses = time.perf_counter(), []
        for _ in range(per_look):
            batch = next(batches)
            loss = batch_loss(task, model, batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.detach())
        training.append(float(torch.stack(losses).mean()))  # waits for a GPU, too
        seconds += time.perf_counter() - started
        validation.append(part_loss(task, model, split.validation))
        if not math.isfinite(training[-1] + validation[-1]):
            break
        if validation[-1] < best:
            best, kept = validation[-1], copy.deepcopy(model.state_dict())
        if run.target is not None and validation[-1] < run.target:
            break
    result = {
        "parameters": count_parameters(model), "hidden": run.hidden if task.own else model.memory.hidden_size,
        "updates_per_look": per_look, "looks": task.looks, "training": training,
        "validation": validation, "seconds": seconds, "finite": math.isfinite(sum(training)),
    }  # fmt: skip
    if kept is not None:
        model.load_state_dict(kept)
        for name, part in (("train", split.train), ("test", split.test)):
            result[name] = measure_of(task, model, split, part)
            result[f"{name}_loss"] = part_loss(task, model, part)
        if run.reading:
            result |= READINGS[run.reading](model, task, split)
    return model, result


def updates(run: Run) -> int:
    """How many updates a run makes, if no target ends it before."""
    task = task_named(run.task)
    return (
        max(1, round(task.count / task.batch / task.looks))
        * task.looks
        * (run.epochs or task.epochs)
    )


def shuffled(part: Examples, size: int, source: torch.Generator) -> Iterator[Examples]:
    """Batches without end: one order after the other, each drawn by ``source``."""
    while True:
        order = torch.randperm(len(part), generator=source).to(part.ys.device)
        for rows in order.split(size):
            yield part[rows]
