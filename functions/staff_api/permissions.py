"""What each route of the staff API asks of its caller: the one list (manual D2).

Which teams have a permission is ``shared.domain.teams``' business. The description of the API
names both (``x-permission``, ``x-teams``), for whoever builds on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from shared.domain.teams import Permission

OF_ROUTE: Mapping[str, Permission] = MappingProxyType(
    {
        "POST /contacts/lookup": Permission.READ_CONTACTS,
        "GET /contacts/{contact_id}": Permission.READ_CONTACTS,
        "POST /contacts/{contact_id}/lift-bounce": Permission.LIFT_BOUNCES,
        "POST /contacts/{contact_id}/residence": Permission.HANDLE_REQUESTS,
        "GET /contacts/{contact_id}/proof": Permission.READ_CONTACTS,
        "POST /contacts/proof": Permission.READ_CONTACTS,
        "POST /unsubscriptions": Permission.RECORD_UNSUBSCRIPTIONS,
        "GET /registrations": Permission.READ_CONTACTS,
        "POST /registrations": Permission.CONFIRM_REGISTRATIONS,
        "GET /forms": Permission.READ_FORMS,
        "GET /forms/{form_id}": Permission.READ_FORMS,
        "POST /forms": Permission.EDIT_FORMS,
        "PUT /forms/{form_id}": Permission.EDIT_FORMS,
        "GET /campaigns": Permission.READ_CAMPAIGNS,
        "POST /campaigns": Permission.SEND_CAMPAIGNS,
        "GET /campaigns/{campaign_id}": Permission.READ_CAMPAIGNS,
        "PUT /campaigns/{campaign_id}": Permission.SEND_CAMPAIGNS,
        "GET /campaigns/{campaign_id}/lint": Permission.READ_CAMPAIGNS,
        "POST /campaigns/{campaign_id}/test": Permission.SEND_CAMPAIGNS,
        "POST /campaigns/{campaign_id}/approve": Permission.SEND_CAMPAIGNS,
        "POST /campaigns/{campaign_id}/schedule": Permission.SEND_CAMPAIGNS,
        "POST /campaigns/{campaign_id}/unschedule": Permission.SEND_CAMPAIGNS,
        "POST /campaigns/{campaign_id}/send": Permission.SEND_CAMPAIGNS,
        "POST /campaigns/{campaign_id}/pause": Permission.SEND_CAMPAIGNS,
        "POST /campaigns/{campaign_id}/resume": Permission.SEND_CAMPAIGNS,
        "POST /campaigns/{campaign_id}/cancel": Permission.SEND_CAMPAIGNS,
        "POST /campaigns/{campaign_id}/clone": Permission.SEND_CAMPAIGNS,
        "POST /campaigns/{campaign_id}/dry-run": Permission.READ_CAMPAIGNS,
        "POST /audience/dry-run": Permission.READ_CAMPAIGNS,
        "GET /campaigns/{campaign_id}/recipients/{contact_id}": Permission.READ_CONTACTS,
        "POST /campaigns/{campaign_id}/recipients/lookup": Permission.READ_CONTACTS,
        "GET /requests": Permission.READ_REQUESTS,
        "POST /requests": Permission.HANDLE_REQUESTS,
        "GET /requests/{case_id}": Permission.READ_REQUESTS,
        "POST /requests/{case_id}/kind": Permission.HANDLE_REQUESTS,
        "POST /requests/{case_id}/ask-identity": Permission.HANDLE_REQUESTS,
        "POST /requests/{case_id}/verify": Permission.HANDLE_REQUESTS,
        "POST /requests/{case_id}/approve": Permission.APPROVE_ERASURE,
        "POST /requests/{case_id}/new-address": Permission.HANDLE_REQUESTS,
        "POST /requests/{case_id}/refuse": Permission.HANDLE_REQUESTS,
        "POST /requests/{case_id}/finish": Permission.HANDLE_REQUESTS,
        "POST /requests/{case_id}/reply": Permission.HANDLE_REQUESTS,
        "POST /requests/{case_id}/note": Permission.HANDLE_REQUESTS,
        "GET /requests/{case_id}/mails/{mail_id}/raw": Permission.HANDLE_REQUESTS,
        "GET /received": Permission.READ_REQUESTS,
        "POST /received/{mail_id}/open": Permission.HANDLE_REQUESTS,
    }
)
