"""One style sheet for the site, out of those of the theme, its extensions and the course.

A rule stays if its selector could match something: its classes, ids, elements and attributes are looked
for among everything that the pages contain and every word of the scripts that they load. What is left of the
theme is a fifth. Nothing is guessed from how a page looks, so what a script makes later is dressed too.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tinycss2

CLASSES = re.compile(r"""\bclass=(?:"([^"]*)"|'([^']*)')""")
IDS = re.compile(r"""\bid=["']([^"']*)["']""")
TAGS = re.compile(r"<([a-zA-Z][\w-]*)([^>]*)>")
WORDS = re.compile(r"[A-Za-z_][\w-]*")
VARIABLES = re.compile(r"--[\w-]+")
OURS = ("gm-", "cm-")
"""Our own classes, and those of the editor in a page: scripts put their names together."""
ICONS = {"Font Awesome 6 Free", "Font Awesome 6 Brands", "FontAwesome"}
"""The theme's fonts of icons; ``course.css`` draws those that are used."""


@dataclass
class Vocabulary:
    """Names that occur on the pages or in the scripts."""

    classes: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)

    def read_page(self, text: str):
        for double, single in CLASSES.findall(text):
            self.classes.update((double or single).split())
        self.ids.update(IDS.findall(text))
        for tag, rest in TAGS.findall(text):
            self.tags.add(tag.lower())
            if rest:
                self.attributes.update(WORDS.findall(rest))
        self.variables.update(VARIABLES.findall(text))

    def read_script(self, text: str):
        self.words.update(WORDS.findall(text))
        self.variables.update(VARIABLES.findall(text))

    def has_class(self, name: str) -> bool:
        return name in self.classes or name in self.words or name.startswith(OURS)

    def matches(self, tokens: Iterable) -> bool:
        """Whether something could match a selector without commas, given as tokens."""
        before = ""
        for token in tokens:
            if token.type == "ident" and before != ":":
                if before == ".":
                    found = self.has_class(token.value)
                else:
                    found = token.lower_value in self.tags or token.lower_value in self.words
                if not found:
                    return False
            elif token.type == "hash":
                if token.value not in self.ids and token.value not in self.words:
                    return False
            elif token.type == "[] block":
                name = next((part.value for part in token.content if part.type == "ident"), "")
                if name not in self.attributes and name not in self.words:
                    return False
            elif token.type == "function" and token.lower_name in ("is", "where", "has"):
                if not any(self.matches(part) for part in parted(token.arguments)):
                    return False
            before = token.value if token.type == "literal" else ""
        return True


