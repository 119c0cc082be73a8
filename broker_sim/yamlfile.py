"""YAML in which every scalar stays the text that the author wrote, and every value knows its line.

``NO``, ``0123`` and ``1_000`` are agency codes and barcodes, not booleans and numbers, so the BaseLoader reads them as
text and the typed model decides what becomes a number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

Where = tuple[str | int, ...]


class FileMistake(Exception):
    """Something is wrong in a file that an author wrote; reads ``file:line: what``."""

    def __init__(self, file: object, line: int, what: str) -> None:
        super().__init__(f"{file}:{line}: {what}")
        self.line = line
        self.what = what


@dataclass(frozen=True)
class Located:
    """A YAML document as plain lists, dicts and strings, with the line of every key and element."""

    file: str
    value: Any
    lines: dict[Where, int] = field(repr=False)

    def line(self, where: Where) -> int:
        """The line of a value, or of the nearest thing around it that has one (1 for the document)."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def mistake(self, where: Where, what: str) -> FileMistake:
        """A mistake at that place of the document."""
        return FileMistake(self.file, self.line(where), what)


def read(file: str, text: str) -> Located:
    """Read one YAML document; raises FileMistake for bad YAML, an unusual tag, or a key given twice."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FileMistake(file, mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise FileMistake(file, 1, f"not YAML: {error}") from error
    if node is None:
        raise FileMistake(file, 1, "the file is empty")
    lines: dict[Where, int] = {}
    return Located(file, _plain(file, node, (), lines, ()), lines)


def _plain(file: str, node: yaml.Node, where: Where, lines: dict[Where, int], above: tuple[yaml.Node, ...]) -> Any:
    lines.setdefault(where, node.start_mark.line + 1)
    if any(node is ancestor for ancestor in above):
        raise FileMistake(file, node.start_mark.line + 1, "an alias stands inside what it refers to")
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(file, child, (*where, n), lines, (*above, node)) for n, child in enumerate(node.value)]
    plain: dict[str, Any] = {}
    for key, child in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise FileMistake(file, line, "a key must be plain text")
        if key.value in plain:
            raise FileMistake(file, line, f"the key {key.value!r} is given twice")
        lines[*where, key.value] = line
        plain[key.value] = _plain(file, child, (*where, key.value), lines, (*above, node))
    return plain
