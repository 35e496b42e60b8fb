"""What the package says, and that nobody can change it unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from rotator.adapters.signing import PublicKey
from rotator.evidence import package
from tests.acceptance.people import OTHER
from tests.canary.silence import assert_silent
from tests.evidence.conftest import REASON, Case, key_pair

Json = dict[str, Any]
CLOCKS = ["decision", "accepted", "live", "retired", "refused", "sessions_ended", "sessions_dead", "proven"]


def test_every_clock_is_the_time_of_a_row_of_the_trail(case: Case) -> None:
    """All eight have stopped, in this order, each at the row that it names; seconds count from the decision."""
    told, rows = case.document["story"], {row["seq"]: row for row in case.document["rows"]}
    assert [one["name"] for one in told["clocks"]] == CLOCKS
    assert told["not_reached"] == []
    start = datetime.fromisoformat(told["clocks"][0]["at"])
    for one in told["clocks"]:
        assert rows[one["seq"]]["ts"] == one["at"]
        assert one["seconds"] == round((datetime.fromisoformat(one["at"]) - start).total_seconds(), 3)
    assert told["clocks"][-1]["at"] == max(one["at"] for one in told["clocks"])


def test_peoples_time_is_told_apart(case: Case) -> None:
    """The approval took the time between two rows before the decision; who asked and who approved is told."""
    told, approvals = case.document["story"], case.document["approvals"]
    assert [row["outcome"] for row in approvals] == ["held", "ok"]
    assert told["human"]["approval_s"] > 0
    assert told["human"]["approved_at"] < told["clocks"][0]["at"]
    order = told["order"]
    assert (order["approver"], order["ticket"], order["reason"]) == (OTHER, "INC-7", REASON)
    assert {one["actor"] for one in told["actors"]} == {order["actor"], OTHER}


def test_the_blast_radius_is_what_was_gathered_and_what_was_ended(case: Case) -> None:
    """Logins by source, every grant that was named, versions of the live path; who could read it is said to be unknown;
    the user's rights were asked of the org, with the time."""
    told, anew = case.document["story"]["blast_radius"], case.document["asked_anew"]
    assert (told["logins"]["total"], sum(told["logins"]["counts"].values())) == (3, 3)
    assert sum(sum(one["ended"].values()) for one in told["ended"]) > 0
    assert all(one["named"] for one in told["ended"])
    vault = told["vault"]
    assert (vault["path"], vault["destroyed"]) == ("salesforce/acme/billing", [vault["old_version"]])
    assert vault["readers"].startswith("unknown")
    assert anew["at"] == case.document["made_at"] > case.rotation["ended_at"]
    assert {row.get("Profile.Name") for row in anew["sights"]["rights"]["rows"]} > {None}
    assert [row["is"] for row in anew["sights"]["staged"]["rows"]] == ["new"]


def test_an_attackers_act_stands_in_the_package(case: Case) -> None:
    """Before the first change of ours the org showed who had staged a pair; since the decision, that we deleted it, and
    what we did. Both are told with their names, in the page too."""
    before, since = case.document["story"]["changes"], case.document["asked_anew"]["sights"]["changes"]
    (act,) = before["rows"]
    assert (act["Action"], act["CreatedBy.Username"]) == ("stagedCredentials", "admin@acme.example")
    assert (before["complete"], before["counts"]) == (True, {"stagedCredentials": 1})
    assert {row["CreatedBy.Username"] for row in since["rows"]} == {"rotator@acme.example"}
    assert since["counts"] == {"deletedCredentials": 2, "stagedCredentials": 1, "rotatedCredentials": 1}
    assert act["Display"] in case.file.with_suffix(".html").read_text()


def test_what_could_not_be_seen_is_said(case: Case, tmp_path: Path) -> None:
    """The right to see Setup is missing by now: that is not told as no change, neither in the package nor in its
    page."""
    user, file = "/orgs/acme/users/rotator@acme.example", tmp_path / "blind.json"
    rights = case.scene.door("PATCH", user, {})["permissions"]
    case.scene.door("PATCH", user, {"permissions": [right for right in rights if right != "ViewSetup"]})
    done = case.scene.json("evidence", case.rotation["rotation_id"], "--out", str(file))
    case.scene.door("PATCH", user, {"permissions": rights})
    assert done.code == 0, done.err
    told = json.loads(file.read_text())
    sight = told["asked_anew"]["sights"]["changes"]
    assert (sight["complete"], sight["rows"], len(sight["notes"])) == (False, [], 1)
    assert "SetupAuditTrail" in sight["notes"][0]
    assert "Unknown how many entries" in file.with_suffix(".html").read_text()
    assert told["story"]["changes"] == case.document["story"]["changes"]


