"""What the documents say is so: links lead somewhere, commands exist, what must be listed is listed."""

from __future__ import annotations

import re
import tomllib

import msgspec
import pytest

from ncipd import __version__, profiles
from ncipd.config import Config
from ncipd.metrics import MEASURES
from tests.readme import MADE, written

DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/repairs.md",
    "docs/profiles.md",
    "docs/corpus.md",
)


@pytest.fixture(params=DOCUMENTS)
def document(request, root):
    return root / request.param


def test_every_link_to_a_file_leads_to_a_file(document):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text("utf-8"))
    assert not [link for link in links if not (document.parent / link).exists()]


def test_every_make_target_that_is_named_exists(document, root):
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^\$ )make ([a-z]+)", document.read_text("utf-8"), re.MULTILINE))
    assert not named - targets


def test_the_make_targets_that_are_promised_exist(root):
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert targets >= {"install", "lint", "test", "demo", "bench", "fuzz", "soak", "clean"}


def test_the_readme_lists_every_metric_and_no_other(root):
    named = set(re.findall(r"\bncipd_[a-z_]+\b", (root / "README.md").read_text("utf-8")))
    listed = {measure.name for measure in MEASURES}
    assert not listed - named
    assert not {name for name in named if name.endswith(("_total", "_seconds", "_messages"))} - listed


def test_the_readme_names_every_setting_of_server_store_and_log(root):
    text = (root / "README.md").read_text("utf-8")
    sections = [section for section in msgspec.structs.fields(Config) if section.name not in ("partner", "tcp")]
    settings = [setting.name for section in sections for setting in msgspec.structs.fields(section.type)]
    assert settings
    assert not [name for name in settings if not re.search(rf"\b{name}\b", text)]


def test_the_readme_opens_with_what_a_newcomer_needs(root):
    text = (root / "README.md").read_text("utf-8")
    for wanted in ("make demo", "ncipd serve --demo", "curl", "/healthz", "/readyz", "/metrics", "broker-sim"):
        assert wanted in text


def test_the_changelog_has_a_place_for_the_next_change(root):
    text = (root / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"^## \[Unreleased\]$", text, re.MULTILINE)
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text, re.MULTILINE)
    assert not released or released[0] == __version__


def test_the_licence_is_the_one_that_the_package_declares(root):
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0" in (root / "LICENSE").read_text("utf-8")


def test_every_dependency_is_pinned_exactly_and_by_name_alone(root):
    """No host, no path, no range: the same versions for everyone, from wherever pip gets them."""
    lines = [line for line in (root / "constraints.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)]
    pinned = {plain(line.partition("==")[0]) for line in lines}
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    assert not {plain(re.split(r"[<>=\[; ]", one)[0]) for one in wanted} - pinned


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("made", MADE, ids=lambda made: f"{made.parent.name}/{made.name}")
def test_the_parts_that_are_made_from_the_code_are_as_made(made):
    """`python -m tests.readme` writes them anew."""
    text = made.read_text("utf-8")
    assert text == written(text)


def test_every_profile_has_a_section(root):
    text = (root / "docs" / "profiles.md").read_text("utf-8")
    assert re.findall(r"^## (\S+)$", text, re.MULTILINE) == list(profiles.names())
