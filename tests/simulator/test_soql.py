"""The subset of SOQL answers as Salesforce does, and refuses what Salesforce refuses."""

from __future__ import annotations

import pytest

from rotator.simulator.org.soql import Moment, Row, SoqlError, parse, select
from tests.simulator.sim import DATA, Sim

NAMES = "SELECT Name FROM T"
OWNERS = {"AuthSession": "SELECT UsersId FROM AuthSession", "LoginHistory": "SELECT UserId FROM LoginHistory",
          "OauthToken": "SELECT UserId FROM OauthToken"}  # fmt: skip
POLICY = """SELECT Id, ClientCredentialsFlowUser, IsClientCredentialsFlowEnabled, SessionTimeoutInMinutes
    FROM ExtlClntAppOauthPlcyCnfg WHERE ExternalClientApplicationId='{app}'"""
RIGHTS = """SELECT PermissionSet.Name, PermissionSet.PermissionsViewClientSecret
    FROM PermissionSetAssignment WHERE AssigneeId='{user}'"""
MALFORMED = ("", "SELECT", "SELECT Id FROM", "SELECT Id FROM T WHERE", "SELECT Id FROM T LIMIT x",
             "SELECT Id FROM T WHERE Id = 'x", "SELECT Id FROM T;", "SELECT Id FROM T WHERE Id = y")  # fmt: skip
ROWS: list[Row] = [
    {"Id": "005000000000001AAA", "Name": "Ada", "Uses": 3, "At": Moment(1790000000), "Deep": {"Name": "x"}, "On": True},
    {"Id": "005000000000002AAA", "Name": "Bob", "Uses": 1, "At": Moment(1790000100), "Deep": None, "On": False},
    {"Id": "005000000000003AAA", "Name": "O'Hara", "Uses": None, "At": None, "Deep": {"Name": "y"}, "On": True},
]


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Name = 'ada'", ["Ada"]),
        ("Name != 'Ada'", ["Bob", "O'Hara"]),
        ("Name = 'O\\'Hara'", ["O'Hara"]),
        ("Name LIKE '%a%'", ["Ada", "O'Hara"]),
        ("Uses > 1", ["Ada"]),
        ("Uses = null", ["O'Hara"]),
        ("On = true AND Uses >= 3", ["Ada"]),
        ("Name = 'Bob' OR (On = TRUE AND Uses = null)", ["Bob", "O'Hara"]),
        ("NOT Name = 'Bob'", ["Ada", "O'Hara"]),
        ("Id IN ('005000000000001', '005000000000003AAA')", ["Ada", "O'Hara"]),
        ("Name NOT IN ('Ada')", ["Bob", "O'Hara"]),
        ("At >= 2026-09-21T14:15:00Z", ["Bob"]),
        ("At < 2026-09-21T14:15:00.000+0000", ["Ada"]),
        ("Deep.Name = 'x'", ["Ada"]),
    ],
)
def test_a_condition_selects_its_rows(where: str, names: list[str]) -> None:
    """Each kind of condition on plain rows; ids match by their first fifteen characters."""
    parsed = parse(f"{NAMES} WHERE {where}")
    assert [row["Name"] for row in select(parsed, ROWS)] == names


@pytest.mark.parametrize(
    ("tail", "names"),
    [
        ("ORDER BY Name DESC", ["O'Hara", "Bob", "Ada"]),
        ("ORDER BY Uses", ["O'Hara", "Bob", "Ada"]),
        ("ORDER BY Name LIMIT 1", ["Ada"]),
        ("ORDER BY Name LIMIT 1 OFFSET 2", ["O'Hara"]),
        ("ORDER BY Name ASC NULLS LAST OFFSET 1", ["Bob", "O'Hara"]),
    ],
)
def test_rows_come_in_order_and_in_parts(tail: str, names: list[str]) -> None:
    """ORDER BY puts nulls first; LIMIT and OFFSET cut."""
    assert [row["Name"] for row in select(parse(f"{NAMES} {tail}"), ROWS)] == names


