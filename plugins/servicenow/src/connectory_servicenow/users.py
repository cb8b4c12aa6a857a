"""The columns of user tables.

The Table API returns all columns unless some are named, and cannot leave one out. A user's record contains the hash of
the password, and records are passed on to the customer unchanged. So for users all columns are named except that one.
The cost: columns that an instance has added must be named in `servicenow.contacts.fields` or
`servicenow.agents.fields`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PASSWORD = "user_password"

_COLUMNS = """
    sys_id sys_created_on sys_created_by sys_updated_on sys_updated_by sys_mod_count sys_class_name sys_domain
    sys_domain_path sys_tags
    user_name name first_name middle_name last_name introduction title email phone mobile_phone home_phone
    employee_number gender street city state zip country latitude longitude
    active vip locked_out failed_attempts last_login last_login_time last_login_device password_needs_reset
    web_service_access_only internal_integration_user enable_multifactor_authn geolocation_tracked
    time_zone preferred_language date_format time_format notification calendar_integration default_perspective
    schedule on_schedule agent_status last_position_update photo avatar source roles business_criticality
    building location company department manager cost_center ldap_server
    average_daily_fte correlation_id hr_integration_source sso_source time_sheet_policy
    account edu_status active_escalation
"""
COLUMNS = tuple(_COLUMNS.split())


def without_password(names: Iterable[str]) -> list[str]:
    """The column names, each once and without the password, also as part of a dot-walk (`caller_id.user_password`)."""
    stripped = (name.strip() for name in names)
    return list(dict.fromkeys(name for name in stripped if name and name.rpartition(".")[2] != PASSWORD))
