"""Every rule that reading and validation may name, with what it means and who asks for it.

The names are stable: clients may program against them, and the documentation lists them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lrs.errors import Problem
from lrs.xapi.versions import Version

MAX_PROBLEMS = 100
"""So many problems of one request are told in full."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes:
        meaning: What it asks for, in one line.
        sections: The section of each version that asks for it; empty where the rule is ours.
    """

    meaning: str
    sections: Mapping[Version, str]


def _rule(meaning: str, section_1_0_3: str, section_2_0: str) -> Rule:
    return Rule(
        meaning,
        MappingProxyType(
            {
                Version.V1_0_3: f"xAPI 1.0.3 Data {section_1_0_3}",
                Version.V2_0_0: f"xAPI 2.0 {section_2_0}",
            }
        ),
    )


def _json_rule(meaning: str, section: str) -> Rule:
    return Rule(meaning, MappingProxyType(dict.fromkeys(Version, section)))


def _part_rule(meaning: str) -> Rule:
    sections = {Version.V1_0_3: "xAPI 1.0.3 Communication 1.5.2", Version.V2_0_0: "xAPI 2.0 4.1.3"}
    return Rule(meaning, MappingProxyType(sections))


_TYPES = ("2.2", "4.2.4.1")
_AGENT = ("2.4.2.1", "4.2.2.1")
_GROUP = ("2.4.2.2", "4.2.2.1")
_OBJECT = ("2.4.4", "4.2.2.3")
_ACTIVITY = ("2.4.4.1", "4.2.2.3")
_STATEMENT_OBJECT = ("2.4.4.3", "4.2.2.3")
_SCORE = ("2.4.5.1", "4.2.2.4")
_CONTEXT = ("2.4.6", "4.2.2.5")
_AUTHORITY = ("2.4.9", "4.2.4.2")
_ATTACHMENT = ("2.4.11", "4.2.2.6")
_SIGNATURE = ("2.6", "4.2.6")

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "body.empty": _json_rule("The body holds something.", "RFC 8259 2"),
        "body.byte-order-mark": _json_rule("The body does not begin with a byte order mark.", "RFC 8259 8.1"),
        "body.encoding": _json_rule("The body is UTF-8.", "RFC 8259 8.1"),
        "body.number": _json_rule("A number is one of JSON's, within the range of a double.", "RFC 8259 6"),
        "body.syntax": _json_rule("The body is one JSON value.", "RFC 8259 2"),
        "body.depth": _json_rule("Arrays and objects are nested no deeper than the limit.", "RFC 8259 9"),
        "body.top-level": _json_rule(
            "The body is a statement or an array of statements.", "xAPI 1.0.3 Communication 2.1.1"
        ),
        "body.duplicate-key": _json_rule("An object has each name once.", "RFC 8259 4"),
        "batch.unique-id": Rule(
            "A batch has each statement id once.",
            MappingProxyType(
                {
                    Version.V1_0_3: "xAPI 1.0.3 Communication 2.1.2",
                    Version.V2_0_0: "xAPI 2.0 4.1.6.1",
                }
            ),
        ),
        "json.null": _rule("Nothing is null, except inside extensions.", *_TYPES),
        "json.type": _rule("A value has the JSON type that its property asks for.", *_TYPES),
        "property.unknown": _rule("An object has only the properties of its kind, by the letter.", *_TYPES),
        "iri.form": _rule("An IRI has a scheme and no illegal character.", "4.3", "4.2.7"),
        "uuid.form": _rule("A UUID is in its standard form.", "4.4", "4.2.7"),
        "language.tag": _rule("A language tag has the form of RFC 5646.", "4.2", "4.2.7"),
        "extensions.key": _rule("The key of an extension is an IRI.", "4.1", "4.2.7"),
        "timestamp.form": _rule(
            "A timestamp is a moment in ISO 8601, its offset not -00:00.", "4.5", "4.2.7"
        ),
        "timestamp.rfc3339": _rule("A timestamp of 2.0 is in RFC 3339's form.", "4.5", "4.2.7"),
        "duration.form": _rule("A duration is in ISO 8601's form by designators.", "4.6", "4.2.7"),
        "statement.required": _rule("A statement has an actor, a verb and an object.", "2.2", "4.2.2"),
        "statement.version": _rule(
            "A statement's own version is one that is spoken here.", "2.4.10", "4.2.4.3"
        ),
        "statement.voiding": _rule("The object of a voiding statement is a StatementRef.", "2.3.2", "4.2.5"),
        "agent.object-type": _rule("An Agent's objectType is Agent, a Group's is Group.", *_AGENT),
        "agent.one-ifi": _rule(
            "An Agent or identified Group has exactly one identifier.", "2.4.2.3", "4.2.2.1"
        ),
        "agent.mbox": _rule("An mbox is mailto: and one e-mail address.", "2.4.2.3", "4.2.2.1"),
        "agent.mbox-sha1sum": _rule("An mbox_sha1sum is a SHA-1 in hex digits.", "2.4.2.3", "4.2.2.1"),
        "account.required": _rule("An account has a homePage and a name.", "2.4.2.4", "4.2.2.1"),
        "group.object-type": _rule("Where a Group must stand, it says that it is one.", *_GROUP),
        "group.member": _rule("A Group without an identifier lists its members.", *_GROUP),
        "group.member-agents": _rule("The members of a Group are Agents.", *_GROUP),
        "group.identified": Rule(
            "A Group that is asked for has an identifier.",
            MappingProxyType(
                {
                    Version.V1_0_3: "xAPI 1.0.3 Communication 2.1.3",
                    Version.V2_0_0: "xAPI 2.0 4.1.6.1",
                }
            ),
        ),
        "verb.required": _rule("A verb has an id.", "2.4.3", "4.2.2.2"),
        "object.object-type": _rule("An object is of one of the five kinds.", *_OBJECT),
        "activity.object-type": _rule("An Activity's objectType is Activity.", *_ACTIVITY),
        "activity.required": _rule("An Activity has an id.", *_ACTIVITY),
        "interaction.type": _rule("An interactionType is one of the ten.", *_ACTIVITY),
        "interaction.type-required": _rule(
            "Interaction properties come with an interactionType.", *_ACTIVITY
        ),
        "component.required": _rule("An interaction component has an id.", *_ACTIVITY),
        "component.distinct-ids": _rule("The components of one list have distinct ids.", *_ACTIVITY),
        "statement-ref.object-type": _rule("A StatementRef's objectType says so.", *_STATEMENT_OBJECT),
        "statement-ref.required": _rule("A StatementRef has an objectType and an id.", *_STATEMENT_OBJECT),
        "substatement.required": _rule(
            "A SubStatement has an actor, a verb and an object.", *_STATEMENT_OBJECT
        ),
        "substatement.forbidden": _rule(
            "A SubStatement has no id, stored, version or authority.", *_STATEMENT_OBJECT
        ),
        "substatement.nested": _rule("A SubStatement holds no SubStatement.", *_STATEMENT_OBJECT),
        "score.scaled": _rule("A scaled score is from -1 to 1.", *_SCORE),
        "score.min-max": _rule("A score's min is less than its max.", *_SCORE),
        "score.raw": _rule("A raw score is from min to max.", *_SCORE),
        "context.activity-only": _rule("Revision and platform go with an Activity only.", *_CONTEXT),
        "context-agents.object-type": _rule("A contextAgent or contextGroup says that it is one.", *_CONTEXT),
        "context-agents.required": _rule("A contextAgent has an agent, a contextGroup a group.", *_CONTEXT),
        "context-agents.relevant-types": _rule("The relevantTypes are not empty.", *_CONTEXT),
        "authority.anonymous": _rule("A Group as authority has no identifier.", *_AUTHORITY),
        "authority.members": _rule("A Group as authority has exactly two members.", *_AUTHORITY),
        "attachment.required": _rule(
            "An attachment has usageType, display, contentType, length and sha2.", *_ATTACHMENT
        ),
        "attachment.content-type": _rule("A contentType is a media type.", *_ATTACHMENT),
        "attachment.length": _rule("A length is not negative.", *_ATTACHMENT),
        "attachment.sha2": _rule("A sha2 is a SHA-2 sum in hex digits.", *_ATTACHMENT),
        "attachment.data": _part_rule("An attachment without a fileUrl has its data sent along."),
        "attachment.refused": _part_rule("An attachment passes the scan of this instance."),
        "part.statements": _part_rule("The first part holds the statements, as application/json."),
        "part.encoding": _part_rule("Every part but the first says Content-Transfer-Encoding: binary."),
        "part.hash": _part_rule("Every part but the first names the SHA-2 sum of its bytes."),
        "part.excess": _part_rule("Every part but the first is an attachment of the statements."),
        "part.content-type": _part_rule("A part's Content-Type is the contentType of its attachment."),
        "part.length": _part_rule("A part's Content-Length is that of its bytes and of its attachment."),
        "signature.content-type": _rule(
            "A signature's contentType is application/octet-stream.", *_SIGNATURE
        ),
        "signature.form": _rule("A signature is a JWS in compact serialization.", *_SIGNATURE),
        "signature.algorithm": _rule("A signature's algorithm is RS256, RS384 or RS512.", *_SIGNATURE),
        "signature.certificate": _rule("A signature's x5c holds certificates of RSA keys.", *_SIGNATURE),
        "signature.verified": _rule("A signature is good by its first certificate.", *_SIGNATURE),
        "signature.payload": _rule("A signature's payload is a valid statement.", *_SIGNATURE),
        "signature.same-statement": _rule(
            "A signature's payload is the statement that it signs.", *_SIGNATURE
        ),
    }
)


def make_problem(version: Version, path: str, rule: str, message: str) -> Problem:
    """Make a problem with the section of the version in use.

    Args:
        version: Whose section it names.
        path: Pointer, or the name of a parameter.
        rule: A name that RULES lists.
        message: What is wrong and what to do.
    """
    return Problem(path, rule, message, RULES[rule].sections[version])


def count_problems(count: int) -> str:
    """Say how many problems were found, as in: 1 problem; there may be more than are told."""
    more = " or more" if count >= MAX_PROBLEMS else ""
    return f"{count}{more} problem{'s' if count != 1 else ''}"
