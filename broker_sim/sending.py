"""The steps that send an NCIP message to the target: send, again, relay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

import msgspec

from broker_sim import content, dressing, expect, oracle, post, wire
from broker_sim.answer import Answer, describe, envelope, header, identifiers, problems, read_ncip, schema
from broker_sim.content import Node
from broker_sim.http import Sent
from broker_sim.play import Excused, Parcel, Play, Trouble, exchange
from broker_sim.scenario import CONTENT_TYPE, Again, Envelope, Expect, ExpectedProblem, Relay, Send, Transmission
from broker_sim.undoing import Undo, Way
from broker_sim.verdict import Finding
from broker_sim.wire import Header

_PAUSE = 0.1


async def play_send(play: Play, step: Send) -> dict[str, str]:
    """Write the message, send it as often as wanted, judge the answers; gives what was captured."""
    receiver, side = _receiver(play, step)
    head = _header(play, step, receiver)
    many = max(1, step.concurrently)
    if step.raw is not None or step.hex is not None:
        octets = tuple(_typed(play, step, n + 1) for n in range(many))
        parcel = Parcel(octets, octets[0], _url(play, step), step.content_type, None, None, side, _name(side, receiver))
        parcel = replace(parcel, is_version_1=_is_version_1(octets[0]))
        return await _deliver(play, step, parcel)
    nodes = [_node(play, step, n + 1) for n in range(many)]
    plain, bodies = _written(play, step, [wire.headed(node, head) for node in nodes], step.envelope)
    if step.valid:
        await _own_check(step, plain)
    known = head if step.header is None and (step.xml is None or "InitiationHeader" not in step.xml) else None
    return await _deliver(play, step, _parcel(play, step, plain, bodies, known, step.service, receiver))


async def play_undo(play: Play, undo: Undo) -> dict[str, str]:
    """End what an earlier step began."""
    receiver, _ = _receiver(play, undo.step)
    head = _header(play, undo.step, receiver)
    plain, bodies = _written(play, undo.step, [wire.headed(undo.node, head)], Envelope())
    return await _deliver(play, undo.step, _parcel(play, undo.step, plain, bodies, head, undo.node.name, receiver))


async def play_again(play: Play, step: Again) -> dict[str, str]:
    """Send the first bytes of an earlier step once more."""
    earlier = play.parcels[step.again]
    many = max(1, step.concurrently)
    return await _deliver(play, step, replace(earlier, bodies=earlier.bodies[:1] * many))


async def play_relay(play: Play, step: Relay) -> dict[str, str]:
    """Pass a message that came in on to the other side, under the broker's own header."""
    inbound = play.kept[step.relay]
    body = inbound.message.body if inbound.message else None
    if body is None:
        raise Trouble(f"what came at step “{step.relay}” cannot be passed on: {inbound.unreadable}")
    receiver, side = _receiver(play, step)
    node = _translated(play, content.from_tree(body), side or "")
    for path in step.remove:
        node = _edited(node, path.split("/")[1:], None)
    for path, value in step.replace.items():
        node = _edited(node, path.split("/")[1:], play.fill(value))
    head = _header(play, step, receiver)
    plain, bodies = _written(play, step, [wire.headed(node, head)], Envelope())
    return await _deliver(play, step, _parcel(play, step, plain, bodies, head, node.name, receiver))


# --- writing ---------------------------------------------------------------------------------------------------------


def _receiver(play: Play, step: Transmission) -> tuple[str, str | None]:
    code = play.stage.agent.code(play.fill(step.to))
    if not code:
        raise Excused(f"the agent file names no {step.to} agency")
    return code, play.stage.agent.side(code)


def _name(side: str | None, code: str) -> str:
    return side.capitalize() if side else code


def _header(play: Play, step: Transmission, receiver: str) -> Header | None:
    instead: dict[str, Any] | None = None
    if isinstance(step, Send) and step.header is not None:
        if step.header == "none":
            return None
        instead = play.fill(step.header)
    persona, agent = play.scenario.persona, play.stage.agent
    profile = step.partner or play.scenario.story.partner
    if persona is not None:
        to = agent.called(persona.agencies).get(receiver, receiver)
        broker = agent.code(play.fill(step.from_ or "broker"))
        head = dressing.header(persona, lambda text: play.fill(text, to=to), broker=broker, to=to, profile=profile)
        return head if head is None or instead is None else replace(head, instead=instead)
    profile = profile or agent.agent.partner
    sender = play.fill(step.from_) if step.from_ else agent.agency.broker
    return Header(agent.code(sender), receiver, None if profile in {None, "none"} else play.fill(profile), instead)


