"""Hypothesis strategies for valid statements and their parts, of both versions.

Each is made once: building one takes longer than drawing from it.
"""

from datetime import UTC
from functools import cache
from typing import Any

from hypothesis import strategies as st

from lrs.xapi.activity import INTERACTION_TYPES
from lrs.xapi.versions import Version

Json = st.SearchStrategy[Any]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)
NUMBER = st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9, allow_nan=False)


@cache
def json_values() -> Json:
    """Any JSON value, as an extension may hold it."""
    scalars = st.none() | st.booleans() | NUMBER | TEXT
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=6,
    )


@cache
def iris() -> Json:
    """IRIs of several schemes, with characters beyond ASCII."""
    rests = st.text("abcXYZ019/?#:@!$&'()*+,;=-._~%éß漢", min_size=1, max_size=12)
    schemes = st.sampled_from(["http://", "https://", "urn:", "tag:", "uuid://", "course-v1:"])
    return st.builds(lambda scheme, rest: scheme + rest, schemes, rests)


@cache
def uuids() -> Json:
    """UUIDs in standard form, in either case."""
    return st.uuids().flatmap(lambda uuid: st.sampled_from([str(uuid), str(uuid).upper()]))


@cache
def language_tags() -> Json:
    """Language tags of many forms."""
    return st.sampled_from(
        [
            "en",
            "en-US",
            "cmn",
            "zh-Hans-CN",
            "sr-Latn-RS",
            "es-419",
            "de-CH-1996",
            "x-own",
            "i-klingon",
            "und",
        ]
    )


@cache
def language_maps() -> Json:
    """Language maps, the empty one too."""
    return st.dictionaries(language_tags(), TEXT, max_size=3)


@cache
def extensions() -> Json:
    """Extensions with any values."""
    return st.dictionaries(iris(), json_values(), max_size=2)


@cache
def timestamps() -> Json:
    """Timestamps in RFC 3339's form, with and without a fraction, in several offsets."""
    moments = st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1 < moment.year < 9999)
    return st.builds(
        lambda moment, offset: moment.replace(tzinfo=None).isoformat() + offset,
        moments,
        st.sampled_from(["Z", "+00:00", "+05:45", "-03:30"]),
    )


@cache
def durations() -> Json:
    """Durations by designators."""
    small = st.integers(0, 500)
    return st.one_of(
        st.builds("P{}W".format, small),
        st.builds("P{}Y{}M{}D".format, small, small, small),
        st.builds("PT{}H{}M{}.{}S".format, small, small, small, small),
        st.builds("P{}DT{}S".format, small, small),
    )


def optional(required: dict[str, Json], options: dict[str, Json]) -> Json:
    """Objects with all of the required and any of the optional properties."""
    return st.fixed_dictionaries(required, optional=options)


@cache
def identifiers() -> Json:
    """One inverse functional identifier, as an object to be merged into an Agent."""
    return st.one_of(
        st.builds(lambda word: {"mbox": f"mailto:{word}@example.org"}, WORD),
        st.builds(lambda n: {"mbox_sha1sum": f"{n:040x}"}, st.integers(0, 2**160 - 1)),
        st.builds(lambda iri: {"openid": iri}, iris()),
        st.builds(lambda iri, name: {"account": {"homePage": iri, "name": name}}, iris(), TEXT),
    )


