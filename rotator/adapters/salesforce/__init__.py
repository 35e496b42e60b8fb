"""One Salesforce org behind ports.Salesforce: Connect REST credentials, OAuth, listings of tokens and sessions."""

from rotator.adapters.salesforce.client import SalesforceOrg
from rotator.adapters.salesforce.token import AdminCredentials, ClientCredentials, JwtBearer, key_of

__all__ = ["AdminCredentials", "ClientCredentials", "JwtBearer", "SalesforceOrg", "key_of"]
