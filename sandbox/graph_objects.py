"""The three Graph objects, each with every property that its documentation lists.

A property that is not given has the value of a healthy token, so that a scenario names only what is
special about a token. Facts: docs/design.md, and the Intune resources of the Graph reference, for
example https://learn.microsoft.com/graph/api/resources/intune-enrollment-deponboardingsetting.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sandbox.dates import graph_date, resolve_date
from sandbox.planted import planted_secret

GraphObject = dict[str, object]


class GraphSource(StrEnum):
    """One kind of Apple token, by the last segment of its address in Graph."""

    ADE = "depOnboardingSettings"
    VPP = "vppTokens"
    PUSH = "applePushNotificationCertificate"


#: The name of the type in Graph's error texts and in `@odata.context`.
GRAPH_TYPES = {
    GraphSource.ADE: "depOnboardingSetting",
    GraphSource.VPP: "vppToken",
    GraphSource.PUSH: "applePushNotificationCertificate",
}

#: The property that people know a token by.
NAME_PROPERTIES = {
    GraphSource.ADE: "tokenName",
    GraphSource.VPP: "displayName",
    GraphSource.PUSH: "appleIdentifier",
}

#: The property that must never leave Graph: the token or certificate itself.
SECRET_PROPERTIES = {GraphSource.VPP: "token", GraphSource.PUSH: "certificate"}

#: The property that says until when a token works.
EXPIRY_PROPERTIES = {
    GraphSource.ADE: "tokenExpirationDateTime",
    GraphSource.VPP: "expirationDateTime",
    GraphSource.PUSH: "expirationDateTime",
}

_HEALTHY: Mapping[GraphSource, Mapping[str, object]] = {
    GraphSource.ADE: {
        "id": "",
        "appleIdentifier": "ade@contoso.example",
        "tokenExpirationDateTime": "+200d",
        "lastModifiedDateTime": "-165d",
        "lastSuccessfulSyncDateTime": "-3h",
        "lastSyncTriggeredDateTime": "-3h",
        "shareTokenWithSchoolDataSyncService": False,
        "lastSyncErrorCode": 0,
        "tokenType": "dep",
        "tokenName": "",
        "syncedDeviceCount": 120,
        "dataSharingConsentGranted": True,
        "roleScopeTagIds": ["0"],
    },
    GraphSource.VPP: {
        "id": "",
        "organizationName": "Contoso Ltd.",
        "vppTokenAccountType": "business",
        "appleId": "apps@contoso.example",
        "expirationDateTime": "+200d",
        "lastSyncDateTime": "-6h",
        "token": "",
        "lastModifiedDateTime": "-165d",
        "state": "valid",
        "tokenActionResults": [],
        "lastSyncStatus": "completed",
        "automaticallyUpdateApps": False,
        "countryOrRegion": "us",
        "dataSharingConsentGranted": True,
        "displayName": "",
        "locationName": "Headquarters",
        "claimTokenManagementFromExternalMdm": False,
        "roleScopeTagIds": ["0"],
    },
    GraphSource.PUSH: {
        "id": "",
        "appleIdentifier": "push@contoso.example",
        "topicIdentifier": "com.apple.mgmt.External.1f4c2b9e-6d0a-4a57-9c3d-2f8be7a51c60",
        "lastModifiedDateTime": "-165d",
        "expirationDateTime": "+200d",
        "certificateUploadStatus": None,
        "certificateUploadFailureReason": None,
        "certificateSerialNumber": "5A3F0C6BD2E94417",
        "certificate": "",
    },
}


def property_names(source: GraphSource) -> frozenset[str]:
    """Name every property of a kind: asking Graph for any other is an error."""
    return frozenset(_HEALTHY[source])


def graph_object(
    source: GraphSource, properties: Mapping[str, object], now: datetime, spelling: int = 0
) -> GraphObject:
    """Build what Graph stores of one token, its dates written in one of the three spellings.

    A property that the kind does not have is refused: a scenario with a slip of the pen must not
    pass for a healthy tenant.
    """
    unknown = sorted(properties.keys() - property_names(source))
    if unknown:
        raise ValueError(f"{GRAPH_TYPES[source]} has no property {', '.join(unknown)}")
    merged = {**_HEALTHY[source], **properties}
    secret = SECRET_PROPERTIES.get(source)
    if secret is not None:
        merged[secret] = planted_secret(GRAPH_TYPES[source], str(merged["id"]))
    return {key: spell_value(key, value, now, spelling) for key, value in merged.items()}


def spell_value(key: str, value: object, now: datetime, spelling: int = 0) -> object:
    """Write a date property as Graph does; leave every other value as it is."""
    if key.endswith("DateTime") and isinstance(value, str | datetime):
        return graph_date(resolve_date(value, now), spelling)
    return value
