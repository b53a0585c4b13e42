"""The use cases of the three document resources.

Spec: xAPI 1.0.3 Communication 2.3 (State), 2.6 (Agent Profile), 2.7 (Activity Profile).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lrs.access.handles import InstitutionHandle
from lrs.access.model import Caller, Scope
from lrs.errors import InvalidParameter, NotFound, NotPermitted, PreconditionFailed, Problem
from lrs.xapi.documents import Preconditions, Rules, merged, removed, replaced
from lrs.xapi.params import ParamReader
from lrs.xapi.ports import RecordStores
from lrs.xapi.ports.documents import (
    Change,
    Document,
    DocumentContent,
    DocumentKey,
    DocumentKind,
    DocumentList,
    DocumentSet,
    DocumentStore,
)
from lrs.xapi.reader import ReadLimits
from lrs.xapi.versions import Version

SINCE = "since"


@dataclass(frozen=True, slots=True)
class Resource:
    """One document resource: its kind, its parameters, the scope that opens it.

    Attributes:
        id_name: The parameter that names one document.
        required: The parameters that say what the documents are about.
        optional: Those that may narrow that.
    """

    kind: DocumentKind
    path: str
    id_name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    scope: Scope
    spec: str

    @property
    def names(self) -> frozenset[str]:
        """The parameters of a request about one document."""
        return frozenset({self.id_name, *self.required, *self.optional})


RESOURCES = (
    Resource(
        DocumentKind.STATE,
        "/activities/state",
        "stateId",
        ("activityId", "agent"),
        ("registration",),
        Scope.STATE,
        "xAPI 1.0.3 Communication 2.3",
    ),
    Resource(
        DocumentKind.ACTIVITY_PROFILE,
        "/activities/profile",
        "profileId",
        ("activityId",),
        (),
        Scope.PROFILE,
        "xAPI 1.0.3 Communication 2.7",
    ),
    Resource(
        DocumentKind.AGENT_PROFILE,
        "/agents/profile",
        "profileId",
        ("agent",),
        (),
        Scope.PROFILE,
        "xAPI 1.0.3 Communication 2.6",
    ),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a PUT or POST brings."""

    content: DocumentContent
    preconditions: Preconditions


class DocumentService:
    """Reads and changes documents, for one caller at a time.

    All methods raise InvalidParameter for wrong parameters, NotPermitted where the scope
    is missing, and StoreError when the store fails.
    """

    def __init__(self, records: RecordStores, limits: ReadLimits) -> None:
        """Take the stores and the limits of a document."""
        self._records = records
        self.limits = limits

    def get(
        self, caller: Caller, resource: Resource, params: Mapping[str, str], version: Version
    ) -> Document:
        """Return one document.

        Raises:
            NotFound: There is none.
        """
        store = self._open(caller, resource, reading=True)
        found = store.find_document(_key(resource, params, version))
        if found is None:
            raise NotFound("There is no such document.")
        return found

    def list(
        self, caller: Caller, resource: Resource, params: Mapping[str, str], version: Version
    ) -> DocumentList:
        """List all documents about the same thing."""
        store = self._open(caller, resource, reading=True)
        reader = ParamReader(params, version, resource.spec)
        documents = _set(resource, reader)
        since = reader.instant(SINCE)
        reader.raise_if_wrong()
        return store.list_documents(documents, since)

    def put(
        self, caller: Caller, resource: Resource, params: Mapping[str, str], version: Version, sent: Sent
    ) -> None:
        """Make or replace a document.

        Raises:
            PreconditionFailed: As ``lrs.xapi.documents.replaced``.
            PreconditionMissing: As there.
            InvalidRequest: As there.
        """
        rules = Rules(resource.kind, version)
        self._change(
            caller,
            resource,
            _key(resource, params, version),
            lambda current: replaced(current, sent.content, sent.preconditions, rules),
        )

    def post(
        self, caller: Caller, resource: Resource, params: Mapping[str, str], version: Version, sent: Sent
    ) -> None:
        """Make a document, or merge into the one that is there.

        Raises:
            PreconditionFailed: As ``lrs.xapi.documents.merged``.
            InvalidBody: As there.
        """
        self._change(
            caller,
            resource,
            _key(resource, params, version),
            lambda current: merged(current, sent.content, sent.preconditions, self.limits),
        )

    def delete(
        self,
        caller: Caller,
        resource: Resource,
        params: Mapping[str, str],
        version: Version,
        preconditions: Preconditions,
    ) -> None:
        """Remove a document, or, of State, every document about the same thing; none there is no error.

        Raises:
            PreconditionFailed: A precondition does not hold; of a set of documents none does.
        """
        if resource.kind is DocumentKind.STATE and resource.id_name not in params:
            store = self._open(caller, resource, reading=False)
            reader = ParamReader(params, version, resource.spec)
            documents = _set(resource, reader)
            reader.raise_if_wrong()
            if not preconditions.absent:
                raise PreconditionFailed(
                    "If-Match and If-None-Match speak of one document; name it with stateId, or send neither."
                )
            store.delete_documents(documents)
            return
        self._change(
            caller,
            resource,
            _key(resource, params, version),
            lambda current: removed(current, preconditions),
        )

    def _change(self, caller: Caller, resource: Resource, key: DocumentKey, change: Change) -> None:
        self._open(caller, resource, reading=False).change_document(key, change)

    def find_place(self, caller: Caller, resource: Resource, *, reading: bool) -> InstitutionHandle:
        """Return where a caller reads, or changes, documents; ask before anything of a request is read.

        Raises:
            NotPermitted: The caller may not.
        """
        allowed = (resource.scope, Scope.ALL_READ) if reading else (resource.scope,)
        if caller.handle is None or not caller.may(*allowed):
            raise NotPermitted(
                f"These credentials may not {'read' if reading else 'change'} these documents:"
                f" the scope {resource.scope} is missing."
            )
        return caller.handle

    def _open(self, caller: Caller, resource: Resource, *, reading: bool) -> DocumentStore:
        return self._records.documents(self.find_place(caller, resource, reading=reading))


def _about(resource: Resource, reader: ParamReader) -> tuple[str, str, str | None]:
    """Read what the documents are about: activity, agent key, registration."""
    reader.require(*resource.required)
    activity = reader.iri("activityId") if "activityId" in resource.required else None
    agent = reader.agent() if "agent" in resource.required else None
    registration = reader.uuid("registration") if "registration" in resource.optional else None
    return activity or "", agent or "", registration


def _set(resource: Resource, reader: ParamReader) -> DocumentSet:
    activity, agent, registration = _about(resource, reader)
    return DocumentSet(resource.kind, activity, agent, registration)


def _key(resource: Resource, params: Mapping[str, str], version: Version) -> DocumentKey:
    reader = ParamReader(params, version, resource.spec)
    reader.require(resource.id_name)
    document_id = reader.text(resource.id_name)
    activity, agent, registration = _about(resource, reader)
    if SINCE in params:
        reader.refuse(SINCE, f"since cannot be combined with {resource.id_name}.", "parameter.combination")
    reader.raise_if_wrong()
    if document_id is None:
        message = f"{resource.id_name} is missing."
        raise InvalidParameter(
            message, [Problem(resource.id_name, "parameter.missing", message, resource.spec)]
        )
    return DocumentKey(resource.kind, document_id, activity, agent, registration)
