"""Competency frameworks as CASE packages: read leniently, 1.0 and 1.1; written strictly, 1.1.

What is recorded of a package is what meaning and a strict package need, in compact form: an
address that follows from the document's is not kept, nor a date that equals the document's,
nor what only servers send (``CFDocumentURI``, ``CFPackageURI``), nor definitions.

Spec: CASE 1.1 (CFPackage); CASE 1.0 differs in members that are skipped here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lrs.competencies.shapes import Shape, pointer

Json = Mapping[str, Any]
Value = dict[str, Any]

SPEC = "CASE 1.1 CFPackage"
CHILD = "isChildOf"
TYPES = frozenset(
    {
        CHILD,
        "isPeerOf",
        "isPartOf",
        "exactMatchOf",
        "precedes",
        "isRelatedTo",
        "replacedBy",
        "exemplar",
        "hasSkillLevel",
        "isTranslationOf",
    }
)
_DOCUMENT_TEXTS = (
    "creator",
    "publisher",
    "description",
    "language",
    "adoptionStatus",
    "statusStartDate",
    "statusEndDate",
    "officialSourceURL",
)
_ITEM_TEXTS = (
    "humanCodingScheme",
    "CFItemType",
    "abbreviatedStatement",
    "alternativeLabel",
    "listEnumeration",
    "language",
    "statusStartDate",
    "statusEndDate",
)
_LAST = float("inf")


def read_package(value: object, shape: Shape) -> Value:
    """Read a CFPackage; return what is recorded of it, without ``model`` and ``version``.

    Args:
        value: The parsed file.
        shape: Collects what is wrong: a missing member, an identifier that stands twice, an
            association that leads nowhere, items that are below themselves.

    Spec: CASE 1.1 CFPackage, CFDocument, CFItem, CFAssociation
    """
    package = shape.members(value, "", ("CFDocument", "CFItems"), None)
    if shape.problems:
        return {}
    reading = _Reading(shape)
    document = reading.document(package["CFDocument"])
    for index, one in enumerate(shape.array(package["CFItems"], "/CFItems")):
        reading.item(one, pointer("CFItems", index))
    for index, one in enumerate(shape.array(package.get("CFAssociations", []), "/CFAssociations")):
        reading.association(one, pointer("CFAssociations", index))
    reading.refuse_dangling()
    if not shape.problems:
        reading.refuse_cycles()
    if shape.problems:
        return {}
    return {**document, **reading.in_order()}


@dataclass(frozen=True, slots=True)
class _Edge:
    """An association as it is recorded, and where it stood."""

    value: Value
    path: str

    @property
    def order(self) -> float:
        """Where it stands among its siblings; behind them where no number says so."""
        number: float = self.value.get("sequenceNumber", _LAST)
        return number


@dataclass
class _Reading:
    """What has been read of a package."""

    shape: Shape
    base: str = ""
    identifier: str = ""
    changed: str = ""
    items: dict[str, Value] = field(default_factory=dict)
    edges: list[_Edge] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def document(self, value: object) -> Value:
        """Read the CFDocument."""
        path = "/CFDocument"
        given = self.shape.members(value, path, ("identifier", "title", "lastChangeDateTime"), None)
        self.identifier = self._identifier(given, path)
        self.changed = self._instant(given, path)
        uri = self._optional(given, "uri", path)
        self.base = uri.removesuffix(f"/CFDocuments/{self.identifier}")
        if self.base == uri:
            self.base = ""
        made = {
            "identifier": self.identifier,
            "title": self.shape.text(given, "title", path),
            "uri": uri,
            "base": self.base,
            "lastChangeDateTime": self.changed,
        }
        edition = self._optional(given, "version", path)
        made |= {"edition": edition} if edition else {}
        return made | self._texts(given, _DOCUMENT_TEXTS, path)

    def item(self, value: object, path: str) -> None:
        """Read a CFItem."""
        given = self.shape.members(value, path, ("identifier", "fullStatement"), None)
        identifier = self._identifier(given, path)
        made: Value = {
            "identifier": identifier,
            "fullStatement": self.shape.text(given, "fullStatement", path),
        }
        made |= self._texts(given, _ITEM_TEXTS, path)
        made |= self._common(given, path, "CFItems", identifier)
        levels = given.get("educationLevel")
        if levels:
            made["educationLevel"] = list(self.shape.texts(given, "educationLevel", path))
        self.items[identifier] = made

    def association(self, value: object, path: str) -> None:
        """Read a CFAssociation."""
        needed = ("identifier", "associationType", "originNodeURI", "destinationNodeURI")
        given = self.shape.members(value, path, needed, None)
        identifier = self._identifier(given, path)
        kind = self.shape.text(given, "associationType", path)
        if kind and kind not in TYPES and not kind.startswith("ext:"):
            message = f"{kind!r} is no associationType; ext: must stand before a type of one's own."
            self.shape.wrong(path + "/associationType", "case.association-type", message, SPEC)
        made: Value = {"identifier": identifier, "type": kind}
        made["from"] = self._node(given, "originNodeURI", path, made, "fromLink")
        made["to"] = self._node(given, "destinationNodeURI", path, made, "toLink")
        sequence = given.get("sequenceNumber")
        if isinstance(sequence, (int, float)) and not isinstance(sequence, bool):
            made["sequenceNumber"] = int(sequence)
        made |= self._common(given, path, "CFAssociations", identifier)
        self.edges.append(_Edge(made, path))

    def refuse_dangling(self) -> None:
        """Note each association with an end that is not in the package.

        ``isChildOf`` makes the tree: both its ends must be here. Any other may lead out of the
        package, or into it, but not pass it by.
        """
        for edge in self.edges:
            lost = [
                (side, edge.value[end])
                for side, end in (("originNodeURI", "from"), ("destinationNodeURI", "to"))
                if edge.value[end] and not self._is_here(edge.value[end])
            ]
            if len(lost) == 2 or (lost and edge.value["type"] == CHILD):  # noqa: PLR2004 - both ends
                for side, node in lost:
                    message = f"The association leads to {node}, which is not in this package."
                    self.shape.wrong(edge.path + pointer(side), "case.dangling", message, SPEC)

    def refuse_cycles(self) -> None:
        """Note each association that closes a circle: an item must not be below itself."""
        below: dict[str, list[_Edge]] = {}
        for edge in self.edges:
            if edge.value["type"] == CHILD:
                below.setdefault(edge.value["to"], []).append(edge)
        done: set[str] = set()
        for start in list(below):
            self._walk(start, below, done)

    def _walk(self, start: str, below: Mapping[str, Sequence[_Edge]], done: set[str]) -> None:
        open_nodes = {start}
        stack = [(start, iter(below.get(start, ())))] if start not in done else []
        while stack:
            node, edges = stack[-1]
            edge = next(edges, None)
            if edge is None:
                done.add(node)
                open_nodes.discard(node)
                stack.pop()
                continue
            child = edge.value["from"]
            if child in open_nodes:
                message = f"With this association {child} is below itself."
                self.shape.wrong(edge.path, "case.cycle", message, SPEC)
            elif child not in done:
                open_nodes.add(child)
                stack.append((child, iter(below.get(child, ()))))

    def in_order(self) -> Value:
        """Return items and associations in the order of the tree: parents first, siblings by number."""
        below: dict[str, list[_Edge]] = {}
        for edge in self.edges:
            if edge.value["type"] == CHILD:
                below.setdefault(edge.value["to"], []).append(edge)
        for siblings in below.values():
            siblings.sort(key=lambda edge: edge.order)
        children = {edge.value["from"] for siblings in below.values() for edge in siblings}
        tops = [edge.value["from"] for edge in below.get(self.identifier, ())]
        tops += [one for one in self.items if one not in children]
        order: dict[str, None] = {}
        stack = list(reversed(tops))
        while stack:
            node = stack.pop()
            if node not in order:
                order[node] = None
                stack += [edge.value["from"] for edge in reversed(below.get(node, ()))]
        tree = [edge.value for node in (self.identifier, *order) for edge in below.get(node, ())]
        others = [edge.value for edge in self.edges if edge.value["type"] != CHILD]
        return {"items": [self.items[one] for one in order], "associations": tree + others}

    def _is_here(self, node: str) -> bool:
        return node in self.items or node == self.identifier

    def _identifier(self, given: Json, path: str) -> str:
        identifier = self.shape.token(given, "identifier", path)
        if identifier and identifier in self.seen:
            message = f"The identifier {identifier} stands twice in this package."
            self.shape.wrong(path + "/identifier", "case.duplicate", message, SPEC)
        self.seen.add(identifier)
        return identifier

    def _node(self, given: Json, side: str, path: str, made: Value, link: str) -> str:
        if side not in given:
            return ""
        node = self.shape.members(given[side], path + pointer(side), ("identifier",), None)
        identifier = self.shape.token(node, "identifier", path + pointer(side))
        if identifier and not self._is_here(identifier):
            made[link] = {name: str(node[name]) for name in ("title", "uri") if node.get(name)}
        return identifier

    def _common(self, given: Json, path: str, kind: str, identifier: str) -> Value:
        made: Value = {}
        uri = self._optional(given, "uri", path)
        if uri and uri != f"{self.base}/{kind}/{identifier}":
            made["uri"] = uri
        changed = self._instant(given, path)
        if changed and changed != self.changed:
            made["lastChangeDateTime"] = changed
        return made

    def _texts(self, given: Json, names: Sequence[str], path: str) -> Value:
        return {name: text for name in names if (text := self._optional(given, name, path))}

    def _optional(self, given: Json, name: str, path: str) -> str:
        """Return an optional text; servers send null and empty ones, which say nothing."""
        return self.shape.text(given, name, path) if given.get(name) not in (None, "") else ""

    def _instant(self, given: Json, path: str) -> str:
        text = self._optional(given, "lastChangeDateTime", path)
        if text and instant_of(text) is None:
            message = "This is no date with time and zone, such as 2026-11-21T09:30:00+00:00."
            self.shape.wrong(path + "/lastChangeDateTime", "case.date-time", message, SPEC)
        return text


def instant_of(text: str) -> datetime | None:
    """Read a CASE date-time; one without a zone is none."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None


