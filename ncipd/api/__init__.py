"""The desk's door: JSON under `/api/v1`, for the staff of one agency at a time.

Who may: the holder of a bearer token of that agency; under `--demo` on a loopback address anyone, but then a foreign
Host or Origin, or a body that is not `application/json`, is refused, so that no page in a browser can work the desk.
What was done once under an Idempotency-Key is not done again. What goes wrong is answered with one error document,
whatever it was. The description is `ncipd/openapi.yaml`.
"""

from __future__ import annotations

from ncipd.api.endpoints import PREFIX, Api

__all__ = ["PREFIX", "Api"]
