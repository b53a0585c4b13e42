"""The AccessStore on MongoDB.

A key's document carries its client and institution, so that a credential is one look-up by
``_id``. A client never changes; of an institution only the quota does, and ``rev`` counts
its changes, so that copies of it are only ever replaced by newer ones.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bson import Int64
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from lrs.access.handles import InstitutionId
from lrs.access.model import (
    Client,
    ClientId,
    Credential,
    Institution,
    Issuer,
    IssuerId,
    Key,
    KeyChange,
    KeyId,
    Scope,
    Session,
    SignIn,
    Tolerance,
)
from lrs.errors import AlreadyExists, Conflict, NotFound
from lrs.stores.mongo.database import Collections
from lrs.stores.mongo.errors import translated
from lrs.stores.mongo.segment import Document

_CHANGEABLE = {
    "default_version": "version",
    "expires_at_us": "expires",
    "rate_per_minute": "rate",
    "tolerances": "tolerances",
}


class MongoAccessStore:
    """Institutions, clients, keys, issuers, sign-in links and sessions."""

    def __init__(self, collections: Collections) -> None:
        """Keep where they lie."""
        self._institutions = collections.institutions
        self._clients = collections.clients
        self._keys = collections.keys
        self._issuers = collections.issuers
        self._sign_ins = collections.sign_ins
        self._sessions = collections.sessions

    @translated()
    def add_institution(self, institution: Institution) -> None:
        """Keep a new institution; see the port."""
        taken = f"There is an institution of that id or of the name {institution.name!r} already."
        _insert(self._institutions, _institution_document(institution), taken)

    @translated()
    def find_institution(self, institution_id: InstitutionId) -> Institution | None:
        """Return the institution of that id, or None."""
        found = self._institutions.find_one({"_id": institution_id})
        return None if found is None else _institution_from(found)

    @translated()
    def find_institution_named(self, name: str) -> Institution | None:
        """Return the institution of exactly that name, or None."""
        found = self._institutions.find_one({"name": name})
        return None if found is None else _institution_from(found)

    @translated()
    def list_institutions(self) -> Sequence[Institution]:
        """Return all institutions by name."""
        found = (_institution_from(document) for document in self._institutions.find())
        return sorted(found, key=lambda institution: institution.name)

    @translated()
    def set_statement_quota(self, institution_id: InstitutionId, statements: int) -> bool:
        """Say how many statements an institution may hold; False when it is unknown."""
        change = {"$set": {"quota": Int64(statements)}, "$inc": {"rev": 1}}
        if self._institutions.update_one({"_id": institution_id}, change).matched_count == 0:
            return False
        self._freshen(institution_id, {"institution_id": institution_id})
        return True

    @translated()
    def add_client(self, client: Client) -> None:
        """Keep a new client; see the port."""
        if self.find_institution(client.institution_id) is None:
            raise NotFound(f"There is no institution {client.institution_id}.")
        taken = f"There is a client of that id or of the name {client.name!r} already."
        _insert(self._clients, _client_document(client), taken)

    @translated()
    def find_client(self, client_id: ClientId) -> Client | None:
        """Return the client of that id, or None."""
        found = self._clients.find_one({"_id": client_id})
        return None if found is None else _client_from(found)

    @translated()
    def find_client_named(self, institution_id: InstitutionId, name: str) -> Client | None:
        """Return the institution's client of exactly that name, or None."""
        found = self._clients.find_one({"institution_id": institution_id, "name": name})
        return None if found is None else _client_from(found)

    @translated()
    def list_clients(self, institution_id: InstitutionId) -> Sequence[Client]:
        """Return the institution's clients by name."""
        found = (_client_from(one) for one in self._clients.find({"institution_id": institution_id}))
        return sorted(found, key=lambda client: client.name)

    @translated()
    def add_key(self, key: Key) -> None:
        """Keep a new key; see the port."""
        document = _key_document(key)
        if key.institution_id is None and key.client_id is None:
            _insert(self._keys, document, f"There is a key {key.id} already.")
            return
        client = None if key.client_id is None else self.find_client(key.client_id)
        institution = self._institutions.find_one({"_id": key.institution_id})
        if client is None or institution is None or client.institution_id != institution["_id"]:
            raise NotFound(f"Institution {key.institution_id} has no client {key.client_id}.")
        document |= {"client": _client_document(client), "institution": institution}
        _insert(self._keys, document, f"There is a key {key.id} already.")
        self._freshen(key.institution_id, {"_id": key.id})

    def _freshen(self, institution_id: InstitutionId | None, keys: Document) -> None:
        """Give keys the newest copy of their institution.

        Until a look finds nothing to write: whoever wrote looks again behind that, so no older
        copy stays, also where a key was made, or another quota set, in the middle of the write.
        """
        older = 1
        while older:
            newest = self._institutions.find_one({"_id": institution_id})
            if newest is None:
                return
            asked = keys | {"institution.rev": {"$lt": newest["rev"]}}
            older = self._keys.update_many(asked, {"$set": {"institution": newest}}).matched_count

    @translated()
    def find_credential(self, key_id: KeyId) -> Credential | None:
        """Return a key with its client and institution, or None: one look-up."""
        found = self._keys.find_one({"_id": key_id})
        if found is None:
            return None
        client, institution = found["client"], found["institution"]
        return Credential(
            _key_from(found),
            None if client is None else _client_from(client),
            None if institution is None else _institution_from(institution),
        )

    @translated()
    def list_keys(self, institution_id: InstitutionId | None) -> Sequence[Key]:
        """Return the institution's keys, oldest first; None gives the administrators'."""
        found = (_key_from(one) for one in self._keys.find({"institution_id": institution_id}))
        return sorted(found, key=lambda key: (key.created_at_us, key.id))

    @translated()
    def rotate_key(self, key_id: KeyId, successor: Key, expires_at_us: int) -> None:
        """Keep a key's successor and let the key itself end at that moment.

        The successor comes first: a process that dies in between leaves a key whose secret
        nobody was told, and the old one as it was.
        """
        found = self._keys.find_one({"_id": key_id})
        if found is None:
            raise NotFound("There is no such key.")
        self.add_key(successor)
        still = {"_id": key_id, "revoked": None, "replaced_by": None}
        ends = min(found["expires"] or expires_at_us, expires_at_us)
        change = {"$set": {"replaced_by": successor.id, "expires": Int64(ends)}}
        if self._keys.update_one(still, change).matched_count == 0:
            self._keys.delete_one({"_id": successor.id})
            raise Conflict("This key has been revoked or rotated already.")

    @translated()
    def change_key(self, key_id: KeyId, change: KeyChange) -> None:
        """Change what is given of a key."""
        still = {"_id": key_id, "revoked": None, "replaced_by": None}
        values = {_CHANGEABLE[name]: _to_field(value) for name, value in change.given().items()}
        if self._keys.update_one(still, {"$set": values}).matched_count == 1:
            return
        if self._keys.find_one({"_id": key_id}, {"_id": 1}) is None:
            raise NotFound("There is no such key.")
        raise Conflict("This key has been revoked or rotated.")

    @translated()
    def revoke_key(self, key_id: KeyId, at_us: int) -> bool:
        """Mark a key revoked; False when it is unknown. The first moment stays."""
        asked = {"_id": key_id, "revoked": None}
        done = self._keys.update_one(asked, {"$set": {"revoked": Int64(at_us)}})
        return done.matched_count == 1 or self._keys.find_one({"_id": key_id}, {"_id": 1}) is not None

    @translated()
    def note_key_used(self, key_id: KeyId, at_us: int) -> None:
        """Raise the moment of last use."""
        self._keys.update_one({"_id": key_id}, {"$max": {"used": Int64(at_us)}})

    @translated()
    def add_issuer(self, issuer: Issuer) -> None:
        """Keep an issuer whose tokens are trusted; see the port."""
        if self.find_institution(issuer.institution_id) is None:
            raise NotFound("There is no such institution.")
        taken = "That issuer is trusted already with that audience."
        _insert(self._issuers, _issuer_document(issuer), taken)

    @translated()
    def find_issuers(self, url: str) -> Sequence[Issuer]:
        """Return the issuers of exactly that URL, by audience."""
        found = (_issuer_from(one) for one in self._issuers.find({"url": url}))
        return sorted(found, key=lambda issuer: issuer.audience)

    @translated()
    def list_issuers(self, institution_id: InstitutionId | None) -> Sequence[Issuer]:
        """Return the institution's issuers, oldest first; None gives those of all."""
        asked = {} if institution_id is None else {"institution_id": institution_id}
        found = (_issuer_from(one) for one in self._issuers.find(asked))
        return sorted(found, key=lambda issuer: (issuer.created_at_us, issuer.id))

    @translated()
    def remove_issuer(self, issuer_id: IssuerId) -> bool:
        """Forget an issuer; False when it is unknown."""
        return self._issuers.delete_one({"_id": issuer_id}).deleted_count > 0

    @translated()
    def add_sign_in(self, sign_in: SignIn) -> None:
        """Keep a sign-in link; expired ones are dropped on the way."""
        self._sign_ins.delete_many({"expires": {"$lte": Int64(sign_in.created_at_us)}})
        self._sign_ins.insert_one({**_pass_document(sign_in), "taken": None})

    @translated()
    def take_sign_in(self, token_sha256: bytes, at_us: int) -> SignIn | None:
        """Use up a sign-in link: the first taker before its expiry gets it, others None."""
        asked = {"_id": token_sha256.hex(), "taken": None, "expires": {"$gt": Int64(at_us)}}
        found = self._sign_ins.find_one_and_update(asked, {"$set": {"taken": Int64(at_us)}})
        return None if found is None else SignIn(**_pass_fields(found))

    @translated()
    def add_session(self, session: Session) -> None:
        """Keep a session; sessions expired at its creation are dropped on the way."""
        self._sessions.delete_many({"expires": {"$lte": Int64(session.created_at_us)}})
        self._sessions.insert_one(_pass_document(session))

    @translated()
    def find_session(self, token_sha256: bytes, at_us: int) -> Session | None:
        """Return the session if it has not expired at that moment, else None."""
        found = self._sessions.find_one({"_id": token_sha256.hex(), "expires": {"$gt": Int64(at_us)}})
        return None if found is None else Session(**_pass_fields(found))

    @translated()
    def end_session(self, token_sha256: bytes) -> None:
        """Forget a session."""
        self._sessions.delete_one({"_id": token_sha256.hex()})


