"""A difficult Salesforce and a small Vault, for tests and the demo.

Goals: play every fact of an org that nobody has documented, and every disagreement between the documents, both ways;
be awkward by default and repeatable by seed; fail on command, before or after the effect; see whether invariant 1 of
the protocol holds after every request. Non-goals: speed, persistence, completeness of either API (of the Metadata API
only what an app's OAuth switch needs), policies of Vault beyond "this capability is missing there".
It shares no code with the product and imports nothing of it; agreement between the two is therefore evidence.

Start it as a process, `python -m rotator.simulator --seed 7` (one line of JSON on standard output when ready), or in a
thread, `with start(seed=7) as running`. Each org, the Vault and the admin door have a port of their own.

Facts (protocol section 6; `POST /facts {"name": "no"}` at the admin door, `--fact name=no`, `start(facts={...})`):

    staged_pair_accepted yes          a staged Active pair logs in
    rotated_pair_accepted yes         the displaced pair logs in until deleted
    secret_readable_again yes         GET gives secrets, not only POST
    created_by_given yes              slot entries name their author
    tokens_die_with_pair no           deleting a pair ends the tokens it minted
    tokens_listed_oauthtoken yes      OauthToken lists them
    tokens_listed_usage yes           so does the OAuth usage resource
    tokens_listed_authsession yes     so does AuthSession
    session_shared_between_logins no  a second login returns the first token
    slot_id_survives_rotate no        the displaced pair keeps the entry's id
    delete_propagation 0s             how long a deleted pair still logs in
    new_pair_propagation 0s           how long a new pair does not yet
    stage_while_blocked no            staging works with the OAuth plug-in off
    classic_has_staged_api no         the credentials resources know connected apps
    lever_usage_ends yes              DELETE on usage ends tokens (the row goes either way)
    lever_deletetoken_ends yes        so does revoking a DeleteToken
    lever_authsession_ends yes        so does deleting an AuthSession

Shapes (drawn from the seed; `POST /shapes`, `--shape`, `--plain` for the first value; values in brackets are never
drawn, only asked for):

    staged_shape         collection array object flat   id_field       id stagedCredentialId
    key_field            key consumerKey                secret_field   secret consumerSecret
    state_field          state status                   state_case     doc lower upper
    staged_url_field     stagedCredentialsUrl stagedCredentialsURL url
    consumer_id_field    id [consumerId]                empty_slot     empty 404
    slot_taken           409 400 [append replace]       rotate_rotated 400 409 [swap]
    url_meaning          primary staged                 patch_answer   new displaced 204
    post_status          201 200 202                    delete_status  204 200
    post_returns_secret  yes [no]                       created_by     id name
    optional_fields      all missing null               date_format    z offset millis epoch [garbage]
    id_length            18 15 mixed                    urls           relative absolute
    url_version          called newest                  next_page_url  last_too null absent
    page_size            2 1 3 [100]                    id_host        login test my_domain
    error_shape          array object [html text empty] client_error_status 400 401
    dead_pair_error      invalid_client_id invalid_client
    flow_disabled_error  unsupported_grant_type invalid_grant unauthorized_client
    not_approved_error   invalid_app_access invalid_grant     permitted_users_gate no [yes]
    quota_error          403 429                        login_rate_error 400 429
    revoke_error         invalid_token unsupported_token_type
    token_format         opaque [jwt]                   session_shared_scope key [app]
    usage_lists          all used                       usage_label    given absent
    usage_get_revokes    no [yes]                       token_visibility customize manage_users
    session_visibility   manage_users admins            history_filters strict loose
    session_join         yes no                         flow_user      username id
    userinfo             allowed refused                limit_header   plain bursts per_app
    propagation          steady flapping
    metadata_name        plcy default_policy            metadata_update merge replace
    metadata_order       any strict                     soap_takes_jwt  no [yes]
    pairs_in_setup_trail yes no                         setup_trail_unseen refused [empty]
    generated_accepted   no [yes]                       apply_ends_tokens yes [no]

Always: members that nobody announced, shuffled members and lists, one slot, thirty days, permissions, login limits.

Admin door (JSON): GET world, truth, secrets, invariants, history, unobservable; POST reset, orgs, orgs/{org}/apps,
orgs/{org}/users, strangers, clock, faults, latency, chaos, pause, resume, watch, watch/live, watch/lift; GET paused;
GET and POST orgs/{org}/setup, an operator's clicks; PATCH orgs/{org}, orgs/{org}/apps/{app}, orgs/{org}/users/{user},
vault; DELETE history, faults, pause. What each takes stands in `rotator.simulator.door`; the kinds of faults in
`rotator.simulator.wire.faults`; foreign acts in `rotator.simulator.strangers`; the clicks in
`rotator.simulator.org.setup`; which facts nobody can find out in `rotator.simulator.org.unobservable`.
"""

from __future__ import annotations

from rotator.simulator.options import Options
from rotator.simulator.running import Running, start

__all__ = ["Options", "Running", "start"]