def keep_withdrawn(before: Json, after: Value) -> Value:
    """Return the new version with the items that it no longer has, marked withdrawn.

    What somebody was shown to be able to do stays readable; a withdrawn item counts for no
    coverage and stands outside the tree, behind all others.
    """
    here = {one["identifier"] for one in after["items"]}
    gone = [
        {name: value for name, value in one.items() if name != "educationLevel"} | {"withdrawn": True}
        for one in before["items"]
        if one["identifier"] not in here
    ]
    return {**after, "items": after["items"] + gone}


def write_package(value: Json, publisher: str) -> Value:
    """Write what is recorded as a strict CFPackage 1.1; withdrawn items are left out.

    Args:
        value: As recorded.
        publisher: Stands as creator where the package named none.

    Spec: CASE 1.1 CFPackage (no member that it does not know)
    """
    items = [_write_item(value, one) for one in value["items"] if not one.get("withdrawn")]
    document = write_document(value, publisher)
    links = {
        one["identifier"]: {"title": _title(one), "identifier": one["identifier"], "uri": one["uri"]}
        for one in (document, *items)
    }
    return {
        "CFDocument": document,
        "CFItems": items,
        "CFAssociations": [_write_association(value, one, links) for one in value["associations"]],
    }


def write_document(value: Json, publisher: str) -> Value:
    """Write the CFDocument of a package; ``version`` is its own, as it was given.

    Spec: CASE 1.1 CFPckgDocument
    """
    made = {
        "identifier": value["identifier"],
        "uri": value["uri"] or f"urn:uuid:{value['identifier']}",
        "caseVersion": "1.1",
        "creator": publisher,
        "title": value["title"],
        "lastChangeDateTime": value["lastChangeDateTime"],
    }
    made |= {"version": value["edition"]} if "edition" in value else {}
    return made | {name: value[name] for name in _DOCUMENT_TEXTS if name in value}