def _insert(collection: Collection[Document], document: Document, taken: str) -> None:
    try:
        collection.insert_one(document)
    except DuplicateKeyError as error:
        raise AlreadyExists(taken) from error


def _institution_document(institution: Institution) -> Document:
    # The count stands before what it counts: a copy made field by field (mongomock) is then
    # at worst counted too old, and copied again.
    return {
        "_id": institution.id,
        "rev": 0,
        "name": institution.name,
        "created": Int64(institution.created_at_us),
        "quota": Int64(institution.statement_quota),
    }


def _institution_from(document: Mapping[str, Any]) -> Institution:
    return Institution(document["_id"], document["name"], document["created"], document["quota"])


def _client_document(client: Client) -> Document:
    return {
        "_id": client.id,
        "institution_id": client.institution_id,
        "name": client.name,
        "authority": client.authority,
        "created": Int64(client.created_at_us),
    }


def _client_from(document: Mapping[str, Any]) -> Client:
    return Client(
        document["_id"],
        document["institution_id"],
        document["name"],
        document["authority"],
        document["created"],
    )


def _issuer_document(issuer: Issuer) -> Document:
    return {
        "_id": issuer.id,
        "institution_id": issuer.institution_id,
        "url": issuer.url,
        "audience": issuer.audience,
        "client_claim": issuer.client_claim,
        "scope_claim": issuer.scope_claim,
        "jwks_url": issuer.jwks_url,
        "created": Int64(issuer.created_at_us),
    }