def _typed(play: Play, step: Send, copy: int) -> bytes:
    """The octets of a step that gives them itself."""
    return bytes.fromhex(step.hex) if step.hex is not None else str(play.fill(step.raw, copy=str(copy))).encode()


def _is_version_1(raw: bytes) -> bool:
    try:
        return wire.read(raw).is_version_1
    except wire.Unreadable:
        return False


def _node(play: Play, step: Send, copy: int) -> Node:
    if step.xml is not None:
        return content.from_xml(play.variables.fill(step.xml, {"copy": str(copy)}, escape))
    return content.from_mapping(step.service, play.fill(step.message, copy=str(copy)))


def _written(play: Play, step: Transmission, nodes: list[Node], envelope: Envelope) -> tuple[bytes, tuple[bytes, ...]]:
    """The first message in plain words, and all of them as they go out."""
    persona = play.scenario.persona
    if persona is None:
        raw = tuple(wire.message(node, envelope) for node in nodes)
        return raw[0], raw
    oracle.schema(persona.version)
    codes = play.stage.agent.called(persona.agencies)
    around = dressing.envelope(persona, envelope)
    dressed = [dressing.dressed(persona, node, play.fill, codes) for node in nodes]
    bodies = [post.packed(persona.post, wire.message(dressing.spelled(persona, node), around)) for node in dressed]
    return dressing.plain(persona, nodes[0]), tuple(bodies)


def _parcel(
    play: Play, step: Transmission, plain: bytes, bodies: tuple[bytes, ...], head: Header | None, service: str, to: str
) -> Parcel:
    side = play.stage.agent.side(to)
    parcel = Parcel(bodies, plain, _url(play, step), step.content_type, head, service, side, _name(side, to))
    persona = play.scenario.persona
    if persona is None:
        return parcel
    by = msgspec.structs.replace(persona.post, authorization=play.fill(persona.post.authorization))
    kind = post.content_type(by) if step.content_type == CONTENT_TYPE else step.content_type
    return replace(parcel, post=by, content_type=kind, is_version_1=persona.is_version_1)


def _url(play: Play, step: Transmission) -> str:
    persona, target = play.scenario.persona, play.stage.target
    if persona is not None and persona.post.transport != "http":
        return f"tcp://{play.stage.agent.access.tcp}"
    to = play.stage.agent.code(play.fill(step.to))
    key = step.key or (str(play.fill(persona.post.key, to=to)) if persona is not None else "")
    return f"{target}/{key}" if key else target


async def _own_check(step: Send, raw: bytes) -> None:
    opinion = await oracle.judge(wire.read(raw).document)
    if not opinion.valid:
        first = opinion.violations[0]
        raise Trouble(
            f"the scenario's own {step.service} is not valid NCIP {opinion.grammar}: {first.message} at {first.where}; "
            "mend it, or say `valid: false`"
        )


def _translated(play: Play, node: Node, side: str) -> Node:
    if node.name == "ItemIdentifierValue":
        return replace(node, text=play.book.translate(node.text.strip(), side))
    inner = [child for child in node.children if child.name != "InitiationHeader"]
    return node.with_children(*[_translated(play, child, side) for child in inner])


def _edited(node: Node, path: list[str], text: str | None) -> Node:
    """Replace the text at a path, or take the element away where there is no text."""
    if not path:
        return replace(node, text=text or "", children=())
    if node.child(path[0]) is None:
        if text is None:
            return node
        raise Trouble(f"there is no {path[0]} in the {node.name} that came in, so it cannot be replaced")
    kept = []
    for child in node.children:
        if child.name != path[0]:
            kept.append(child)
        elif len(path) > 1 or text is not None:
            kept.append(_edited(child, path[1:], text))
    return node.with_children(*kept)


# --- sending and judging ---------------------------------------------------------------------------------------------


