"""`docs/problems.md`: which service answers which problem, and when, as a run of the bundled cases shows it.

Nothing in the table is only meant to be so. ncipd is started with the demonstration's data, `broker-sim conform` puts
every case to it, and what it answers to the service that a case is about stands in the table, with what the case
verifies. A few more are provoked by a test that is named here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from ncipd.ncip.problem_types import SERVICE_PROBLEMS

ROOT = Path(__file__).parents[1]
PROBLEMS = ROOT / "docs" / "problems.md"
AGENT = ROOT / "conformance" / "agents" / "ncipd.toml"
REQUIREMENTS = ROOT / "conformance" / "requirements.toml"
_ANSWERED = re.compile(r".* with Problem ([^:]+)")
_OUTCOME = re.compile(r",? (?:it )?(?:is|are|may be|may as well be) (?:answered|understood)\b.*")

HEAD = """# Problems

Which service answers which problem, and when. Made by `python -m tests.readme` from a run of the bundled conformance
cases against ncipd; each line is what the cases behind it verify. What any message may be answered (*Invalid Message
Syntax Error*, *Unsupported Service*, *Unknown Agency*, *Unknown System*, *Unauthorized Service For System*, *Temporary
Processing Failure*, …) is left out.

| service | problem | when |
|---|---|---|
"""
NEVER = """
## What the standard's lists name, and ncipd does not answer

| service | problem | why |
|---|---|---|
"""
#: What the demonstration's data and partners cannot show: when it comes, and the test that provokes it.
BY_TEST = {
    ("CancelRecallItem", "Item Not Checked Out"): (
        "An item that is not on loan and was not recalled before it came back",
        "tests/services/test_loans_recalled.py::test_withdrawing_what_is_unknown_not_out_not_recalled_or_back",
    ),
    ("CreateUser", "User Authentication Failed"): (
        "AuthenticationInput with which nobody could log in: an empty PIN, or one of a type that is not kept",
        "tests/services/test_users.py::test_what_nobody_could_log_in_with_is_refused",
    ),
    ("CreateUserFiscalTransaction", "Account Access Denied"): (
        "A system that may see users, but not their accounts",
        "tests/services/test_accounts.py::test_a_partner_without_access_to_accounts_posts_and_sees_nothing",
    ),
    ("CreateUserFiscalTransaction", "Unable To Add Element"): (
        "The cancellation of what is cancelled already",
        "tests/services/test_accounts.py::test_a_cancellation_takes_back_what_it_cancels_and_only_once",
    ),
    ("LookupUser", "Non-Unique User"): (
        "A number that two users have, as identifiers of different kinds",
        "tests/services/test_lookups.py::test_a_number_that_two_users_have_is_not_unique",
    ),
    ("UpdateCirculationStatus", "Item Access Denied"): (
        "An item of ours, from a system that is not ours",
        "tests/services/test_catalogue.py::test_the_status_of_our_items_is_not_for_others_to_set",
    ),
}
_NO_SUCH_TYPE = "an element type that is not known adds nothing to the answer"
#: Why a problem of the standard's list does not come, where neither a requirement nor an exclusion says it.
REASONS = {
    ("AcceptItem", "Cannot Guarantee Restrictions On Use"): "use restrictions are kept with the item and honoured here",
    (
        "CancelRequestItem",
        "Element Rule Violated",
    ): "a request is cancelled by its id whatever its type; a hold that is "
    "named by user, item and another type is an unknown request",
    ("LookupAgency", "Agency Access Denied"): "what agencies say of themselves is no secret",
    ("LookupAgency", "Element Rule Violated"): _NO_SUCH_TYPE,
    ("LookupItem", "Element Rule Violated"): _NO_SUCH_TYPE,
    ("LookupItem", "Item Access Denied"): "where an item stands is no secret; who has it is left out",
    ("LookupRequest", "Element Rule Violated"): _NO_SUCH_TYPE,
    ("LookupUser", "Element Rule Violated"): _NO_SUCH_TYPE,
    ("SendUserNotice", "Element Rule Violated"): "a date that has passed is an Invalid Date",
    ("UpdateRequestItem", "Item Access Denied"): "who may not see a request is answered Unknown Request",
}


def play() -> dict[str, Any]:
    """Put every bundled case to a fresh ncipd; gives the report of broker-sim."""
    with tempfile.TemporaryDirectory(prefix="ncipd-problems-") as folder:
        report, agent = Path(folder) / "report.json", Path(folder) / AGENT.name
        # Where somebody else's demo may listen, nothing is sent.
        agent.write_text(re.sub(r"(?m)^tcp = .*\n", "", AGENT.read_text("utf-8")), "utf-8")
        serve = [sys.executable, "-m", "ncipd", "serve", "--demo", "--port", "0", "--data", f"{folder}/data"]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT) as ncipd:
            try:
                url = (ncipd.stdout.readline() if ncipd.stdout else "").split()[-1]
                conform = [sys.executable, "-m", "broker_sim", "conform", "--target", url, "--agent", str(agent)]
                conform += ["--listen", "127.0.0.1:0", "--json", str(report)]
                subprocess.run(conform, cwd=ROOT, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            finally:
                ncipd.terminate()
                ncipd.wait(60)
        found: dict[str, Any] = json.loads(report.read_text("utf-8"))
        return found


def seen(report: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Give when each service answered each problem, in the words of the requirements that its cases verify."""
    services = {name: group["title"] for name, group in tomllib.loads(REQUIREMENTS.read_text("utf-8")).items()}
    found: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for key, (words, _) in BY_TEST.items():
        found[key][words] = None
    for case in sorted(report["scenarios"], key=lambda one: one["id"]):
        for exchange in (one for step in case["steps"] for one in step.get("exchanges", ())):
            answered = _ANSWERED.match(exchange.get("answered") or "")
            mine = [one for one in case["requirements"] if services[one["group"]] == exchange.get("asked")]
            if answered and mine and exchange.get("channel") == "ncip":
                named = [one for one in mine if answered[1].casefold() in one["line"].casefold()]
                for one in named or mine:
                    found[exchange["asked"], answered[1]][when(one["line"])] = None
    return {key: sorted(found[key]) for key in sorted(found)}


