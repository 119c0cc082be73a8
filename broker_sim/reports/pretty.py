"""Messages laid out for reading: XML and JSON indented, names and values told apart by colour, everything escaped."""

from __future__ import annotations

import json
import re

from lxml import etree
from markupsafe import Markup, escape

from broker_sim.paths import Element, local

_JSON = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<other>\b(?:true|false|null|-?\d[\d.eE+-]*)\b)'
)
_LIMIT = 200_000


def pretty(body: bytes) -> Markup:
    """A body as HTML: XML without its namespaces' noise, JSON indented, anything else as it is."""
    if len(body) > _LIMIT:
        return escape(f"{len(body)} octets; see the raw message")
    text = body.lstrip()
    if text.startswith((b"{", b"[")):
        return _json(body)
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True))
    except (etree.XMLSyntaxError, ValueError):
        return escape(body.decode("utf-8", "backslashreplace"))
    return Markup("").join(_xml(root, 0))


def _json(body: bytes) -> Markup:
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return escape(body.decode("utf-8", "backslashreplace"))
    pieces, end = [], 0
    for match in _JSON.finditer(text):
        kind = {"key": "n", "text": "v", "other": "k"}[match.lastgroup or "other"]
        pieces += [escape(text[end : match.start()]), _span(kind, match.group())]
        end = match.end()
    return Markup("").join([*pieces, escape(text[end:])])


def _xml(node: Element, depth: int) -> list[Markup]:
    name = local(node.tag)
    attributes = [
        Markup(' {}="{}"').format(_span("a", local(key)), _span("v", str(value))) for key, value in node.attrib.items()
    ]
    opening = Markup("&lt;{}{}").format(_span("n", name), Markup("").join(attributes))
    closing = Markup("&lt;/{}&gt;").format(_span("n", name))
    inner = list(node.iterchildren(tag=etree.Element))
    text = (node.text or "").strip()
    if inner:
        lines = [line for child in inner for line in _xml(child, depth + 1)]
        return [_line(depth, opening + Markup("&gt;")), *lines, _line(depth, closing)]
    if text:
        return [_line(depth, opening + Markup("&gt;") + _span("v", text) + closing)]
    return [_line(depth, opening + Markup("/&gt;"))]


def _line(depth: int, content: Markup) -> Markup:
    """One line; the style sheet indents it by its depth, and what is too long for it hangs below its beginning."""
    return Markup('<span class="l" style="--depth:{}">{}\n</span>').format(depth, content)


def _span(kind: str, text: str) -> Markup:
    return Markup('<span class="{}">{}</span>').format(kind, text)