async def _deliver(play: Play, step: Transmission, parcel: Parcel) -> dict[str, str]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (step.eventually or 0)
    if step.name:
        play.parcels[step.name] = parcel
    while True:
        answers = [await read_ncip(sent) for sent in await _transmit(play, step, parcel)]
        _note(play, step, parcel, answers)
        findings = list(_judged(play, step, parcel, answers))
        if loop.time() >= deadline or all(finding.ok for finding in findings):
            break
        await asyncio.sleep(_PAUSE)
    for answer in answers:
        said = describe(answer.message) if answer.message else answer.sent.error or f"HTTP {answer.sent.status}"
        asked = parcel.service or getattr(step, "service", None) or f"the same as “{getattr(step, 'again', '')}”"
        play.exchanged(exchange(answer.sent, channel="ncip", receiver=parcel.receiver, asked=asked, answered=said))
    if any(answer.sent.outcome == "unreachable" for answer in answers):
        if play.step == 0 and parcel.post.transport != "http":
            raise Excused(f"nobody listens at {parcel.url}, where the agent file has the target's TCP door")
        raise Trouble(f"the target cannot be reached any more: {answers[-1].sent.error}")
    play.found(findings)
    if step.name and answers[-1].sent.outcome == "answered":
        play.answers[step.name] = answers[-1].sent.response
    play.settle()
    return play.capture_message(step.capture, answers[-1])


async def _transmit(play: Play, step: Transmission, parcel: Parcel) -> list[Sent]:
    async def once(body: bytes) -> Sent:
        kind, within = parcel.content_type, step.timeout
        return await post.send(play.stage.session, parcel.post, parcel.url, body, content_type=kind, seconds=within)

    if len(parcel.bodies) > 1:
        return list(await asyncio.gather(*[once(body) for body in parcel.bodies]))
    return [await once(parcel.bodies[0]) for _ in range(step.times)]


def _note(play: Play, step: Transmission, parcel: Parcel, answers: list[Answer]) -> None:
    """Write into the broker's book what the answers mean for its request, and what is to be undone later."""
    try:
        message = wire.read(parcel.plain)
    except wire.Unreadable:
        return
    good = next((answer for answer in answers if _success(answer)), None)
    play.book.sent(message, parcel.side, succeeded=good is not None)
    if good is None or good.message is None:
        return
    profile = parcel.header.profile if parcel.header else None
    way = Way(step if isinstance(step, Send) else None, parcel.side, profile)
    play.undoing.succeeded(way, message, good.message)
    if message.name == "AcceptItem":
        barcode = good.message.text("AcceptItemResponse", "ItemId", "ItemIdentifierValue")
        if barcode:
            play.book.accepted_as(message, barcode)


def _success(answer: Answer) -> bool:
    message = answer.message
    return message is not None and message.name not in {None, "Problem"} and not problems(message)


def _judged(play: Play, step: Transmission, parcel: Parcel, answers: list[Answer]) -> Iterator[Finding]:
    wanted = play.expectations(step)
    stated = [
        status
        for one in wanted
        if one.status is not None
        for status in (one.status if isinstance(one.status, list) else [one.status])
    ]
    for answer in answers:
        allowed, older = tuple(stated) or (200,), parcel.is_version_1
        yield from envelope(answer, statuses=allowed, other_root=step.root, is_version_1=older)
        if step.root is None:
            yield from schema(answer.opinion)
            yield from header(answer, parcel.header)
            yield from identifiers(answer)
    if any(answer.sent.outcome != "answered" for answer in answers):
        return
    context = play.context()
    readable = all(answer.message is not None for answer in answers)
    implied = _implied(wanted, parcel.service) if not stated or 200 in stated else []
    for one in implied if readable else []:
        yield replace(expect.judge(one, answers, context), aspect="answer")
    for one in wanted:
        if one.status is None and (
            readable or one.within is not None or one.same_as is not None or one.broker is not None
        ):
            yield expect.judge(one, answers, context)


def _implied(wanted: list[Expect], service: str | None) -> list[Expect]:
    """The response that belongs to the message, without a Problem, unless the scenario says something else."""
    if service is None:
        return []
    problem_wanted = any(isinstance(one.problem, ExpectedProblem) for one in wanted)
    responses = [
        name
        for one in wanted
        if one.response is not None
        for name in (one.response if isinstance(one.response, list) else [one.response])
    ]
    implied = []
    if not responses:
        implied.append(Expect(response=[f"{service}Response", "Problem"] if problem_wanted else f"{service}Response"))
    if not problem_wanted and "Problem" not in responses and not any(one.problem == "none" for one in wanted):
        implied.append(Expect(problem="none"))
    return implied
