"""Freezing a user: `UserLogin.IsFrozen` (object reference; update needs Manage Users). Logins are refused, tokens live
on."""

from __future__ import annotations

from rotator.adapters.salesforce import queries, wire
from rotator.adapters.salesforce.failures import Act
from rotator.adapters.salesforce.ids import is_id
from rotator.adapters.salesforce.rest import Rest
from rotator.domain.errors import Refused


class Users:
    """The users of one org, as one identity sees them."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def frozen(self, user_id: str) -> bool:
        """Whether nobody logs in as this user. Raises as a read does."""
        return self._row(user_id).get("IsFrozen") is True

    def freeze(self, user_id: str, frozen: bool) -> None:
        """Freezes the user, or lets it go. Raises as a write does."""
        record = wire.text(self._row(user_id), "Id")
        self._rest.call("PATCH", f"/sobjects/UserLogin/{record}", "freezing a user", act=Act.WRITE,
                        json={"IsFrozen": frozen})  # fmt: skip

    def _row(self, user_id: str) -> wire.Row:
        what = "looking whether the user is frozen"
        soql = f"SELECT Id, IsFrozen FROM UserLogin WHERE UserId = {queries.quoted(user_id)}"  # noqa: S608 - quoted
        rows = queries.query(self._rest, soql, what).rows
        if len(rows) != 1 or not is_id(wire.text(rows[0], "Id")):
            raise Refused(f"the org shows {len(rows)} logins of this user", code="permission",
                          fix="give the responder's user Manage Users, or freeze the run-as user in Setup, Users")
        return rows[0]
