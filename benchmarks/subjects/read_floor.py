"""Make the same requests of Graph with bare httpx and json: nothing reads them for less."""

import json
import os
import sys

sys.path[:0] = sys.argv[1:3]

import httpx

PATHS = (
    (
        "/beta/deviceManagement/depOnboardingSettings?$select=id,tokenName,tokenType,appleIdentifier,"
        "tokenExpirationDateTime,lastModifiedDateTime,lastSuccessfulSyncDateTime,lastSyncErrorCode,"
        "syncedDeviceCount"
    ),
    (
        "/beta/deviceAppManagement/vppTokens?$select=id,displayName,organizationName,locationName,"
        "vppTokenAccountType,appleId,countryOrRegion,expirationDateTime,lastModifiedDateTime,"
        "lastSyncDateTime,lastSyncStatus,state"
    ),
    (
        "/v1.0/deviceManagement/applePushNotificationCertificate?$select=id,appleIdentifier,"
        "topicIdentifier,expirationDateTime,lastModifiedDateTime,certificateSerialNumber,"
        "certificateUploadFailureReason"
    ),
)


def sign_in(client: httpx.Client) -> str:
    """Ask the identity endpoint of App Service for an access token."""
    issued = client.get(
        os.environ["IDENTITY_ENDPOINT"],
        params={
            "api-version": "2019-08-01",
            "resource": "https://graph.microsoft.com",
            "client_id": os.environ["AZURE_CLIENT_ID"],
        },
        headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]},
    )
    return str(json.loads(issued.content)["access_token"])


def main() -> None:
    """Follow the pages, count what is on them; without an access token, sign in first."""
    environment, tokens = os.environ, 0
    with httpx.Client(trust_env=False) as client:
        access_token = environment.get("GRAPH_TOKEN") or sign_in(client)
        signed_in = {"Authorization": f"Bearer {access_token}"}
        for path in PATHS:
            address = environment["GRAPH_ENDPOINT"] + path
            while address:
                page = json.loads(client.get(address, headers=signed_in).content)
                tokens += len(page.get("value", [page]))
                address = page.get("@odata.nextLink")
    print(json.dumps({"tokens": tokens, "modules": len(sys.modules)}))


main()