def test_the_files_hold_no_secret_and_are_their_owners_alone(case: Case) -> None:
    """Every secret and token that org and Vault ever gave out is searched for in both; mode 0600. A token begins with
    the org's id and `!`: the package has that id, perhaps with the letter behind it that the token goes on with."""
    org = case.scene.world["orgs"]["acme"]["org_id"][:15] + "!"
    secrets = {f"secret {number}": text.removeprefix(org) for number, text in enumerate(case.scene.secrets())}
    beside = case.file.with_suffix(".html")
    assert len(secrets) > 10
    assert min(assert_silent({"json": case.file, "page": beside}, secrets).values()) > 10_000
    assert {file.stat().st_mode & 0o777 for file in (case.file, beside)} == {0o600}


def test_a_whole_package_verifies_offline(case: Case, tmp_path: Path) -> None:
    """With the public key alone: no configuration, no database."""
    nowhere = tmp_path / "none.toml"
    done = case.scene.json("--config", str(nowhere), "evidence", "verify", str(case.file), "--public-key",
                           str(case.public))  # fmt: skip
    assert (done.code, done.told["ok"], done.told["wrong"]) == (0, True, []), done.out
    assert done.told["page"] == str(case.file.with_suffix(".html"))


def test_without_a_key_from_outside_nothing_is_verified(case: Case, tmp_path: Path) -> None:
    """Exit 2 where neither a file nor the configuration names one; the key of somebody else is named as wrong."""
    plain = tmp_path / "rotator.toml"
    plain.write_text(case.scene.config.read_text().replace('signing_key_file = "audit.pem"', ""))
    no = case.scene.json("--config", str(plain), "evidence", "verify", str(case.file))
    assert (no.code, "--public-key" in no.told["errors"][0]["fix"]) == (2, True), no.out
    other = case.scene.json("evidence", "verify", str(case.file), "--public-key", str(key_pair(tmp_path, "other")))
    assert (other.code, "another key" in other.told["wrong"][0]) == (1, True)


def hide_actor(told: Json) -> None:
    told["rows"][3]["actor"] = "nobody"


def drop_row(told: Json) -> None:
    del told["rows"][5]


def faster(told: Json) -> None:
    told["story"]["clocks"][-1]["seconds"] = 1.0


def fewer_logins(told: Json) -> None:
    told["asked_anew"]["sights"]["logins"]["rows"] = []


def other_state(told: Json) -> None:
    told["rotation"]["state"] = "failed"


def no_sum(told: Json) -> None:
    del told["checksums"]["rows"]


def no_rows(told: Json) -> None:
    del told["rows"]


def unsigned(told: Json) -> None:
    told["signature"] = {"algorithm": "Ed25519", "key_id": None, "value": None}


@pytest.mark.parametrize(("change", "words"), [
    (hide_actor, "was changed"), (drop_row, "does not follow"), (faster, "clocks is not what the rows"),
    (fewer_logins, "section asked_anew"), (other_state, "section rotation"), (no_sum, "section rows"),
    (no_rows, "damaged"), (unsigned, "not signed"),
])  # fmt: skip
def test_every_change_is_found(case: Case, change: Callable[[Json], None], words: str) -> None:
    """Whatever is edited: the signature does not fit, and what was edited is named."""
    document = json.loads(json.dumps(case.document))
    change(document)
    found = package.wrong(document, PublicKey.from_pem(case.public.read_bytes()), None)
    assert any("sign" in one for one in found)
    if words == "does not follow":
        assert any(word in one for one in found for word in ("section rows", words))
    else:
        assert any(words in one for one in found), found


def test_another_page_beside_it_is_found(case: Case) -> None:
    """The page is covered as well."""
    key = PublicKey.from_pem(case.public.read_bytes())
    assert package.wrong(case.document, key, case.file.with_suffix(".html").read_bytes()) == []
    (found,) = package.wrong(case.document, key, b"<html>all is well</html>")
    assert "is not the page" in found


@pytest.mark.parametrize(("words", "code", "error"), [
    (("evidence", "0190"), 1, "no_rotation"), (("evidence", "verify"), 2, "usage"),
    (("evidence", "verify", "rotator.toml", "--public-key", "audit.pub.pem"), 3, "evidence"),
])  # fmt: skip
def test_what_is_no_evidence_is_refused(case: Case, words: tuple[str, ...], code: int, error: str) -> None:
    """One clear error each."""
    folder = case.scene.folder
    done = case.scene.json(*(str(folder / word) if "." in word else word for word in words))
    assert (done.code, done.told["errors"][0]["code"]) == (code, error), done.out


def test_an_org_that_is_down_fails_nothing(case: Case, tmp_path: Path) -> None:
    """The package is made from the trail; what was asked of the org is told as not seen; the clocks are the same."""
    case.scene.fault("status", {"site": "org"}, times=200, args={"status": 503, "body": ""})
    file = tmp_path / "again.json"
    done = case.scene.json("evidence", case.rotation["rotation_id"], "--out", str(file))
    case.scene.door("DELETE", "/faults")
    assert done.code == 0, done.err
    again = json.loads(file.read_text())
    assert again["story"]["clocks"] == case.document["story"]["clocks"]
    assert all(not one["complete"] and one["notes"] for one in again["asked_anew"]["sights"].values())
