"""The sObjects a query can read, with who may see what and which fields refuse a filter (reference 4, 8, 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rotator.simulator.org import tokens
from rotator.simulator.org.model import ADMIN_LIKE, ALL_PERMISSIONS, Org, SalesforceError, Session, User
from rotator.simulator.org.session import Caller
from rotator.simulator.org.soql import Moment, Row

UNFILTERABLE = ("loginsubtype", "sourceip")


class Table(NamedTuple):
    """The row maker, the fields a query may name, and those that refuse WHERE."""

    rows: Callable[[Org, Caller], list[Row]]
    fields: frozenset[str]
    unfilterable: tuple[str, ...] = ()


def fields(text: str) -> frozenset[str]:
    """Field names, lower case."""
    return frozenset(text.lower().split())


def oauth_tokens(org: Org, caller: Caller) -> list[Row]:
    """OauthToken: one row a live token where the org lists them; Id is always null (reference 4.1)."""
    right = {"customize": "CustomizeApplication"}.get(org.shapes["token_visibility"], "ManageUsers")
    sees_all = right in caller.user.permissions
    listed = org.live_tokens() if org.facts.yes("tokens_listed_oauthtoken") else []
    rows = []
    for token in listed:
        app = org.app(token.app)
        if app is None or "OauthToken" in token.unlisted or not (sees_all or token.user == caller.user.id):
            continue
        menu = None if org.shapes["optional_fields"] != "all" else {"Id": app.id, "ApplicationId": app.id}
        rows.append({
            "Id": None, "AccessToken": None, "AppName": app.label, "UserId": token.user, "UseCount": token.uses,
            "AppMenuItemId": menu and menu["Id"], "AppMenuItem": menu, "RequestToken": None,
            "DeleteToken": token.delete_token, "LastUsedDate": Moment(token.used_at),
            "CreatedDate": Moment(token.created_at), "User": user_row(org.user(token.user)),
        })  # fmt: skip
    return org.dice.shuffled(rows)


def auth_sessions(org: Org, caller: Caller) -> list[Row]:
    """AuthSession: no app on the row, only the login behind it (reference 4.2)."""
    right = {"manage_users": "ManageUsers"}.get(org.shapes["session_visibility"], "CustomizeApplication")
    sees_all = right in caller.user.permissions
    shown = [s for s in tokens.live_sessions(org) if sees_all or s.user == caller.user.id]
    logins = {row["Id"]: row for row in login_rows(org)}
    return [session_row(caller, session, logins[session.login]) for session in org.dice.shuffled(shown)]


def session_row(caller: Caller, session: Session, login: Row) -> Row:
    """One AuthSession row with the login behind it."""
    return {
        "Id": session.id, "UsersId": session.user, "SessionType": "OauthClientCredentials", "SourceIp": "192.0.2.7",
        "LoginType": "Remote Access 2.0", "CreatedDate": Moment(session.created_at),
        "LastModifiedDate": Moment(session.modified_at), "NumSecondsValid": int(session.valid_seconds),
        "LoginHistoryId": session.login, "LoginHistory": login,
        "ParentId": session.id, "UserType": "Standard", "SessionSecurityLevel": "STANDARD", "LogoutUrl": None,
        "IsCurrent": session.id == caller.token.session, "IsAssociatedWithJwtAccessToken": session.jwt,
    }  # fmt: skip


def login_rows(org: Org) -> list[Row]:
    """All LoginHistory rows."""
    return [{
        "Id": x.id, "UserId": x.user, "LoginTime": Moment(x.at), "LoginType": "Remote Access 2.0",
        "LoginSubType": x.sub_type, "Application": x.application, "Status": x.status, "SourceIp": "192.0.2.7",
        "LoginUrl": org.my_domain, "ApiType": "N/A", "ApiVersion": "N/A", "ClientVersion": "N/A", "Browser": "Unknown",
        "Platform": "Unknown", "CountryIso": None, "TlsProtocol": "TLS 1.3", "CipherSuite": "TLS_AES_128_GCM_SHA256",
    } for x in org.logins]  # fmt: skip


def login_history(org: Org, caller: Caller) -> list[Row]:
    """LoginHistory: everyone's for those who may, one's own for the rest."""
    sees_all = caller.user.permissions & {"ManageUsers", "MonitorLoginHistory"}
    return [row for row in login_rows(org) if sees_all or row["UserId"] == caller.user.id]


def setup_audit_trail(org: Org, caller: Caller) -> list[Row]:
    """SetupAuditTrail, for those who see Setup; what others are told is unknown (reference 9)."""
    if "ViewSetup" in caller.user.permissions:
        return [{"Id": one.id, "CreatedDate": Moment(one.at), "CreatedById": one.user, "Action": one.action,
                 "CreatedBy": user_row(org.user(one.user)), "Section": one.section, "Display": one.display,
                 "DelegateUser": None} for one in org.changes]  # fmt: skip
    if org.shapes["setup_trail_unseen"] == "refused":
        raise SalesforceError(400, "INVALID_TYPE", "sObject type 'SetupAuditTrail' is not supported.")
    return []


def user_row(user: User) -> Row:
    """One User row."""
    return {"Id": user.id, "Username": user.username, "Name": user.name, "IsActive": user.active,
            "UserType": "Standard", "Email": user.username,
            "Profile": {"Name": "Minimum Access"}, "ProfileId": "00eEX0000000001AAA"}  # fmt: skip


def user_logins(org: Org, caller: Caller) -> list[Row]:
    """UserLogin: who is frozen, for those who manage users (reference 5, row e)."""
    sees_all = "ManageUsers" in caller.user.permissions
    return [{"Id": "0Yw" + user.id[3:], "UserId": user.id, "IsFrozen": user.frozen, "IsPasswordLocked": False}
            for user in org.users if sees_all or user.id == caller.user.id]  # fmt: skip


def organization(org: Org, caller: Caller) -> list[Row]:
    """The one Organization row."""
    return [{"Id": org.id, "Name": org.name, "OrganizationType": org.organization_type, "IsSandbox": org.is_sandbox,
             "InstanceName": "SIM1", "NamespacePrefix": None}]  # fmt: skip


def external_apps(org: Org, caller: Caller) -> list[Row]:
    """ExternalClientApplication."""
    return [{
        "Id": a.id, "DeveloperName": a.developer_name, "MasterLabel": a.label, "NamespacePrefix": a.namespace or None,
        "DistributionState": a.distribution,
    } for a in org.apps if a.kind != "connected_app" and a.listed]  # fmt: skip


def connected_apps(org: Org, caller: Caller) -> list[Row]:
    """ConnectedApplication: no flow and no consumer fields (reference section 8)."""
    return [{"Id": a.id, "Name": a.label, "OptionsAllowAdminApprovedUsersOnly": False,
             "NamespacePrefix": a.namespace or None}
            for a in org.apps if a.kind == "connected_app" and a.listed]  # fmt: skip


def policies(org: Org, caller: Caller) -> list[Row]:
    """ExtlClntAppOauthPlcyCnfg: the admin's side of the flow."""
    by_name = org.shapes["flow_user"] == "username"
    return [{
        "Id": "0x1" + app.id[3:], "DeveloperName": app.developer_name + "_oauthPlcy",
        "ExternalClientApplicationId": app.id,
        "IsClientCredentialsFlowEnabled": app.flow_in_policies,
        "ClientCredentialsFlowUser": org.user(app.run_as).username if by_name and app.run_as else app.run_as,
        "PermittedUsersPolicyType": "AdminApprovedPreAuthorized" if app.pre_authorized else "AllSelfAuthorized",
        "IpRelaxationPolicyType": app.ip_relaxation, "PolicyAction": app.policy_action or None,
        "SessionTimeoutInMinutes": int(app.session_minutes),
        "NamedUserJwtTimeout": int(app.jwt_minutes),
    } for app in org.apps if app.kind != "connected_app" and app.listed]  # fmt: skip


