"""What partners tell and what cannot be taken up is shown to staff, for the event itself cannot be refused."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ncipd.circulation.model import Role, TaskKind
from ncipd.ncip.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ncipd.circulation.unit import Circulation


def already_so(circ: Circulation, problem: Problem) -> None:
    """Raise the Problem that a change is made already: what it deletes is not there, what it adds is.

    Of what a partner tells, or mandates, that is no problem: it has happened, and its effect stands.
    """
    if not circ.mandated:
        raise problem
    circ.note(f"already so: {problem.element}")


@contextmanager
def kept(circ: Circulation, service: str, about: str, role: Role = Role.BORROWING) -> Iterator[None]:
    """Put a Problem of the work within on the task list too; `about` says whom or what the partner spoke of."""
    try:
        yield
    except Problem as problem:
        circ.keep(role, TaskKind.REVIEW, f"{circ.partner.code} sent {service} about {about}: {problem.detail}")
        raise
