"""What each remote call of a rotation is for, and why it is not saved. First row that fits counts."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

SESSION_ENDS = "ends one session or token"  # counted apart: as many as the workload left behind


class Word(NamedTuple):
    """`path` and `step` are patterns; `why` stands where a call could be thought to be one too many."""

    to: str
    method: str
    path: str
    step: str
    purpose: str
    why: str = ""


PAIR = r".*/credentials/\{id\}/\{id\}"
BEFORE_PROMOTE = "safety read before promote, as it is now: old is primary, the slot holds new, live serves new"
BEFORE_RETIRE = "safety read before retire: what is deleted is matched by key, as it stands now (invariant 6)"
AFTER_PROMOTE = (
    "the answer to promote is not relied on (docs contradict each other); read once, it is also the safety read of"
    " retire (invariant 6) where the overlap is zero"
)
LAST_LOOK = "`done` is said from a look after everything else (protocol section 3, close; section 5, `slot`, `vault`)"
IN_A_ROW = "the claim `refused` takes three refusals in a row, each beside an acceptance (protocol section 5)"
LISTED = "the claim `tokens`: listings must show nothing from before the refusal (protocol section 5)"
READ_BACK = "a write counts when it was read back"
ONE_LEVER = "sessions of a run-as user show in three places, in some orgs in one only; each place has its own lever"
OPENING = "config|force|anchor"  # a force keeps evidence and an anchor while it opens
EVIDENCE = "what is ended cannot be looked at any more"
NOT_LOGGED_OUT = "people are not logged out unless that was said"
COLD = "a cold process keeps no token of its own anywhere"

WORDS = (
    # --- the org
    Word("org", "GET", r".*[?&]page=[1-9].*", ".*", "the next page of a list",
         "a list ends where a page is empty: Salesforce names a next page on the last one too (reference 12)"),
    Word("org", "POST", "/services/oauth2/token", "check|request|stage", "the rotator's own login", COLD),
    Word("org", "GET", ".*query ExternalClientApplication", ".*", "finds the app by its developer name"),
    Word("org", "GET", r".*/credentials/\{id\}(\?.*)?", ".*", "finds the app's consumer"),
    Word("org", "GET", PAIR, "request", "first look: the primary pair"),
    Word("org", "GET", PAIR + "/staged", "request", "first look: the slot is empty"),
    Word("org", "POST", PAIR + "/staged", "stage", "mints the new pair"),
    Word("org", "POST", "/services/oauth2/token", "canary", "a token of the old pair, as a witness"),
    Word("org", "GET", ".*/limits", "canary", "the witness lives: a real call"),
    Word("org", "POST", "/services/oauth2/token", "verify", "the new pair, as read back from Vault, logs in"),
    Word("org", "GET", ".*/limits", "verify", "the new pair works: a real call"),
    Word("org", "GET", PAIR + "(/staged)?", "promote", "looks again before promote", BEFORE_PROMOTE),
    Word("org", "PATCH", PAIR + r"/staged/\{id\}", "promote", "makes the new pair primary"),
    Word("org", "GET", PAIR + "(/staged)?", "overlap", "looks after promote", AFTER_PROMOTE),
    Word("org", "GET", PAIR + "(/staged)?", "retire", "looks after promote and before retire", AFTER_PROMOTE),
    Word("org", "DELETE", PAIR + r"/staged/\{id\}", "retire", "kills the old pair"),
    Word("org", "POST", "/services/oauth2/token", "refused", "the old pair is refused, beside the new one accepted"),
    Word("org", "DELETE", ".*", "revoke", SESSION_ENDS),
    Word("org", "POST", "/services/oauth2/revoke", "revoke", SESSION_ENDS),
    Word("org", "GET", ".*(usage.*tokens.*|query OauthToken|query AuthSession|query LoginHistory)", "revoke",
         "lists what the old pair's logins left", ONE_LEVER),
    Word("org", "POST", "/services/oauth2/token", "prove", "another refusal beside an acceptance", IN_A_ROW),
    Word("org", "GET", ".*/limits", "prove", "the witness is dead: the same real call"),
    Word("org", "GET", ".*(usage.*tokens.*|query OauthToken|query AuthSession|query LoginHistory)", "prove",
         "nothing from before the refusal is listed", LISTED),
    Word("org", "GET", PAIR + "(/staged)?", "close", "the last look: new is primary, the slot is empty", LAST_LOOK),
    Word("org", "GET", ".*query User", ".*", "the rotator's own name, to know whose a staged pair is",
         "this org names authors by name, not by id"),
    # --- Vault
    Word("vault", "POST", "/v1/auth/.*/login", ".*", "logs in", COLD),
    Word("vault", "POST", "/v1/auth/token/revoke-self", ".*", "ends our token",
         "a token that is not needed any more must not live on"),
    Word("vault", "GET", ".*/data/salesforce/[^/]+/rotator", ".*", "the rotator's own pair",
         "where the rotator's own login lies in Vault; a file saves it"),
    Word("vault", "GET", ".*/config", "request", "preflight: the mount keeps versions",
         "settings that could lose the only copy of a secret are refused before the first change"),
    Word("vault", "GET", ".*/metadata/.*", "request", "preflight: the path keeps versions",
         "live and escrow path may each be set otherwise than the mount"),
    Word("vault", "GET", ".*/data/rotator-escrow/.*", "request", "first look: escrow"),
    Word("vault", "GET", ".*/data/.*", "request", "first look: the live path"),
    Word("vault", "POST", ".*/data/rotator-escrow/.*", "escrow", "keeps new and old before Salesforce relies on new"),
    Word("vault", "GET", ".*/data/rotator-escrow/.*", "escrow|canary", "reads the escrow back", READ_BACK),
    Word("vault", "POST", ".*/data/rotator-escrow/.*", "canary", "keeps the witness"),
    Word("vault", "POST", ".*/data/.*", "publish", "the pivot: consumers read the new pair"),
    Word("vault", "PATCH", ".*/metadata/.*", "publish", "marks the path as managed", "once in the life of a path"),
    Word("vault", "GET", ".*/data/.*", "overlap|publish", "reads the live path back", READ_BACK),
    Word("vault", "GET", ".*/data/.*version=.*", ".*", "an earlier version of the live path: the old pair's secret"),
    Word("vault", "GET", ".*/data/.*", "promote", "looks again before promote", BEFORE_PROMOTE),
    Word("vault", "GET", ".*/data/.*", "retire", "looks again before retire", BEFORE_RETIRE),
    Word("vault", "POST", ".*/destroy/.*", "close", "destroys the escrow's versions"),
    Word("vault", "GET", ".*/data/.*", "close", "the last look: live and escrow", LAST_LOOK),
    # --- only in a force
    Word("org", "POST", "/services/oauth2/token", "config", "the rotator's own login", COLD),
    Word("org", "GET", ".*query ExtlClntAppOauthPlcyCnfg", ".*", "whom the app's flow runs as"),
    Word("org", "GET", r".*/usage/\{id\}/users.*", ".*", "who else holds tokens of the app", NOT_LOGGED_OUT),
    Word("org", "GET", ".*query User", ".*", "the run-as user's id"),
    Word("org", "GET", ".*(usage.*tokens.*|query (OauthToken|AuthSession|LoginHistory|SetupAuditTrail))", OPENING,
         "evidence, at once, before anything is changed", EVIDENCE),
    Word("org", "GET", PAIR + "(/staged)?", OPENING, "first look: primary pair and slot"),
    Word("org", "POST", PAIR + "/staged", OPENING, "mints the new pair"),
    Word("vault", "GET", ".*/(config|metadata/.*)", OPENING, "preflight: mount and paths keep versions"),
    Word("vault", "GET", ".*/data/.*", OPENING, "first look: live path and escrow"),
    Word("vault", "GET", ".*/metadata/.*", ".*", "which versions hold an old pair",
         "asked at each look of a force once the old pair is gone: somebody may write one back"),
    Word("vault", "POST", ".*/destroy/.*", "destroy", "destroys the versions that hold an old pair"),
)  # fmt: skip

ID = re.compile(r"(?<=/)(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{15,18}(?=/|$)")


def plain(target: str) -> str:
    """A path without ids; a query is told by what it reads, other parameters stay."""
    parts = urlsplit(target)
    path, query = ID.sub("{id}", parts.path), parse_qs(parts.query)
    if "q" in query:
        source = re.search(r"\bFROM\s+(\w+)", query["q"][0], re.IGNORECASE)
        return f"{path} {source[1] if source else '?'}"
    return f"{path}?{parts.query}" if parts.query else path


def word_for(to: str, method: str, path: str, step: str) -> Word:
    """The row that fits; one without a purpose where none does: then somebody must look at that call."""
    bare = path.split("?part=")[0]
    fits = (w for w in WORDS if w[:2] == (to, method) and re.fullmatch(w.path, bare) and re.fullmatch(w.step, step))
    return next(fits, Word(to, method, path, step, "unknown"))