def settings(org: Org, caller: Caller) -> list[Row]:
    """ExtlClntAppGlobalOauthSettings and ExtlClntAppOauthSettings: the developer's side of the flow."""
    return [{
        "Id": "0x2" + app.id[3:], "DeveloperName": app.developer_name + "_glbloauth",
        "ExternalClientApplicationId": app.id, "IsClientCredentialsFlowEnabled": app.flow_in_settings,
        "IsNamedUserJwtEnabled": app.format == "jwt",
        "CommaSeparatedOauthScopes": app.scopes.replace(" ", ", "),
    } for app in org.apps if app.kind != "connected_app"]  # fmt: skip


def assignments(org: Org, caller: Caller) -> list[Row]:
    """PermissionSetAssignment with the permissions of its set."""
    return [{
        "Id": "0Pa" + user.id[3:], "AssigneeId": user.id, "PermissionSetId": "0PS" + user.id[3:],
        "PermissionSet": {"Name": f"Set_of_{user.username.split('@')[0]}", "IsOwnedByProfile": False}
        | {f"Permissions{p}": p in user.permissions for p in (*ALL_PERMISSIONS, *ADMIN_LIKE)},
    } for user in org.users]  # fmt: skip


_LOGIN = """Id UserId LoginTime LoginType LoginSubType Application Status SourceIp LoginUrl ApiType ApiVersion
            ClientVersion Browser Platform CountryIso TlsProtocol CipherSuite"""
