"""Institutions, clients, keys, issuers, sign-ins and sessions, as the access room's port promises them."""

import dataclasses
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import apsw

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
from lrs.stores.sqlite import sql
from lrs.stores.sqlite.connections import Readers
from lrs.stores.sqlite.errors import translated
from lrs.stores.sqlite.writer import Write, Writer

_INSTITUTION = "id, name, created_at, quota"
_CLIENT = "id, institution, name, authority, created_at"
_KEY = (
    "k.id, k.institution, k.client, k.secret, k.scopes, k.default_version, k.created_at, k.expires_at,"
    " k.revoked_at, k.last_used_at, k.rate, k.replaced_by, k.tolerances"
)
_CHANGEABLE = {
    "default_version": "default_version",
    "expires_at_us": "expires_at",
    "rate_per_minute": "rate",
    "tolerances": "tolerances",
}
_ISSUER = "id, institution, url, audience, client_claim, scope_claim, jwks_url, created_at"
_VISIT = "token, institution, role, created_at, expires_at, subject"
_KEY_COLUMNS = _KEY.count(",") + 1
_CREDENTIAL = (
    f"SELECT {_KEY}, c.name, c.authority, c.created_at, i.name, i.created_at, i.quota FROM keys k"  # noqa: S608
    " LEFT JOIN clients c ON c.id = k.client LEFT JOIN institutions i ON i.id = k.institution WHERE k.id = ?"
)


