"""What `rotator init` asks, as a table: each question is an option of the command too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rotator.domain.errors import UsageError

Answers = Mapping[str, str]

AUTH: Mapping[str, tuple[str, ...]] = {
    "approle": ("role_id", "secret_id_file"), "token": ("token_file",), "jwt": ("role", "jwt_file"),
    "kubernetes": ("role",), "cert": ("cert_file", "key_file"),
}  # fmt: skip


def always(_: Answers) -> bool:
    """Whatever was answered before."""
    return True


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `example` stands in for an answer that was not given yet. `usual`: what is taken for none; None:
    an answer is needed. `when`: whether it is asked, after the answers so far."""

    key: str
    ask: str
    example: str = ""
    usual: Callable[[Answers], str] | None = None
    when: Callable[[Answers], bool] = always

    @property
    def option(self) -> str:
        """How it is given on the command line."""
        return "--" + self.key.replace("_", "-")


def _fixed(value: str) -> Callable[[Answers], str]:
    return lambda _: value


def _path(last: str) -> Callable[[Answers], str]:
    return lambda answers: f"salesforce/{answers['org']}/{answers.get(last) or last}"


def _of_login(key: str, ask: str, example: str, usual: str | None = None) -> Question:
    usually = _fixed(usual) if usual else None
    return Question(key, ask, example, usually, lambda answers: key in AUTH.get(answers["auth"], ()))


def _with_app(answers: Answers) -> bool:
    return bool(answers["app"])


def _with_server(answers: Answers) -> bool:
    return answers["database"].startswith("postgresql")


_NONE = _fixed("")
QUESTIONS: tuple[Question, ...] = (
    Question("org", "A name of your own for the Salesforce org", "acme"),
    Question("host", "Its My Domain (Setup, My Domain)", "https://acme.my.salesforce.com"),
    Question("vault", "The address of Vault", "https://vault.example.com:8200"),
    Question("mount", "The KV v2 mount there", usual=_fixed("secret")),
    Question("escrow_prefix", "The prefix that only the rotator may read", usual=_fixed("rotator-escrow")),
    Question("auth", f"How the rotator logs in to Vault ({', '.join(AUTH)})", usual=_fixed("approle")),
    _of_login("role_id", "The AppRole's role id", "b5a3c0d2-0000-0000-0000-000000000000"),
    _of_login("role", "The role", "rotator", "rotator"),
    _of_login("secret_id_file", "The file with its secret id", "vault-secret-id", "vault-secret-id"),
    _of_login("token_file", "The file with the token", "vault-token", "vault-token"),
    _of_login("jwt_file", "The file with the JWT", "vault-jwt", "vault-jwt"),
    _of_login("cert_file", "The file with the certificate", "vault-client.pem", "vault-client.pem"),
    _of_login("key_file", "The file with its private key", "vault-client.key", "vault-client.key"),
    Question("admin_path", "The Vault path of the rotator's own pair", usual=_path("rotator")),
    Question("spare_path", "That of the second identity, which rotates the first (empty: none)", usual=_NONE),
    Question("responder_path", "That of an identity apart for sessions and blocking (empty: none)", usual=_NONE),
    Question("database", "The database's URL (empty: SQLite in the state folder)", usual=_NONE),
    Question("password_file", "The file with its password (empty: none)", usual=_NONE, when=_with_server),
    Question("state_dir", "The folder of the rotator's own files", usual=_fixed("/var/lib/rotator")),
    Question("app", "A name of your own for the first app (empty: none yet)", usual=_NONE),
    Question("developer_name", "Its developer name or 0xI id", "Billing_Sync", when=_with_app),
    Question("vault_path", "The Vault path that its consumers read", usual=_path("app"), when=_with_app),
)


def filled(answers: Answers) -> dict[str, str]:
    """The answers, and for every question that is still open what would be taken, or its example."""
    found = dict(answers)
    for question in QUESTIONS:
        if question.key not in found and question.when(found):
            found[question.key] = question.usual(found) if question.usual else question.example
    return found


def completed(given: Answers, ask: Callable[[Question, Answers], str] | None) -> dict[str, str]:
    """An answer to every question that is asked: as given, else what `ask` says; without it what is usual. Raises
    UsageError that names all that is missing, and all that was given and is not asked."""
    answers: dict[str, str] = {}
    missing, needless = [], []
    for question in QUESTIONS:
        known = given.get(question.key)
        if not question.when(answers):
            needless += [question.option] if known is not None else []
        elif known is not None or (ask is None and question.usual):
            answers[question.key] = known if known is not None else filled(answers)[question.key]
        else:
            missing += [question.option] if ask is None else []
            answers[question.key] = ask(question, answers) if ask else question.example
    _refuse(missing, "without a terminal these are needed", "give each of them, or run `rotator init` at a terminal")
    _refuse(needless, "the other answers leave no place for", "leave it out, or see `rotator init --help`")
    return answers


def _refuse(options: list[str], words: str, fix: str) -> None:
    if options:
        raise UsageError(f"{words}: {', '.join(options)}", fix=fix)