def _issuer_from(document: Mapping[str, Any]) -> Issuer:
    return Issuer(
        document["_id"],
        document["institution_id"],
        document["url"],
        document["audience"],
        document["client_claim"],
        document["scope_claim"],
        document["jwks_url"],
        document["created"],
    )


def _key_document(key: Key) -> Document:
    document: Document = {
        "_id": key.id,
        "institution_id": key.institution_id,
        "client_id": key.client_id,
        "secret": key.secret_sha256,
        "scopes": sorted(key.scopes),
        "version": key.default_version,
        "created": Int64(key.created_at_us),
        "expires": _instant(key.expires_at_us),
        "revoked": _instant(key.revoked_at_us),
        "rate": key.rate_per_minute,
        "replaced_by": key.replaced_by,
        "tolerances": sorted(key.tolerances),
        "client": None,
        "institution": None,
    }
    if key.last_used_at_us is not None:
        # Not null before the first use: servers and emulators differ in how $max meets null.
        document["used"] = Int64(key.last_used_at_us)
    return document


def _to_field(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return Int64(value) if isinstance(value, int) else value


def _key_from(document: Mapping[str, Any]) -> Key:
    return Key(
        document["_id"],
        document["institution_id"],
        document["client_id"],
        bytes(document["secret"]),
        frozenset(Scope(scope) for scope in document["scopes"]),
        document["version"],
        document["created"],
        document["expires"],
        document["revoked"],
        document.get("used"),
        document["rate"],
        document["replaced_by"],
        frozenset(Tolerance(name) for name in document.get("tolerances", ())),
    )


def _instant(at_us: int | None) -> Int64 | None:
    return None if at_us is None else Int64(at_us)


def _pass_document(one: SignIn | Session) -> Document:
    return {
        "_id": one.token_sha256.hex(),
        "institution_id": one.institution_id,
        "role": one.role,
        "created": Int64(one.created_at_us),
        "expires": Int64(one.expires_at_us),
        "subject": one.subject,
    }


def _pass_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "token_sha256": bytes.fromhex(document["_id"]),
        "institution_id": document["institution_id"],
        "role": document["role"],
        "created_at_us": document["created"],
        "expires_at_us": document["expires"],
        "subject": document.get("subject"),
    }
