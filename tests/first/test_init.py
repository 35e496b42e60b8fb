"""`rotator init`: a first configuration from a few answers, and never over another one unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.config import load
from rotator.domain.errors import ConfigError, UsageError
from rotator.wiring.first.questions import AUTH, QUESTIONS, completed
from rotator.wiring.first.written import mistake, text_of, write
from tests.acceptance.scene import Scene, environment
from tests.first.terminal import terminal

NEEDED = {"org": "acme", "host": "https://acme.my.salesforce.com", "vault": "https://vault.example.com:8200"}
APP = {"app": "billing", "developer_name": "Billing_Sync"}


def answers_of(scene: Scene) -> dict[str, str]:
    """Those that fit the simulated world."""
    world = scene.world
    return {"org": "acme", "host": world["orgs"]["acme"]["url"], "vault": world["vault"]["url"],
            "role_id": world["vault"]["role_id"], "state_dir": str(scene.folder), **APP}  # fmt: skip


def flags(answers: dict[str, str]) -> list[str]:
    """The answers as options."""
    return [word for key, value in answers.items() for word in ("--" + key.replace("_", "-"), value)]


def test_a_person_at_a_terminal_gets_a_configuration_that_works(scene: Scene) -> None:
    """Asked question by question; a wrong answer is asked again with what is wrong; then all is handed out, and looked
    at. The configuration passes `config check`, and a pair can be minted with it."""
    scene.config.unlink()
    right = answers_of(scene)
    with terminal(scene.command("init", "--insecure"), environment({"TERM": "dumb"}), scene.folder) as person:
        for question in QUESTIONS:
            if question.key in ("role", "token_file", "jwt_file", "cert_file", "key_file", "password_file"):
                continue  # of another login; of a server
            person.sees(question.ask)
            if question.key == "host":
                person.types("acme")
                person.sees("orgs.acme.host")
                person.sees(question.ask)
            person.types(right.get(question.key, ""))
        assert person.end() == 0, person.said
    assert "permissionsets/Rotator_Admin" in person.said
    assert "vault policy write rotator" in person.said
    assert "ok    ORG-3" in person.said
    assert scene.run("config", "check").code == 0
    assert scene.json("rotate", "billing", "--dry-run").rotation["reason"] == "dry_run"


def test_flags_answer_every_question(scene: Scene) -> None:
    """Without a terminal; one document says what was written, what to give, and what `check` found."""
    scene.config.unlink()
    done = scene.json("init", "--insecure", *flags(answers_of(scene)))
    assert done.code == 0, done.out
    told = done.told
    assert (told["ok"], told["file"]) == (True, str(scene.config))
    assert {one["id"] for one in told["checks"]} >= {"ORG-1", "ADM-1", "APP-6", "VLT-2"}
    titles = [one["title"].partition(":")[0] for one in told["handout"]]
    assert titles == ["Salesforce", "Salesforce", "Vault", "Vault", "Vault"]


def test_what_is_missing_without_a_terminal_is_named_and_nothing_is_written(scene: Scene) -> None:
    """All of it at once."""
    scene.config.unlink()
    done = scene.json("init", "--org", "acme")
    assert (done.code, done.told["errors"][0]["message"]) == (
        2, "without a terminal these are needed: --host, --vault, --role-id")  # fmt: skip
    assert not scene.config.exists()


def test_a_configuration_that_is_there_is_not_written_over_unasked(scene: Scene) -> None:
    """Not without a terminal, not by a person who says no; by one who says yes, and with --overwrite."""
    before = scene.config.read_text()
    words = ["init", "--insecure", "--no-check", *flags(answers_of(scene))]
    assert scene.json(*words).told["errors"][0]["code"] == "config_exists"
    with terminal(scene.command(*words), environment({"TERM": "dumb"}), scene.folder) as person:
        person.sees("Replace it?")
        person.types("n")
        assert person.end() == 1
    assert scene.config.read_text() == before
    assert scene.json(*words, "--overwrite").code == 0
    assert scene.config.read_text() != before


def test_a_prerequisite_that_is_not_there_yet_is_told_and_the_file_stands(scene: Scene) -> None:
    """The usual first run: Vault has no role yet. Exit 3: a human must give what is handed out."""
    scene.config.unlink()
    (scene.folder / "vault-secret-id").unlink()
    done = scene.run("init", "--insecure", *flags(answers_of(scene)))
    assert (done.code, "vault-secret-id" in done.err, scene.config.exists()) == (3, True, True)
    assert "rotator check" in done.err


@pytest.mark.parametrize("more", [{}, APP, {"spare_path": "salesforce/acme/two"}, {**APP, "responder_path": "a/b"}, {
    "database": "postgresql+psycopg://rotator@db/rotator", "password_file": "pg"}])  # fmt: skip
@pytest.mark.parametrize("auth", AUTH)
def test_whatever_is_answered_holds_together(tmp_path: Path, auth: str, more: dict[str, str]) -> None:
    """Each way to log in to Vault, with and without an app, a spare, a responder, a server."""
    given = {**NEEDED, "auth": auth, **more, **({"role_id": "r"} if auth == "approle" else {})}
    answers = completed(given, None)
    assert mistake(answers) is None
    file = tmp_path / "new" / "rotator.toml"
    write(file, text_of(answers), {}, over=False)
    config = load(file, {}).config
    assert (config.vault.auth.method, list(config.orgs)) == (auth, ["acme"])
    assert [path.name for path in file.parent.iterdir()] == ["rotator.toml"]


def test_answers_that_do_not_hold_together_are_not_written(tmp_path: Path) -> None:
    """Every mistake at once, under the name of the file that would have been."""
    file = tmp_path / "rotator.toml"
    answers = completed({**NEEDED, "role_id": "r", "host": "acme", "spare_path": "salesforce/acme/rotator"}, None)
    with pytest.raises(ConfigError) as caught:
        write(file, text_of(answers), {}, over=False)
    assert {(one.file, one.key) for one in caught.value.mistakes} == {
        (str(file), "orgs.acme.host"), (str(file), "orgs.acme.spare.vault_path")}  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_an_answer_to_a_question_that_is_not_asked_is_refused() -> None:
    """It would go unsaid otherwise."""
    with pytest.raises(UsageError, match="--token-file"):
        completed({**NEEDED, "role_id": "r", "token_file": "t"}, None)
