"""The secrets that sign inbox tokens, over HTTP."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from rest_framework.views import APIView

from tenants import answers, inbox_secrets, serializers
from tenants.authentication import TenantRequest
from tenants.models import ApiKey, InboxSecret
from tenants.views import NOT_TO_BE_KEPT
from traffic_control.errors import Problem
from traffic_control.pagination import page_of


def needs_live_key(key: ApiKey) -> None:
    """A test key lies about in test environments; what it could sign for would be real people's."""
    if key.mode == ApiKey.Mode.TEST:
        detail = "A test key's in-app messages are in the sandbox, which has no inboxes to open. Use a live key."
        raise Problem("no_test_inbox", detail, status=409)


class InboxSecretsView(APIView):
    scopes = {"GET": "admin", "POST": "admin"}

    @extend_schema(
        operation_id="inbox_secrets_list", tags=["Inbox"], summary="List the secrets that sign inbox tokens",
        parameters=serializers.PAGING, responses=serializers.InboxSecretPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        return page_of(request, InboxSecret.objects.for_tenant(request.tenant), answers.inbox_secret)

    @extend_schema(
        operation_id="inbox_secrets_create", tags=["Inbox"], summary="Make a secret to sign inbox tokens with",
        description="There are two at most: make the second, sign with it, then delete the first.",
        request=None, responses={201: serializers.NewInboxSecret},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        needs_live_key(request.api_key)
        row, raw = inbox_secrets.issue(request.tenant)
        return Response(answers.inbox_secret(row) | {"secret": raw}, HTTP_201_CREATED, headers=NOT_TO_BE_KEPT)


class InboxSecretView(APIView):
    scopes = {"DELETE": "admin"}

    @extend_schema(
        operation_id="inbox_secrets_delete", tags=["Inbox"],
        summary="Delete an inbox secret; its tokens are refused everywhere within 5 seconds",
        responses={204: OpenApiResponse(description="Deleted.")},
    )  # fmt: skip
    def delete(self, request: TenantRequest, kid: str) -> Response:
        row = InboxSecret.objects.for_tenant(request.tenant).filter(kid=kid).first()
        if row is None:
            raise Problem("not_found", "There is no inbox secret with this kid.", status=404)
        inbox_secrets.revoke(row)
        return Response(status=HTTP_204_NO_CONTENT)
