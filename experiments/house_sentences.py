"""Sentences to a house, from the templates of Home Assistant.

`python -m experiments house` draws them and writes ``book/data/house/sentences.tsv``. It needs the packages
``home-assistant-intents`` (2026.10.27) and ``hassil`` (3.13.0), which nothing else needs. A line is one way
to say one template, with its intent and the template's number. Slots stand in braces: ``{light:name}`` is
filled with a name of the kind ``light`` (see ``names.tsv``, which is our own), ``{100:brightness}`` with a
number up to 100, ``{=warm white:temperature}`` is what the template itself says.
"""

import re
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

from .tasks import DATA

FOLDER = DATA / "house"
WAYS, TRIES = 5, 40  # sentences kept of a template, and how many are drawn to find them
LONGEST = 18  # words, with every slot as one
# What a user does not say to a house, or says in one fixed form only.
LEFT_OUT = ("HassRespond", "HassNevermind")
# A timer can be told in hours, minutes, seconds and a name, in every combination; one unit is enough.
TIMERS = ("HassStartTimer", "HassIncreaseTimer", "HassDecreaseTimer")
UNITS = ("hours", "minutes", "seconds")
KINDS = {  # the kind of name that a list of the package is filled with
    "area": "area", "floor": "floor", "timer_name": "timer", "shopping_list_item": "item", "todo_list_item": "task",
    "message": "message", "search_query": "query", "zone": "zone", "timer_command": "command",
}  # fmt: skip
NUMBERS = {
    "temperature": 30, "position": 100, "fan_speed": 100, "brightness": 100, "color_temperature": 6500, "volume": 100,
    "volume_step_up": 100, "volume_step_down": 100, "timer_seconds": 60, "timer_minutes": 60, "timer_hours": 24,
}  # fmt: skip
DOMAINS = {"input_boolean": "switch", "input_button": "button"}


class Draw:
    """Draws ways to say a template, by the grammar of the package.

    ``expression``, ``rules``, ``lists``: the package's own, parsed by ``hassil``; ``domains``: what a
    ``{name}`` may be.
    """

    def __init__(self, source: Random, rules: dict, lists: dict, domains: list[str]):
        self.source, self.rules, self.lists, self.domains = source, rules, lists, domains

    def say(self, expression: Any) -> str:
        """One way to say an expression, with its slots in braces."""
        kind = type(expression).__name__
        if kind == "TextChunk":
            return expression.original_text
        if kind == "RuleReference":
            return self.say(self.rules[expression.rule_name].expression)
        if kind == "ListReference":
            return self.slot(expression.list_name, expression.slot_name)
        if kind == "Alternative":
            return self.say(self.source.choice(expression.items))
        items = list(expression.items)
        if kind == "Permutation":
            self.source.shuffle(items)
            return " ".join(map(self.say, items))
        return "".join(map(self.say, items))

    def slot(self, name: str, slot: str) -> str:
        """A slot: a kind of name, a largest number, or a value of the package's own."""
        if name == "name":
            domain = self.source.choice(self.domains)
            return f"{{{DOMAINS.get(domain, domain)}:name}}"
        if name in KINDS:
            return f"{{{KINDS[name]}:{slot}}}"
        if name in NUMBERS:
            return f"{{{NUMBERS[name]}:{slot}}}"
        value = self.source.choice(self.lists[name].values).text_in
        return f"{{={self.say(value) if not isinstance(value, str) else value}:{slot}}}"


def tidy(sentence: str) -> str:
    """Lower case, single spaces, nothing but letters, digits, apostrophes, percent and degree signs, braces."""
    spaced = re.sub(r"([%°])", r" \1 ", sentence.lower().replace("-", " "))
    return re.sub(r"\s+", " ", re.sub(r"[^a-z0-9'%°{}:=_ ]", " ", spaced)).strip()


def wanted(intent: str, sentence: Any) -> bool:
    """Whether a template is taken: of the timers those with one unit."""
    text = str(sentence.text)
    return intent not in TIMERS or sum(f"timer_{unit}" in text for unit in UNITS) < 2


def collect(out: Path = FOLDER) -> int:
    """Draw the sentences and write them; how many there are.

    What two intents share is left out. Raises ImportError without the two packages.
    """
    from hassil import Intents
    from home_assistant_intents import get_intents

    intents = Intents.from_dict(get_intents("en"))
    source, found = Random(19), defaultdict(list)
    number = 0
    for name, intent in intents.intents.items():
        for data in intent.data if name not in LEFT_OUT else ():
            domains = data.requires_context.get("domain", []) if data.requires_context else []
            rules = {**intents.expansion_rules, **(data.expansion_rules or {})}
            draw = Draw(
                source,
                rules,
                intents.slot_lists,
                domains if isinstance(domains, list) else [domains],
            )
            for sentence in data.sentences:
                text = str(sentence.text)
                if not wanted(name, sentence) or ("{name" in text and not draw.domains):
                    continue
                said = {tidy(draw.say(sentence.expression)) for _ in range(TRIES)}
                short = sorted(
                    s for s in said if len(re.sub(r"\{[^}]*\}", "x", s).split()) <= LONGEST
                )
                for way in source.sample(short, min(WAYS, len(short))):
                    found[way].append((name.removeprefix("Hass"), number))
                number += 1
    lines = [
        f"{who[0][0]}\t{who[0][1]}\t{way}"
        for way, who in found.items()
        if len({intent for intent, _ in who}) == 1
    ]
    out.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["intent\ttemplate\tsentence", *lines]) + "\n"
    (out / "sentences.tsv").write_text(text, encoding="utf-8")
    return len(lines)
