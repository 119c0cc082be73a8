"""Where an element stands, in words that a person can follow: names without namespaces, numbers only among equals."""

from __future__ import annotations

from typing import Any

Node = Any  # lxml's element class has no public name


def local_name(node: Node) -> str:
    """Give the name of an element without its namespace."""
    name: str = node.tag
    return name.rpartition("}")[2]


def path(node: Node) -> str:
    """Give the path of an element from the root: ``/NCIPMessage/CheckOutItem/ItemElementType[2]``."""
    steps = [_step(node), *(_step(above) for above in node.iterancestors())]
    return "/" + "/".join(reversed(steps))


def path_in_message(node: Node) -> str:
    """Give the path of an element from the message, as it stands in a ProblemElement: ``CheckOutItem/ItemId``."""
    whole = path(node)
    return whole.removeprefix("/NCIPMessage/").removeprefix("/")


def _step(node: Node) -> str:
    before = sum(1 for _ in node.itersiblings(node.tag, preceding=True))
    alone = before == 0 and next(node.itersiblings(node.tag), None) is None
    return local_name(node) if alone else f"{local_name(node)}[{before + 1}]"