def _write_item(value: Json, one: Json) -> Value:
    made = _written(value, one, "CFItems") | {"fullStatement": one["fullStatement"]}
    names = (*_ITEM_TEXTS, "educationLevel")
    return made | {name: one[name] for name in names if name in one}


def _write_association(value: Json, one: Json, links: Mapping[str, Json]) -> Value:
    made = _written(value, one, "CFAssociations") | {
        "associationType": one["type"],
        "originNodeURI": _link(one["from"], one.get("fromLink", {}), links),
        "destinationNodeURI": _link(one["to"], one.get("toLink", {}), links),
    }
    if "sequenceNumber" in one:
        made["sequenceNumber"] = one["sequenceNumber"]
    return made


def _link(node: str, given: Json, links: Mapping[str, Json]) -> Json:
    made_up = {"title": node, "identifier": node, "uri": f"urn:uuid:{node}"}
    return links.get(node) or {**made_up, **given}


def _written(value: Json, one: Json, kind: str) -> Value:
    identifier = one["identifier"]
    made_up = f"{value['base']}/{kind}/{identifier}" if value["base"] else f"urn:uuid:{identifier}"
    return {
        "identifier": identifier,
        "uri": one.get("uri") or made_up,
        "lastChangeDateTime": one.get("lastChangeDateTime", value["lastChangeDateTime"]),
    }


def _title(one: Json) -> str:
    names = ("title", "abbreviatedStatement", "humanCodingScheme", "fullStatement")
    return next(str(one[name]) for name in names if one.get(name))