class SqliteAccessStore:
    """See lrs.access.ports.AccessStore."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        """Take the engine's parts."""
        self._readers = readers
        self._writer = writer

    def add_institution(self, institution: Institution) -> None:
        """Keep a new institution."""

        def work(write: Write) -> None:
            taken = "SELECT 1 FROM institutions WHERE id = ? OR name = ?"
            if _first(write.database, taken, institution.id, institution.name):
                raise AlreadyExists(f"There is an institution named {institution.name!r} already.")
            values = (
                institution.id,
                institution.name,
                institution.created_at_us,
                institution.statement_quota,
            )
            write.database.execute("INSERT INTO institutions VALUES (?, ?, ?, ?)", values)

        self._writer.run(work)

    def find_institution(self, institution_id: InstitutionId) -> Institution | None:
        """Return the institution of that id, or None."""
        row = self._one(f"SELECT {_INSTITUTION} FROM institutions WHERE id = ?", institution_id)  # noqa: S608
        return Institution(*row) if row else None

    def find_institution_named(self, name: str) -> Institution | None:
        """Return the institution of exactly that name, or None."""
        row = self._one(f"SELECT {_INSTITUTION} FROM institutions WHERE name = ?", name)  # noqa: S608
        return Institution(*row) if row else None

    def list_institutions(self) -> Sequence[Institution]:
        """Return all institutions by name."""
        rows = self._all(f"SELECT {_INSTITUTION} FROM institutions ORDER BY name")  # noqa: S608
        return [Institution(*row) for row in rows]

    def set_statement_quota(self, institution_id: InstitutionId, statements: int) -> bool:
        """Say how many statements an institution may hold; False when it is unknown."""

        def work(write: Write) -> bool:
            update = "UPDATE institutions SET quota = ? WHERE id = ?"
            write.database.execute(update, (statements, institution_id))
            return write.database.changes() > 0

        return self._writer.run(work)

    def add_client(self, client: Client) -> None:
        """Keep a new client."""

        def work(write: Write) -> None:
            if not _first(write.database, "SELECT 1 FROM institutions WHERE id = ?", client.institution_id):
                raise NotFound("There is no such institution.")
            taken = "SELECT 1 FROM clients WHERE id = ? OR (institution = ? AND name = ?)"
            if _first(write.database, taken, client.id, client.institution_id, client.name):
                raise AlreadyExists(f"The institution has a client named {client.name!r} already.")
            values = (client.id, client.institution_id, client.name, client.authority, client.created_at_us)
            write.database.execute("INSERT INTO clients VALUES (?, ?, ?, ?, ?)", values)

        self._writer.run(work)

    def find_client(self, client_id: ClientId) -> Client | None:
        """Return the client of that id, or None."""
        row = self._one(f"SELECT {_CLIENT} FROM clients WHERE id = ?", client_id)  # noqa: S608
        return Client(*row) if row else None

    def find_client_named(self, institution_id: InstitutionId, name: str) -> Client | None:
        """Return the institution's client of exactly that name, or None."""
        query = f"SELECT {_CLIENT} FROM clients WHERE institution = ? AND name = ?"  # noqa: S608
        row = self._one(query, institution_id, name)
        return Client(*row) if row else None

    def list_clients(self, institution_id: InstitutionId) -> Sequence[Client]:
        """Return the institution's clients by name."""
        query = f"SELECT {_CLIENT} FROM clients WHERE institution = ? ORDER BY name"  # noqa: S608
        return [Client(*row) for row in self._all(query, institution_id)]

    def add_key(self, key: Key) -> None:
        """Keep a new key."""

        def work(write: Write) -> None:
            _check_free(write.database, key.id)
            client = "SELECT 1 FROM clients WHERE id = ? AND institution = ?"
            for_administrator = key.client_id is None and key.institution_id is None
            if not for_administrator and not _first(
                write.database, client, key.client_id, key.institution_id
            ):
                raise NotFound("The institution has no such client.")
            _insert_key(write.database, key)

        self._writer.run(work)

    def find_credential(self, key_id: KeyId) -> Credential | None:
        """Return a key with its client and institution, whatever its state, or None."""
        row = self._one(_CREDENTIAL, key_id)
        return None if row is None else _to_credential(row)

    def list_keys(self, institution_id: InstitutionId | None) -> Sequence[Key]:
        """Return the institution's keys, oldest first; None gives the administrators'."""
        query = f"SELECT {_KEY} FROM keys k WHERE k.institution IS ? ORDER BY k.created_at, k.id"  # noqa: S608
        return [_to_key(row) for row in self._all(query, institution_id)]

    def rotate_key(self, key_id: KeyId, successor: Key, expires_at_us: int) -> None:
        """Keep a key's successor and let the key itself end at that moment."""

        def work(write: Write) -> None:
            row = _first(write.database, "SELECT revoked_at, replaced_by FROM keys WHERE id = ?", key_id)
            if row is None:
                raise NotFound("There is no such key.")
            if row != (None, None):
                raise Conflict("This key has been revoked or rotated already.")
            _check_free(write.database, successor.id)
            ends = "expires_at = min(coalesce(expires_at, ?2), ?2)"
            update = f"UPDATE keys SET replaced_by = ?1, {ends} WHERE id = ?3"  # noqa: S608
            write.database.execute(update, (successor.id, expires_at_us, key_id))
            _insert_key(write.database, successor)

        self._writer.run(work)

    def change_key(self, key_id: KeyId, change: KeyChange) -> None:
        """Change what is given of a key."""
        given = {_CHANGEABLE[name]: _to_cell(value) for name, value in change.given().items()}
        to = ", ".join(f"{column} = ?" for column in given)
        update = f"UPDATE keys SET {to} WHERE id = ? AND revoked_at IS NULL AND replaced_by IS NULL"  # noqa: S608

        def work(write: Write) -> None:
            if not _first(write.database, "SELECT 1 FROM keys WHERE id = ?", key_id):
                raise NotFound("There is no such key.")
            write.database.execute(update, (*given.values(), key_id))
            if write.database.changes() == 0:
                raise Conflict("This key has been revoked or rotated.")

        self._writer.run(work)

    def revoke_key(self, key_id: KeyId, at_us: int) -> bool:
        """Mark a key revoked; False when it is unknown. The first moment stays."""

        def work(write: Write) -> bool:
            update = "UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?"
            write.database.execute(update, (at_us, key_id))
            return write.database.changes() > 0

        return self._writer.run(work)

    def note_key_used(self, key_id: KeyId, at_us: int) -> None:
        """Raise the moment of last use."""
        update = "UPDATE keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?"
        self._write(update, at_us, key_id)

    def add_issuer(self, issuer: Issuer) -> None:
        """Keep an issuer whose tokens are trusted."""
        values = (
            issuer.id,
            issuer.institution_id,
            issuer.url,
            issuer.audience,
            issuer.client_claim,
            issuer.scope_claim,
            issuer.jwks_url,
            issuer.created_at_us,
        )

        def work(write: Write) -> None:
            if not _first(write.database, "SELECT 1 FROM institutions WHERE id = ?", issuer.institution_id):
                raise NotFound("There is no such institution.")
            taken = "SELECT 1 FROM issuers WHERE id = ? OR (url = ? AND audience = ?)"
            if _first(write.database, taken, issuer.id, issuer.url, issuer.audience):
                raise AlreadyExists("That issuer is trusted already with that audience.")
            write.database.execute("INSERT INTO issuers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

        self._writer.run(work)

    def find_issuers(self, url: str) -> Sequence[Issuer]:
        """Return the issuers of exactly that URL, by audience."""
        query = f"SELECT {_ISSUER} FROM issuers WHERE url = ? ORDER BY audience"  # noqa: S608
        return [Issuer(*row) for row in self._all(query, url)]

    def list_issuers(self, institution_id: InstitutionId | None) -> Sequence[Issuer]:
        """Return the institution's issuers, oldest first; None gives those of all."""
        whose = "WHERE ?1 IS NULL OR institution = ?1"
        query = f"SELECT {_ISSUER} FROM issuers {whose} ORDER BY created_at, id"  # noqa: S608
        return [Issuer(*row) for row in self._all(query, institution_id)]

    def remove_issuer(self, issuer_id: IssuerId) -> bool:
        """Forget an issuer; False when it is unknown."""

        def work(write: Write) -> bool:
            write.database.execute("DELETE FROM issuers WHERE id = ?", (issuer_id,))
            return write.database.changes() > 0

        return self._writer.run(work)

    def add_sign_in(self, sign_in: SignIn) -> None:
        """Keep a sign-in link; expired ones are dropped on the way."""
        self._add_token("sign_ins", sign_in)

    def take_sign_in(self, token_sha256: bytes, at_us: int) -> SignIn | None:
        """Use up a sign-in link: the first taker before its expiry gets it, others None."""

        def work(write: Write) -> Any:
            taken = f"DELETE FROM sign_ins WHERE token = ? AND expires_at > ? RETURNING {_VISIT}"  # noqa: S608
            return _first(write.database, taken, token_sha256, at_us)

        row = self._writer.run(work)
        return SignIn(*row) if row else None

    def add_session(self, session: Session) -> None:
        """Keep a session; sessions expired at its creation are dropped on the way."""
        self._add_token("sessions", session)

    def find_session(self, token_sha256: bytes, at_us: int) -> Session | None:
        """Return the session if it has not expired at that moment, else None."""
        query = f"SELECT {_VISIT} FROM sessions WHERE token = ? AND expires_at > ?"  # noqa: S608
        row = self._one(query, token_sha256, at_us)
        return Session(*row) if row else None

    def end_session(self, token_sha256: bytes) -> None:
        """Forget a session; nothing happens when it is unknown."""
        self._write("DELETE FROM sessions WHERE token = ?", token_sha256)

    def _add_token(self, table: str, kept: SignIn | Session) -> None:
        values = dataclasses.astuple(kept)

        def work(write: Write) -> None:
            write.database.execute(f"DELETE FROM {table} WHERE expires_at <= ?", (kept.created_at_us,))  # noqa: S608
            write.database.execute(f"INSERT INTO {table} ({_VISIT}) VALUES (?, ?, ?, ?, ?, ?)", values)  # noqa: S608

        self._writer.run(work)

    def _write(self, statement: str, *values: object) -> None:
        def work(write: Write) -> None:
            sql.rows(write.database, statement, values)

        self._writer.run(work)

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        with translated():
            return _first(self._readers.get(), statement, *values)

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with translated():
            return sql.rows(self._readers.get(), statement, values)


def _first(database: apsw.Connection, statement: str, *values: object) -> tuple[Any, ...] | None:
    found: tuple[Any, ...] | None = sql.row(database, statement, values)
    return found


def _check_free(database: apsw.Connection, key_id: KeyId) -> None:
    if _first(database, "SELECT 1 FROM keys WHERE id = ?", key_id):
        raise AlreadyExists("There is a key of that id already.")


def _insert_key(database: apsw.Connection, key: Key) -> None:
    values = _key_values(key)
    database.execute(f"INSERT INTO keys VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608


def _to_cell(value: object) -> object:
    return " ".join(sorted(value)) if isinstance(value, frozenset) else value


def _key_values(key: Key) -> tuple[Any, ...]:
    return (
        key.id,
        key.institution_id,
        key.client_id,
        key.secret_sha256,
        " ".join(sorted(key.scopes)),
        key.default_version,
        key.created_at_us,
        key.expires_at_us,
        key.revoked_at_us,
        key.last_used_at_us,
        key.rate_per_minute,
        key.replaced_by,
        " ".join(sorted(key.tolerances)),
    )


@lru_cache(maxsize=1024)
def _to_credential(row: tuple[Any, ...]) -> Credential:
    """Make the objects of a row; remembered by all that stands in it, so never older than the row."""
    key = _to_key(row[:_KEY_COLUMNS])
    client_name, authority, client_made, name, made, quota = row[_KEY_COLUMNS:]
    if key.institution_id is None or key.client_id is None:
        return Credential(key, None, None)
    return Credential(
        key,
        Client(key.client_id, key.institution_id, client_name, authority, client_made),
        Institution(key.institution_id, name, made, quota),
    )


def _to_key(row: tuple[Any, ...]) -> Key:
    values = list(row)
    values[4] = frozenset(Scope(name) for name in values[4].split())
    values[-1] = frozenset(Tolerance(name) for name in values[-1].split())
    return Key(*values)
