"""PUT: one statement, under the id that the request names.

Spec: xAPI 1.0.3 Communication 2.1.1; xAPI 2.0 4.1.6.1.
"""

from lrs.errors import InvalidParameter, InvalidStatement, Problem
from lrs.xapi.ports import StatementId
from lrs.xapi.reader import ReadBody
from lrs.xapi.scalars import is_uuid
from lrs.xapi.versions import Version


def named_id(statement_id: str | None, version: Version) -> StatementId:
    """Return the id that a request names.

    Raises:
        InvalidParameter: There is none, or it is no UUID.
    """
    if statement_id is None:
        message = "PUT needs the parameter statementId."
    elif not is_uuid(statement_id):
        message = "statementId must be a UUID."
    else:
        return StatementId(statement_id)
    raise InvalidParameter(message, [Problem("statementId", "parameter.value", message, _section(version))])


def check_one(read: ReadBody, version: Version) -> None:
    """Refuse a batch.

    Raises:
        InvalidStatement: It is one.
    """
    if read.is_batch:
        problem = Problem(
            "", "put.one-statement", "Send one statement object, or use POST.", _section(version)
        )
        raise InvalidStatement("PUT takes one statement, not an array.", [problem])


def check_same_id(value: object, named: StatementId, version: Version) -> None:
    """Refuse a statement that carries another id than the request names.

    Raises:
        InvalidStatement: It does.
    """
    sent = value.get("id") if isinstance(value, dict) else None
    if isinstance(sent, str) and sent.lower() != named.lower():
        message = f"The statement's id is not the one that the request names ({named})."
        raise InvalidStatement(message, [Problem("/id", "put.same-id", message, _section(version))])


def _section(version: Version) -> str:
    return "xAPI 2.0 4.1.6.1" if version is Version.V2_0_0 else "xAPI 1.0.3 Communication 2.1.1"
