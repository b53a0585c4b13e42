"""Alignments: rules that say which acts are evidence of which item, and how strong. Pure.

Rules are data of an institution, versioned as a whole. Each rule looks at one act alone, so
that evidence of an act never depends on what else is recorded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from lrs.learners.acts import Act, act_key
from lrs.learners.handles import IdentityId
from lrs.tables.derived import Row

Json = Mapping[str, Any]

EVIDENCE = "evidence"
"""The derived table of evidence; an owner is an identity."""

LISTS = ("verb", "activity", "activityType", "parent", "grouping", "category", "institution", "voucher")
_ONE, _ZERO = Decimal(1), Decimal(0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Texts of which one must be met; one that ends in ``*`` is met by what begins like it."""

    exact: frozenset[str]
    prefixes: tuple[str, ...]

    @classmethod
    def of(cls, patterns: Sequence[str]) -> "Wanted":
        """Make it of patterns."""
        prefixes = tuple(one[:-1] for one in patterns if one.endswith("*"))
        return cls(frozenset(one for one in patterns if not one.endswith("*")), prefixes)

    def meets(self, text: str | None) -> bool:
        """Tell whether a text is one of these."""
        if text is None:
            return False
        return text in self.exact or (bool(self.prefixes) and text.startswith(self.prefixes))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; every condition must hold.

    Attributes:
        item: The identifier of the item.
        wanted: By name of the condition, as a file has it.
        flags: ``success`` and ``completion``, as they must be.
        score: As a file has it: a word, or an object.
        strength: How much one piece of evidence counts; 1 is a whole one.
    """

    id: str
    item: str
    wanted: Mapping[str, Wanted]
    flags: Mapping[str, bool]
    least_seconds: int | None
    score: Any
    strength: str = "1"

    def meets(self, act: Act) -> bool:
        """Tell whether an act is evidence by this rule."""
        for name, wanted in self.wanted.items():
            if not _CONDITIONS[name](wanted, act):
                return False
        for name, flag in self.flags.items():
            if getattr(act, name) is not flag:
                return False
        return self.least_seconds is None or (act.seconds is not None and act.seconds >= self.least_seconds)


@dataclass(frozen=True, slots=True)
class Alignment:
    """The rules of an alignment; ``owner`` is the institution that made them."""

    name: str
    owner: str
    version: int
    framework: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One act counted for one item by one rule.

    Attributes:
        owner: The institution whose alignment says so.
        institution: The institution whose record the statement is in.
        at: The act's instant, in microseconds.
        score: Decimal text; None where the act has none: the item was met with, no more.
    """

    framework: str
    item: str
    owner: str
    alignment: str
    version: int
    rule: str
    statement: str
    institution: str
    at: int
    strength: str
    score: str | None
    voucher: Mapping[str, str]
    act: str = ""

    @property
    def key(self) -> str:
        """The key of its row."""
        return f"{self.framework} {self.item} {self.act} {self.owner}/{self.alignment}/{self.rule}"


def evidence_of(act: Act, alignment: Alignment) -> list[Evidence]:
    """List what an act is evidence of by an alignment, in the order of its rules."""
    return Rules([alignment]).evidence_of(act)


_Chosen = tuple[Alignment, Rule]


class Rules:
    """All rules at once; each lies under the texts of one of its conditions, so that few are tried.

    Args:
        alignments: Whose rules; evidence comes in their order.
    """

    def __init__(self, alignments: Sequence[Alignment]) -> None:
        """Lay each rule under its narrowest condition that names whole texts; under none otherwise."""
        self._found_by: dict[str, dict[str, list[int]]] = {name: {} for name in _FOUND_BY}
        self._others: list[int] = []
        self._all: list[_Chosen] = [(one, rule) for one in alignments for rule in one.rules]
        for number, (_, rule) in enumerate(self._all):
            wholes = (name for name in _FOUND_BY if name in rule.wanted and not rule.wanted[name].prefixes)
            name = next(wholes, None)
            if name is None:
                self._others.append(number)
                continue
            for text in rule.wanted[name].exact:
                self._found_by[name].setdefault(text, []).append(number)

    def evidence_of(self, act: Act) -> list[Evidence]:
        """List what an act is evidence of, in the order of the rules."""
        numbers = set(self._others)
        for name, texts_of in _FOUND_BY.items():
            lying = self._found_by[name]
            if lying:
                for text in texts_of(act):
                    numbers.update(lying.get(text, ()))
        tried = (self._all[number] for number in sorted(numbers))
        return [_evidence(act, alignment, rule) for alignment, rule in tried if rule.meets(act)]


