"""hvac over our own HTTP: its public Adapter seam, so that no call of hvac's reaches requests or the environment.

hvac's own adapter follows redirects with the token and the body, has no total deadline, and puts whole answers into
its exceptions. Through this one only our errors pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hvac
from hvac.adapters import Adapter

from rotator.adapters.vault.call import Call, Reply, Send, kind_of

if TYPE_CHECKING:
    _Adapter = Adapter[Reply]
else:  # generic in its stubs only
    _Adapter = Adapter


class Seam(_Adapter):
    """Gives hvac's API classes a Reply where they expect a response; raises our errors."""

    def __init__(self, base_uri: str = "", *, send: Send, **_hvacs_own: object) -> None:
        # Not super().__init__: it opens a requests session.
        self.base_uri = base_uri
        self.token = ""
        self.namespace = ""
        self._send = send

    def request(self, method: str, url: str, headers: Any = None, raise_exception: bool = True, **kwargs: Any) -> Any:
        """One request; the arguments are hvac's."""
        return self._send(
            Call(
                method.upper(),
                url,
                kind_of(method.upper(), url),
                params={name: str(value) for name, value in (kwargs.get("params") or {}).items()},
                headers=headers or {},
                json=kwargs.get("json"),
            )
        )

    def get_login_token(self, response: Reply) -> str:
        """Where hvac finds the token of a login (we never let it keep one)."""
        return str(response.auth.get("client_token", ""))

    def close(self) -> None:
        """The connections are not ours."""


def hvac_over(send: Send, address: str) -> hvac.Client:
    """An hvac client whose every call goes through `send`. All is said explicitly: what is left out, hvac reads from
    VAULT_* variables and ~/.vault-token."""
    return hvac.Client(url=address, token="", verify=True, adapter=Seam, send=send)
