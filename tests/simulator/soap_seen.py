"""The Metadata API by hand: messages, and how each of its shapes is seen from outside."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

import httpx

from tests.simulator.sim import Sim

METADATA = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
POLICIES = "ExtlClntAppConfigurablePolicies"


def soap(sim: Sim, message: str, *, token: str = "", version: str = "65.0") -> httpx.Response:
    """One message, with the rotator's own token unless another is given."""
    session = token or sim.org.headers["authorization"].removeprefix("Bearer ")
    body = (
        '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
        f'<SessionHeader xmlns="{METADATA}"><sessionId>{escape(session)}</sessionId></SessionHeader></e:Header>'
        f'<e:Body xmlns="{METADATA}" xmlns:xsi="{XSI}">{message}</e:Body></e:Envelope>'
    )
    headers = {"content-type": "text/xml; charset=UTF-8", "soapaction": '""', "authorization": ""}
    return sim.org.post(f"/services/Soap/m/{version}", content=body.encode(), headers=headers)


def listed(sim: Sim, kind: str = POLICIES) -> httpx.Response:
    return soap(sim, f"<listMetadata><queries><type>{kind}</type></queries></listMetadata>")


def read(sim: Sim, *names: str) -> httpx.Response:
    named = "".join(f"<fullNames>{name}</fullNames>" for name in names)
    return soap(sim, f"<readMetadata><type>{POLICIES}</type>{named}</readMetadata>")


def update(sim: Sim, **fields: str) -> httpx.Response:
    """An update of billing's policies, its fields in the order given."""
    told = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return soap(sim, f'<updateMetadata><metadata xsi:type="{POLICIES}">{told}</metadata></updateMetadata>')


def component(sim: Sim) -> str:
    """The full name of billing's policies."""
    found = re.search(r"<fullName>(Billing_Sync\w*)</fullName>", listed(sim).text)
    assert found
    return found[1]


WHOLE = {"externalClientApplication": "Billing_Sync", "isEnabled": "true"}


def enabled(sim: Sim) -> bool:
    return bool(sim.truth()["oauth_plugin_enabled"])


def metadata_name(sim: Sim) -> str:
    return {"_plcy": "plcy", "_defaultPolicy": "default_policy"}[component(sim).removeprefix("Billing_Sync")]


def metadata_update(sim: Sim) -> str:
    """What becomes of a field that an update leaves out."""
    name = component(sim)
    update(sim, fullName=name, **WHOLE, isOauthPluginEnabled="false")
    update(sim, fullName=name, **WHOLE)
    return "replace" if enabled(sim) else "merge"


def metadata_order(sim: Sim) -> str:
    """Whether a field that stands out of order is dropped without a word."""
    update(sim, fullName=component(sim), **WHOLE, label="x", isOauthPluginEnabled="false")
    return "strict" if enabled(sim) else "any"


def soap_takes_jwt(sim: Sim) -> str:
    """Whether a self-contained token is a session of the Metadata API."""
    sim.shapes(token_format="jwt")
    admin = sim.acme["admin"]
    token = sim.token((admin["client_id"], admin["client_secret"]))
    return "yes" if soap(sim, f"<readMetadata><type>{POLICIES}</type></readMetadata>", token=token).is_success else "no"