def test_groups_are_counted_by_value() -> None:
    """GROUP BY gives each value once, with its count as expr0."""
    rows = select(parse("SELECT On, COUNT(Id) FROM T GROUP BY On"), ROWS)
    assert {(row["On"], row["expr0"]) for row in rows} == {(True, 2), (False, 1)}


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_query_is_refused(text: str) -> None:
    """What cannot be parsed is MALFORMED_QUERY."""
    with pytest.raises(SoqlError) as caught:
        parse(text)
    assert caught.value.code == "MALFORMED_QUERY"


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Nothing FROM User", "INVALID_FIELD"),
        ("SELECT Id FROM User WHERE Nothing = 1", "INVALID_FIELD"),
        ("SELECT Id FROM User WHERE", "MALFORMED_QUERY"),
        ("SELECT ClientId FROM LoginHistory", "INVALID_FIELD"),
    ],
)
def test_an_org_refuses_by_code(sim: Sim, soql: str, code: str) -> None:
    """Unknown types and fields are 400 with the errorCode of Salesforce."""
    reply = sim.query(soql)
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, code)


def test_oauth_tokens_stop_at_their_cap_silently(sim: Sim) -> None:
    """500 rows a page, 2,500 in all though COUNT() knows of more; Id is always null; OFFSET reaches the rest."""
    sim.admin("PATCH", "/orgs/acme", {"logins_per_hour": 10_000})
    for _ in range(2550):
        sim.login(*sim.old)
    count = sim.query("SELECT COUNT() FROM OauthToken").json()["totalSize"]
    page = sim.query("SELECT Id, DeleteToken FROM OauthToken").json()
    pages, rows = 1, list(page["records"])
    while not page["done"]:
        page = sim.org.get(page["nextRecordsUrl"]).json()
        pages, rows = pages + 1, rows + page["records"]
    assert (count, pages, len(rows)) == (2551, 5, 2500)
    assert len({row["DeleteToken"] for row in rows}) == 2500
    assert {row["Id"] for row in rows} == {None}
    assert len(sim.records("SELECT Id FROM OauthToken LIMIT 2500 OFFSET 2500")) == 51


def test_rows_of_others_need_their_permission(sim: Sim) -> None:
    """Without Manage Users a caller sees its own sessions and logins only."""
    sim.token(sim.old)
    sim.admin("PATCH", f"/orgs/acme/users/{sim.acme['admin']['username']}", {"permissions": ["ApiEnabled"]})
    for table, soql in OWNERS.items():
        field = "UsersId" if table == "AuthSession" else "UserId"
        owners = {row[field] for row in sim.records(soql)}
        assert owners == {sim.acme["admin"]["user_id"]}


def test_the_tables_of_the_preflight_answer(sim: Sim) -> None:
    """Flow, permissions, organization and apps are found the way reference section 8 asks for them."""
    app, user = sim.billing["app_id"], sim.acme["admin"]["user_id"]
    policy = sim.records(POLICY.format(app=app[:15]))
    assert [row["ClientCredentialsFlowUser"] for row in policy] == [sim.billing["username"]]
    rights = sim.records(RIGHTS.format(user=user))
    assert rights[0]["PermissionSet"]["PermissionsViewClientSecret"] is True
    assert sim.records("SELECT Id FROM Organization")[0]["Id"] == sim.acme["org_id"]
    names = sim.records("SELECT DeveloperName FROM ExternalClientApplication")
    assert {row["DeveloperName"] for row in names} > {"Billing_Sync", "Order_Export"}


def test_a_session_leads_to_its_app_through_its_login(sim: Sim) -> None:
    """AuthSession has no app; LoginHistory behind it has. The caller's own session is marked current."""
    sim.token(sim.old)
    rows = sim.records(
        "SELECT Id, UsersId, IsCurrent, LoginHistory.Application, LoginHistory.LoginSubType FROM AuthSession"
    )
    by_app = {row["LoginHistory"]["Application"]: row["IsCurrent"] for row in rows}
    assert by_app == {"Rotator Admin": True, "Billing Sync": False}
    assert {row["LoginHistory"]["LoginSubType"] for row in rows} == {"OauthClientCredentials"}
    assert sim.org.get(f"{DATA}/sobjects/AuthSession/{rows[0]['Id']}").json()["Id"] == rows[0]["Id"]