def _evidence(act: Act, alignment: Alignment, rule: Rule) -> Evidence:
    score = _score(rule.score, act)
    voucher = {"kind": act.voucher.kind}
    if act.voucher.name:
        voucher["name"] = act.voucher.name
    return Evidence(
        alignment.framework,
        rule.item,
        alignment.owner,
        alignment.name,
        alignment.version,
        rule.id,
        act.id,
        act.institution,
        act.at,
        rule.strength,
        None if score is None else decimal_text(score),
        voucher,
        act_key(act),
    )


def _score(wanted: Any, act: Act) -> Decimal | None:
    """Return an act's score as a rule reads it; None where the act does not say."""
    if wanted == "scaled":
        return _scaled(act)
    if isinstance(wanted, str):
        flag = act.success if wanted == "success" else act.completion
        return None if flag is None else _ONE if flag else _ZERO
    if "fixed" in wanted:
        return Decimal(wanted["fixed"])
    return None if act.raw is None else _bounded(Decimal(act.raw) / Decimal(wanted["raw"]["of"]))


def _scaled(act: Act) -> Decimal | None:
    """Return the scaled score, else the raw one between its bounds.

    Spec: xAPI 1.0.3 Data 2.4.5.1
    """
    if act.scaled is not None:
        return _bounded(Decimal(act.scaled))
    if act.raw is None or act.max is None:
        return None
    least, most = Decimal(act.min or 0), Decimal(act.max)
    return _bounded((Decimal(act.raw) - least) / (most - least)) if most > least else None


def _bounded(score: Decimal) -> Decimal:
    """Cut a score to the scale of all thresholds, -1 to 1."""
    return max(-_ONE, min(score, _ONE))


def decimal_text(number: Decimal) -> str:
    """Write a number plainly, without an exponent and without zeros at its end; at most nine places."""
    text = f"{round(number, 9):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


_FOUND_BY: Mapping[str, Callable[[Act], Sequence[str]]] = {
    "activity": lambda act: (act.object,) if act.object is not None else (),
    "parent": lambda act: act.parents,
    "grouping": lambda act: act.groupings,
    "category": lambda act: act.categories,
    "activityType": lambda act: (act.type,) if act.type is not None else (),
    "verb": lambda act: (act.verb,),
}
"""What of an act a rule may be found by, the narrowest first."""

_CONDITIONS: Mapping[str, Callable[[Wanted, Act], bool]] = {
    "verb": lambda wanted, act: wanted.meets(act.verb),
    "activity": lambda wanted, act: wanted.meets(act.object),
    "activityType": lambda wanted, act: wanted.meets(act.type),
    "parent": lambda wanted, act: any(map(wanted.meets, act.parents)),
    "grouping": lambda wanted, act: any(map(wanted.meets, act.groupings)),
    "category": lambda wanted, act: any(map(wanted.meets, act.categories)),
    "institution": lambda wanted, act: act.institution in wanted.exact,
    "voucher": lambda wanted, act: act.voucher.kind in wanted.exact,
}


def alignment_from(value: Json, owner: str) -> Alignment:
    """Read an alignment as it is recorded."""
    rules = tuple(_rule_from(one) for one in value["rules"])
    return Alignment(value["name"], owner, value["version"], value["framework"], rules)


def _rule_from(value: Json) -> Rule:
    when = value["when"]
    minutes = when.get("minMinutes")
    return Rule(
        value["id"],
        value["item"],
        {name: Wanted.of(when[name]) for name in LISTS if name in when},
        {name: when[name] for name in ("success", "completion") if name in when},
        None if minutes is None else minutes * 60,
        value["score"],
        value["strength"],
    )


def evidence_row(identity: IdentityId, evidence: Evidence) -> Row:
    """Write evidence as a derived row."""
    content = {
        "framework": evidence.framework,
        "item": evidence.item,
        "owner": evidence.owner,
        "alignment": evidence.alignment,
        "version": evidence.version,
        "rule": evidence.rule,
        "statement": evidence.statement,
        "institution": evidence.institution,
        "at": evidence.at,
        "strength": evidence.strength,
        "score": evidence.score,
        "voucher": evidence.voucher,
        "act": evidence.act,
    }
    return Row(EVIDENCE, identity, evidence.key, orjson.dumps(content, option=orjson.OPT_SORT_KEYS))


def evidence_from(row: Row) -> Evidence:
    """Read evidence from its row."""
    return Evidence(**orjson.loads(row.content))