def when(line: str) -> str:
    """Take of a requirement the condition, without what then is answered."""
    return _OUTCOME.sub("", line).replace("|", "\\|")


def unseen(found: dict[tuple[str, str], list[str]]) -> dict[tuple[str, str], str]:
    """Give why each problem of the standard's own lists that was not seen does not come; '' where nothing says it."""
    reasons: dict[tuple[str, str], str] = {}
    data = tomllib.loads(REQUIREMENTS.read_text("utf-8"))
    excluded = {one["case"]: one["reason"] for one in tomllib.loads(AGENT.read_text("utf-8"))["exclude"]}
    groups = {group["title"]: (name, group) for name, group in data.items()}
    for service, problems in sorted(SERVICE_PROBLEMS.items()):
        name, group = groups[service]
        entries = {slug: one for weight in ("must", "should", "may") for slug, one in group.get(weight, {}).items()}
        for problem in sorted(str(one) for one in problems if (service, str(one)) not in found):
            said = [
                one["not_tested"]
                for one in entries.values()
                if isinstance(one, dict) and "not_tested" in one and problem.casefold() in one["line"].casefold()
            ]
            case = f"{name}.{re.sub('[^a-z]+', '-', problem.casefold())}"
            reasons[service, problem] = next(
                iter([*filter(None, (REASONS.get((service, problem)), excluded.get(case))), *said]), ""
            )
    return reasons


def page(found: dict[tuple[str, str], list[str]]) -> str:
    """Write the page."""
    rows = [f"| {service} | {problem} | {'; '.join(found[service, problem])} |" for service, problem in found]
    never = [f"| {service} | {problem} | {why} |" for (service, problem), why in unseen(found).items()]
    return HEAD + "\n".join(rows) + "\n" + NEVER + "\n".join(never) + "\n"


def by_service(text: str) -> dict[str, list[str]]:
    """Read from the page which problems each service answers."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in re.findall(r"^\| (\w+) \| ([^|]+) \| ", text.partition(NEVER)[0], re.MULTILINE):
        found[row[0]].append(row[1])
    return {service: problems for service, problems in found.items() if service != "service"}


def write() -> None:
    """Make the page anew."""
    PROBLEMS.parent.mkdir(exist_ok=True)
    PROBLEMS.write_text(page(seen(play())), "utf-8")
