"""Content models: how they are written, and what tells two of them apart.

Models are written as ``(UserId, (ItemId+ | RequestId)?, Ext?)`` and compared by the child sequences that they allow,
by Brzozowski's derivatives: the derivative of a model by a name is the model of what may follow that name. So two
models differ exactly where, some names later, one may end and the other may not; the first such place is the shortest
sequence that tells them apart.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from functools import cache, reduce
from typing import cast

# --- models ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A place in a content model: a name, a sequence or a choice, and how often it may stand there."""

    kind: str  # "name", "," or "|"
    name: str = ""
    parts: tuple[Part, ...] = ()
    least: int = 1
    most: int | None = 1

    @property
    def once(self) -> bool:
        return self.least == self.most == 1

    def __str__(self) -> str:
        signs = {(1, 1): "", (0, 1): "?", (0, None): "*", (1, None): "+"}
        sign = signs.get((self.least, self.most), f"{{{self.least},{'' if self.most is None else self.most}}}")
        if self.kind == "name":
            return self.name + sign
        separator = ", " if self.kind == "," else " | "
        return "(" + separator.join(map(str, self.parts)) + ")" + sign


def grouped(kind: str, parts: list[Part]) -> Part:
    """Join parts, without the parentheses that say nothing."""
    flat: list[Part] = []
    for part in parts:
        flat.extend(part.parts if part.kind == kind and part.once else [part])
    return flat[0] if len(flat) == 1 else Part(kind, parts=tuple(flat))


def times(part: Part, least: int, most: int | None) -> Part:
    if (least, most) == (1, 1):
        return part
    if part.once:
        return replace(part, least=least, most=most)
    return Part(",", parts=(part,), least=least, most=most)


def parse_model(text: str) -> Part:
    """Read the notation that ``str(part)`` writes."""
    tokens = deque(re.findall(r"any\([^)]*\)|\w+|[(),|?*+]|\{\d+,\d*\}", text))

    def item() -> Part:
        token = tokens.popleft()
        part = group() if token == "(" else Part("name", token)
        if tokens and tokens[0] in "?*+":
            return times(part, *{"?": (0, 1), "*": (0, None), "+": (1, None)}[tokens.popleft()])
        if tokens and tokens[0].startswith("{"):
            least, most = tokens.popleft()[1:-1].split(",")
            return times(part, int(least), int(most) if most else None)
        return part

    def group() -> Part:
        parts, kind = [item()], ","
        while (token := tokens.popleft()) != ")":
            kind = token
            parts.append(item())
        return grouped(kind, parts)

    return item()


# --- languages -------------------------------------------------------------------------------------------------------
# A language is ("name", x), ("then", a, b, …), ("or", {a, b, …}) or ("star", a).
# NOTHING has no sequence at all, DONE only the empty one.

Language = tuple[object, ...]
NOTHING: Language = ("or", frozenset())
DONE: Language = ("then",)


def then(*parts: Language) -> Language:
    flat = [x for part in parts for x in (part[1:] if part[0] == "then" else (part,))]
    if NOTHING in flat:
        return NOTHING
    return cast("Language", flat[0]) if len(flat) == 1 else ("then", *flat)


def either(*parts: Language) -> Language:
    flat = frozenset(
        x for part in parts for x in (cast("frozenset[Language]", part[1]) if part[0] == "or" else (part,))
    )
    return next(iter(flat)) if len(flat) == 1 else ("or", flat)


@cache
def language(part: Part) -> Language:
    if part.kind == "name":
        once: Language = ("name", part.name)
    else:
        once = (then if part.kind == "," else either)(*map(language, part.parts))
    required = [once] * part.least
    if part.most is None:
        return then(*required, ("star", once))
    optional = reduce(lambda rest, _: either(DONE, then(once, rest)), range(part.most - part.least), DONE)
    return then(*required, optional)


@cache
def may_end(lang: Language) -> bool:
    match lang:
        case ("then", *parts):
            return all(map(may_end, parts))
        case ("or", parts):
            return any(map(may_end, parts))
        case _:
            return lang[0] == "star"


@cache
def may_begin(lang: Language) -> frozenset[str]:
    match lang:
        case ("name", name):
            return frozenset({name})
        case ("star", part):
            return may_begin(part)
        case ("or", parts):
            return frozenset().union(*map(may_begin, parts))
        case ("then", first, *rest):
            return may_begin(first) | (may_begin(then(*rest)) if may_end(first) else frozenset())
        case _:
            return frozenset()


@cache
def after(lang: Language, name: str) -> Language:
    """The derivative: what may follow once ``name`` has been read."""
    match lang:
        case ("name", only):
            return DONE if only == name else NOTHING
        case ("star", part):
            return then(after(part, name), lang)
        case ("or", parts):
            return either(*(after(part, name) for part in parts))
        case ("then", first, *rest):
            read = then(after(first, name), *rest)
            return either(read, after(then(*rest), name)) if may_end(first) else read
        case _:
            return NOTHING


def telling_apart(one: Part, other: Part) -> tuple[bool, list[str]] | None:
    """The shortest sequence that only one model allows, and whether it is the first; None where they allow the same."""
    if one == other:
        return None
    start = (language(one), language(other))
    seen, waiting = {start}, deque([(start, list[str]())])
    while waiting:
        (a, b), names = waiting.popleft()
        if may_end(a) != may_end(b):
            return may_end(a), names
        for name in sorted(may_begin(a) | may_begin(b)):
            pair = (after(a, name), after(b, name))
            if pair not in seen:
                seen.add(pair)
                waiting.append((pair, [*names, name]))
    return None
