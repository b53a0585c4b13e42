"""Links lead somewhere, and nothing in the repository belongs to one workplace only."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.reference import ROOT

SEP = "/"  # so that this file does not hold what it looks for
FORBIDDEN = {
    "a path of one machine": re.compile(
        "|".join(
            (
                rf"(?<![\w.]){SEP}work{SEP}",
                rf"(?<![\w.]){SEP}home{SEP}\w",
                rf"{SEP}root{SEP}",
                rf"{SEP}Users{SEP}",
            )
        )
    ),
    "the host of a package registry": re.compile(
        "|".join(
            f"{name}\\.org" if dot else name
            for name, dot in (
                ("pypi", True),
                ("registry" + "\\.npmjs", False),
                ("repo1?\\." + "maven", False),
            )
        )
    ),
    "unfinished work": re.compile("|".join(word + r"\b" for word in ("TO" + "DO", "FIX" + "ME", "X" * 3))),
}


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    found = []
    for path in tracked():
        try:
            found.append((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def test_no_text_holds_what_belongs_to_one_workplace() -> None:
    wrong = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {what}: {match[0]}"
        for name, text in texts()
        for what, pattern in FORBIDDEN.items()
        for match in pattern.finditer(text)
        if name != "LICENSE"
    ]
    assert not wrong, "\n".join(wrong)


def test_patterns_find_what_they_look_for() -> None:
    samples = (f" {SEP}work{SEP}x", f"{SEP}root{SEP}x", "https://pypi" + ".org/x", "TO" + "DO: x")
    for sample in samples:
        assert any(pattern.search(sample) for pattern in FORBIDDEN.values()), sample


PAGES = sorted(str(path.relative_to(ROOT)) for path in tracked() if path.suffix == ".md")


@pytest.mark.parametrize("name", PAGES)
def test_every_link_inside_the_project_leads_somewhere(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), flags=re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in slugs, target


def test_changelog_has_the_line_that_releases_are_written_under() -> None:
    assert "<!-- towncrier: newest first -->\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_readme_begins_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.index("make run") < text.index("make test") < text.index("lrs key create")