def _merge(*parts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


@cache
def agents(*, typed: bool = False) -> Json:
    """Agents under each kind of identifier; ``typed`` ones always say that they are one."""
    type_ = {"objectType": st.just("Agent")}
    rest = optional(type_ if typed else {}, {"name": TEXT, **({} if typed else type_)})
    return st.builds(_merge, rest, identifiers())


@cache
def groups() -> Json:
    """Groups, anonymous and identified."""
    named = optional({"objectType": st.just("Group")}, {"name": TEXT})
    members = st.lists(agents(), min_size=1, max_size=3).map(lambda list_: {"member": list_})
    maybe_members = st.lists(agents(), max_size=2).map(lambda list_: {"member": list_})
    return st.builds(_merge, named, members) | st.builds(_merge, named, identifiers(), maybe_members)


@cache
def actors() -> Json:
    """Agents and Groups."""
    return agents() | groups()


@cache
def _components() -> Json:
    component = optional({"id": WORD}, {"description": language_maps()})
    return st.lists(component, max_size=3, unique_by=lambda one: one["id"])


@cache
def definitions() -> Json:
    """Activity definitions, of questions too."""
    plain = {
        "name": language_maps(),
        "description": language_maps(),
        "type": iris(),
        "moreInfo": iris(),
        "extensions": extensions(),
    }
    lists = dict.fromkeys(("choices", "scale", "source", "target", "steps"), _components())
    interaction = {"interactionType": st.sampled_from(INTERACTION_TYPES)}
    answers = {"correctResponsesPattern": st.lists(TEXT, max_size=2)}
    return optional({}, plain) | optional(interaction, {**plain, **lists, **answers})


@cache
def activities() -> Json:
    """Activities, with and without their objectType and a definition."""
    return optional({"id": iris()}, {"objectType": st.just("Activity"), "definition": definitions()})


@cache
def statement_refs() -> Json:
    """References to statements."""
    return st.fixed_dictionaries({"objectType": st.just("StatementRef"), "id": uuids()})


@cache
def verbs() -> Json:
    """Verbs; none of them voids."""
    return optional({"id": iris()}, {"display": language_maps()})


@cache
def scores() -> Json:
    """Scores whose numbers agree with each other."""
    scaled = optional({}, {"scaled": st.floats(-1, 1) | st.integers(-1, 1)})
    bounds = st.lists(NUMBER, min_size=3, max_size=3, unique=True).map(sorted)
    bounded = bounds.map(lambda numbers: dict(zip(("min", "raw", "max"), numbers, strict=True)))
    return st.builds(_merge, scaled, bounded) | scaled


@cache
def results() -> Json:
    """Results."""
    return optional(
        {},
        {
            "score": scores(),
            "success": st.booleans(),
            "completion": st.booleans(),
            "response": TEXT,
            "duration": durations(),
            "extensions": extensions(),
        },
    )


@cache
def contexts(version: Version, *, of_activity: bool) -> Json:
    """Contexts for a statement about an Activity, or about something else."""
    some = st.lists(activities(), max_size=2) | activities()
    options = {
        "registration": uuids(),
        "instructor": actors(),
        "team": groups(),
        "contextActivities": optional({}, dict.fromkeys(("parent", "grouping", "category", "other"), some)),
        "language": language_tags(),
        "statement": statement_refs(),
        "extensions": extensions(),
    }
    if of_activity:
        options |= {"revision": TEXT, "platform": TEXT}
    if version is Version.V2_0_0:
        options |= {"contextAgents": _context_actors("Agent"), "contextGroups": _context_actors("Group")}
    return optional({}, options)


@cache
def _context_actors(kind: str) -> Json:
    actor = agents() if kind == "Agent" else groups()
    types = st.lists(iris(), min_size=1, max_size=2)
    required = {"objectType": st.just(f"context{kind}"), kind.lower(): actor}
    return st.lists(optional(required, {"relevantTypes": types}), max_size=2)


@cache
def attachments() -> Json:
    """Metadata of attachments."""
    return optional(
        {
            "usageType": iris(),
            "display": language_maps(),
            "contentType": st.sampled_from(
                ["text/plain", "application/octet-stream", "text/html; charset=utf-8"]
            ),
            "length": st.integers(0, 2**53),
            "sha2": st.integers(0, 2**256 - 1).map("{:064x}".format),
        },
        {"description": language_maps(), "fileUrl": iris()},
    )


def _bodies(version: Version, object_: Json, *, of_activity: bool, more: dict[str, Json]) -> Json:
    return optional(
        {"actor": actors(), "verb": verbs(), "object": object_},
        {
            "result": results(),
            "context": contexts(version, of_activity=of_activity),
            "timestamp": timestamps(),
            "attachments": st.lists(attachments(), max_size=2),
            **more,
        },
    )


@cache
def _others() -> Json:
    return agents(typed=True) | groups() | statement_refs()


@cache
def substatements(version: Version) -> Json:
    """SubStatements, as they stand in a statement's object."""
    more = {"objectType": st.just("SubStatement")}
    whole = st.one_of(
        _bodies(version, activities(), of_activity=True, more={}),
        _bodies(version, _others(), of_activity=False, more={}),
    )
    return st.builds(_merge, st.fixed_dictionaries(more), whole)


@cache
def statements(version: Version) -> Json:
    """Valid statements of a version, of every kind of object; none of them voids."""
    pair = st.lists(agents(), min_size=2, max_size=2)
    authority = agents() | st.fixed_dictionaries({"objectType": st.just("Group"), "member": pair})
    versions = ["1.0", "1.0.0", "1.0.3", *(["2.0.0"] if version is Version.V2_0_0 else [])]
    more = {
        "id": uuids(),
        "stored": timestamps(),
        "authority": authority,
        "version": st.sampled_from(versions),
    }
    return st.one_of(
        _bodies(version, activities(), of_activity=True, more=more),
        _bodies(version, _others() | substatements(version), of_activity=False, more=more),
    )