def parted(tokens: Iterable) -> Iterator[list]:
    """A list of selectors, taken apart at its commas."""
    part: list = []
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def written(tokens: Iterable) -> str:
    """Tokens as text: no comments, one space where there were any."""
    text = tinycss2.serialize([token for token in tokens if token.type != "comment"])
    # A string, such as a drawing in an address, keeps its spaces.
    parts = re.split(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""", text)
    parts[::2] = [re.sub(r"\s+", " ", part) for part in parts[::2]]
    return "".join(parts).strip()


@dataclass
class Rule:
    """One rule that stays: the conditions around it, its selectors, its declarations."""

    around: tuple[str, ...]
    selector: str
    declarations: list[tuple[str, str]]


def declarations(content) -> list[tuple[str, str]]:
    """Names and values of a block. Raises ValueError for what is no declaration."""
    found = []
    for item in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if item.type != "declaration":
            raise ValueError(f"a style that this tool does not know: {written([item])[:200]}")
        # The old ways around bugs of Internet Explorer are of no use to anybody.
        if item.name[0] in "*_" or not (value := written(item.value)):
            value = value if item.name.startswith("--") else ""
        if value or item.name.startswith("--"):
            found.append((item.name, value + ("!important" if item.important else "")))
    return found


def rules(css: str, known: Vocabulary, around: tuple[str, ...] = ()) -> Iterator[Rule]:
    """The rules of a style sheet that something could match."""
    items = tinycss2.parse_rule_list(css, skip_comments=True, skip_whitespace=True)
    for item in items:
        if item.type == "qualified-rule":
            alive = [
                written(part) for part in parted(item.prelude) if known.matches(significant(part))
            ]
            if alive:
                yield Rule(around, ",".join(alive), declarations(item.content))
        elif item.type == "at-rule":
            name = f"@{item.lower_at_keyword} {written(item.prelude)}".strip()
            if item.lower_at_keyword in ("media", "supports", "layer", "container"):
                yield from rules(item.content, known, (*around, name))
            elif item.lower_at_keyword in ("keyframes", "-webkit-keyframes"):
                yield Rule(around, name, [("", tinycss2.serialize(item.content).strip())])
            elif item.lower_at_keyword in ("font-face", "page", "counter-style", "property"):
                yield Rule(around, name, declarations(item.content))
            elif item.lower_at_keyword != "charset":
                raise ValueError(f"a style that this tool does not know: {name}")
        else:
            raise ValueError(f"not a style sheet: {item.message}")


def significant(tokens: Iterable) -> list:
    return [token for token in tokens if token.type != "comment"]


def without_unused(kept: list[Rule], known: Vocabulary) -> list[Rule]:
    """Leave out variables that nothing reads, fonts that nothing names and movements nothing makes."""
    while True:
        read = known.variables | {
            name
            for rule in kept
            for key, value in rule.declarations
            for name in re.findall(r"var\(\s*(--[\w-]+)", value)
        }
        values = " ".join(
            value
            for rule in kept
            if not rule.selector.startswith("@font-face")
            for _, value in rule.declarations
        )
        less = []
        for rule in kept:
            if rule.selector.startswith(("@keyframes", "@-webkit-keyframes")):
                used = re.search(rf"\b{re.escape(rule.selector.split()[1])}\b", values)
                stay = rule.declarations if used else []
            elif rule.selector == "@font-face":
                family = dict(rule.declarations)["font-family"].strip("\"'").replace("\\", "")
                stay = rule.declarations if family in values and family not in ICONS else []
            else:
                stay = [d for d in rule.declarations if not d[0].startswith("--") or d[0] in read]
            if stay:
                less.append(Rule(rule.around, rule.selector, stay))
        if sum(len(r.declarations) for r in less) == sum(len(r.declarations) for r in kept):
            return less
        kept = less


def as_text(kept: list[Rule]) -> str:
    """The style sheet, neighbors under one condition together."""
    out, around = [], ()
    for rule in kept:
        if rule.around != around:
            out.append("}" * len(around) + "".join(f"{name}{{" for name in rule.around))
            around = rule.around
        body = ";".join(f"{key}:{value}" if key else value for key, value in rule.declarations)
        out.append(f"{rule.selector}{{{body}}}")
    return "".join(out) + "}" * len(around)


IMPORT = re.compile(r"""@import\s+(?:url\()?["']?([^"')\s]+)["']?\)?\s*;""")
ADDRESS = re.compile(r"""url\(\s*(["']?)(?!data:|#|https?:)([^"')]+)\1\s*\)""")


def read(path: Path, base: Path) -> str:
    """A style sheet with what it imports, its addresses as they are from ``base``."""
    folder = path.parent
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8-sig"), flags=re.S)
    text = ADDRESS.sub(
        lambda found: (
            found[0]
            if text[: found.start()].rstrip().endswith("@import")
            else f'url("{(folder / found[2]).resolve().relative_to(base.resolve()).as_posix()}")'
        ),
        text,
    )
    return IMPORT.sub(lambda found: read((folder / found[1]).resolve(), base), text)


def one_sheet(static: Path, names: Iterable[str], known: Vocabulary) -> str:
    """The text of ``site.css``, to stand in ``static``, out of the sheets named, in their order."""
    kept = [rule for name in names for rule in rules(read(static / name, static), known)]
    return as_text(without_unused(kept, known)) + "\n"