_FLOW = "Id DeveloperName ExternalClientApplicationId IsClientCredentialsFlowEnabled"
_SETTINGS = Table(settings, fields(f"{_FLOW} IsNamedUserJwtEnabled CommaSeparatedOauthScopes"))
_PERMISSIONS = " ".join(f"PermissionSet.Permissions{p}" for p in (*ALL_PERMISSIONS, *ADMIN_LIKE))
_USER = "Id Username Name IsActive UserType Email ProfileId Profile.Name"

TABLES: dict[str, Table] = {
    "OauthToken": Table(oauth_tokens, fields("""Id AccessToken AppName UserId UseCount AppMenuItemId DeleteToken
        AppMenuItem.ApplicationId AppMenuItem.Id RequestToken LastUsedDate CreatedDate User.Username User.Id""")),
    "AuthSession": Table(auth_sessions, fields("""Id UsersId SessionType LoginType SourceIp CreatedDate LastModifiedDate
        NumSecondsValid LoginHistoryId ParentId UserType SessionSecurityLevel LogoutUrl IsCurrent
        LoginHistory.Application
        IsAssociatedWithJwtAccessToken LoginHistory.LoginSubType LoginHistory.Id LoginHistory.LoginTime""")),
    "LoginHistory": Table(login_history, fields(_LOGIN), ("application", "status")),
    "SetupAuditTrail": Table(setup_audit_trail, fields("""Id CreatedDate CreatedById CreatedBy.Username CreatedBy.Name
        Action Section Display DelegateUser"""), ("section", "display")),
    "User": Table(lambda org, caller: [user_row(u) for u in org.users], fields(_USER)),
    "UserLogin": Table(user_logins, fields("Id UserId IsFrozen IsPasswordLocked")),
    "Organization": Table(organization, fields("Id Name OrganizationType IsSandbox InstanceName NamespacePrefix")),
    "ExternalClientApplication": Table(external_apps, fields("""Id DeveloperName MasterLabel
        NamespacePrefix DistributionState""")),
    "ConnectedApplication": Table(connected_apps, fields("Id Name OptionsAllowAdminApprovedUsersOnly NamespacePrefix")),
    "ExtlClntAppOauthPlcyCnfg": Table(policies, fields(f"""{_FLOW} ClientCredentialsFlowUser PermittedUsersPolicyType
        IpRelaxationPolicyType PolicyAction SessionTimeoutInMinutes NamedUserJwtTimeout""")),
    "ExtlClntAppGlobalOauthSettings": _SETTINGS,
    "ExtlClntAppGlobalOauthSet": _SETTINGS,
    "ExtlClntAppOauthSettings": _SETTINGS,
    "PermissionSetAssignment": Table(assignments, fields(f"Id AssigneeId PermissionSetId PermissionSet.Name "
                                                         f"PermissionSet.IsOwnedByProfile {_PERMISSIONS}")),
}  # fmt: skip
