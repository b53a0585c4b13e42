"""What the tests of the access store keep in it."""

from lrs.access.handles import InstitutionId
from lrs.access.model import Client, ClientId, Institution, Key, KeyId, Scope, Tolerance

NOW = 1_700_000_000_123_456
SCHOOL = Institution(InstitutionId("school0001"), "Harbour School", NOW)
MUSEUM = Institution(InstitutionId("museum0001"), "Museum of Tides", NOW + 1)
AUTHORITY = '{"objectType":"Agent","account":{"homePage":"https://lrs.example","name":"gate"}}'
GATE = Client(ClientId("client-gate"), SCHOOL.id, "gate", AUTHORITY, NOW + 2)
KEY = Key(
    KeyId("key-1"),
    SCHOOL.id,
    GATE.id,
    bytes(range(32)),
    frozenset({Scope.ALL, Scope.STATEMENTS_READ_MINE}),
    "2.0.0",
    NOW + 3,
    expires_at_us=NOW + 1_000_001,
    tolerances=frozenset({Tolerance.MBOX_SCHEME, Tolerance.NULL_PROPERTY}),
)
