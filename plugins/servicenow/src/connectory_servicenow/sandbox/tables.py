"""The tables of a new instance."""

from .schema import TableSpec, columns

TASK = TableSpec(
    name="task",
    label="Task",
    display="number",
    prefix="TASK",
    own=columns(
        string="""number short_description correlation_display correlation_id approval_history delivery_plan
            delivery_task route_reason task_effective_number sys_domain sys_domain_path""",
        text="description close_notes",
        choice="state impact urgency priority contact_type approval upon_approval upon_reject escalation",
        reference="""opened_by:sys_user assigned_to:sys_user closed_by:sys_user assignment_group:sys_user_group
            company:core_company location:cmn_location cmdb_ci:cmdb_ci business_service:cmdb_ci_service parent:task
            contract:ast_contract service_offering:service_offering universal_request:task""",
        date_time="opened_at closed_at work_start work_end follow_up expected_start approval_set",
        due_date="due_date sla_due activity_due",
        boolean="active made_sla knowledge",
        integer="reassignment_count order",
        duration="business_duration calendar_duration time_worked",
        journal="comments work_notes comments_and_work_notes",
        list="watch_list work_notes_list group_list additional_assignee_list",
        class_name="sys_class_name",
    ),
    defaults={
        "state": "1",
        "impact": "3",
        "urgency": "3",
        "priority": "4",
        "approval": "not requested",
        "upon_approval": "proceed",
        "upon_reject": "cancel",
        "escalation": "0",
        "knowledge": "false",
        "made_sla": "true",
        "active": "true",
        "reassignment_count": "0",
        "sys_domain": "global",
        "sys_domain_path": "/",
    },
)

INCIDENT = TableSpec(
    name="incident",
    label="Incident",
    parent="task",
    display="number",
    prefix="INC",
    own=columns(
        choice="incident_state severity category subcategory notify hold_reason close_code",
        reference="""caller_id:sys_user resolved_by:sys_user reopened_by:sys_user problem_id:problem
            parent_incident:incident caused_by:change_request rfc:change_request""",
        date_time="resolved_at reopened_time",
        string="cause user_input business_impact origin_table origin_id",
        integer="business_stc calendar_stc reopen_count child_incidents",
        list="skills",
    ),
    defaults={
        "priority": "5",
        "incident_state": "1",
        "severity": "3",
        "category": "inquiry",
        "notify": "1",
        "reopen_count": "0",
        "child_incidents": "0",
    },
)

PROBLEM = TableSpec(
    name="problem",
    label="Problem",
    parent="task",
    display="number",
    prefix="PRB",
    own=columns(
        choice="problem_state category subcategory",
        boolean="known_error major_problem",
        integer="related_incidents",
        text="cause_notes fix_notes workaround",
        reference="first_reported_by_task:task rfc:change_request",
    ),
    defaults={"problem_state": "1", "known_error": "false", "major_problem": "false", "related_incidents": "0"},
)

CHANGE = TableSpec(
    name="change_request",
    label="Change Request",
    parent="task",
    display="number",
    prefix="CHG",
    own=columns(
        choice="type risk phase phase_state",
        date_time="start_date end_date",
        text="justification implementation_plan backout_plan test_plan",
        reference="requested_by:sys_user",
    ),
    defaults={"type": "normal", "risk": "3"},
)

USER = TableSpec(
    name="sys_user",
    label="User",
    own=columns(
        string="""user_name first_name last_name middle_name name email phone mobile_phone home_phone title
            employee_number last_login_device time_zone preferred_language date_format time_format notification
            calendar_integration gender city state zip street country latitude longitude default_perspective schedule
            on_schedule photo avatar introduction source roles agent_status last_position_update business_criticality
            average_daily_fte correlation_id hr_integration_source sso_source time_sheet_policy""",
        boolean="""active vip locked_out password_needs_reset web_service_access_only internal_integration_user
            enable_multifactor_authn geolocation_tracked""",
        integer="failed_attempts",
        date="last_login",
        date_time="last_login_time",
        password="user_password",
        reference="""building:cmn_building location:cmn_location company:core_company department:cmn_department
            manager:sys_user cost_center:cmn_cost_center ldap_server:ldap_server_config""",
    ),
    defaults={
        "active": "true",
        "vip": "false",
        "locked_out": "false",
        "password_needs_reset": "false",
        "web_service_access_only": "false",
        "internal_integration_user": "false",
        "enable_multifactor_authn": "false",
        "geolocation_tracked": "false",
        "notification": "2",
        "calendar_integration": "1",
        "business_criticality": "3",
        "sys_domain": "global",
        "sys_domain_path": "/",
    },
)

CUSTOMER_CONTACT = TableSpec(
    name="customer_contact",
    label="Contact",
    parent="sys_user",
    own=columns(reference="account:customer_account", choice="edu_status", boolean="active_escalation"),
)

COMPANY = TableSpec(
    name="core_company",
    label="Company",
    own=columns(
        string="""name phone fax_phone street city state zip country website stock_symbol fiscal_year discount
            rank_tier vendor_type latitude longitude lat_long_error banner_image banner_text theme apple_icon
            stock_price""",
        text="notes",
        integer="num_employees",
        decimal="revenue_per_year profits market_cap",
        boolean="publicly_traded customer vendor manufacturer primary",
        list="vendor_manager",
        reference="parent:core_company contact:sys_user",
    ),
    defaults={
        "publicly_traded": "false",
        "customer": "false",
        "vendor": "false",
        "manufacturer": "false",
        "primary": "false",
        "profits": "0",
        "market_cap": "0",
        "revenue_per_year": "0",
        "sys_domain": "global",
        "sys_domain_path": "/",
    },
)

CUSTOMER_ACCOUNT = TableSpec(
    name="customer_account",
    label="Account",
    parent="core_company",
    prefix="ACCT",
    own=columns(
        string="number account_code account_path registration_code",
        boolean="partner",
        reference="account_parent:customer_account primary_contact:customer_contact",
        list="active_escalation",
    ),
    defaults={"customer": "true", "partner": "false"},
)

ATTACHMENT = TableSpec(
    name="sys_attachment",
    label="Attachment",
    display="file_name",
    own=columns(
        string="""file_name content_type table_name table_sys_id hash state chunk_size_bytes image_width
            image_height average_image_color encryption_context""",
        integer="size_bytes size_compressed",
        boolean="compressed",
    ),
    defaults={"compressed": "true", "state": "available"},
)

JOURNAL = TableSpec(
    name="sys_journal_field",
    label="Journal Entry",
    display="element",
    own=columns(string="element element_id name", text="value"),
)

AUDIT_DELETE = TableSpec(
    name="sys_audit_delete",
    label="Deleted Record",
    display="display_value",
    own=columns(string="tablename documentkey display_value", text="payload"),
)

SCRIPT = TableSpec(
    name="sys_script",
    label="Business Rule",
    own=columns(
        string="name collection when message description",
        integer="order",
        boolean="active action_insert action_update action_delete action_query abort_action add_message advanced",
        text="filter_condition script",
    ),
    defaults={
        "active": "true",
        "when": "before",
        "order": "100",
        "action_insert": "false",
        "action_update": "false",
        "action_delete": "false",
        "abort_action": "false",
        "add_message": "false",
    },
)

DB_OBJECT = TableSpec(
    name="sys_db_object",
    label="Table",
    display="label",
    own=columns(string="name label", reference="super_class:sys_db_object", boolean="is_extendable"),
)

PROPERTIES = TableSpec(
    name="sys_properties",
    label="System Property",
    own=columns(string="name value type description"),
)


def _named(name: str, label: str, **more: str) -> TableSpec:
    strings = f"name {more.pop('string', '')}"
    return TableSpec(name=name, label=label, own=columns(string=strings, **more))


CORE = (
    TASK,
    INCIDENT,
    PROBLEM,
    CHANGE,
    USER,
    COMPANY,
    ATTACHMENT,
    JOURNAL,
    AUDIT_DELETE,
    SCRIPT,
    DB_OBJECT,
    PROPERTIES,
    _named("sys_user_group", "Group", string="description email type", boolean="active", reference="manager:sys_user"),
    _named("cmn_department", "Department", string="id", reference="company:core_company"),
    _named("cmn_location", "Location", string="street city state zip country", reference="parent:cmn_location"),
    _named("cmn_building", "Building"),
    _named("cmn_cost_center", "Cost center"),
    _named("cmdb_ci", "Configuration Item", string="asset_tag serial_number", reference="company:core_company"),
    TableSpec(name="cmdb_ci_service", label="Business Service", parent="cmdb_ci", own=columns(string="service_owner")),
    TableSpec(name="cmdb_ci_server", label="Server", parent="cmdb_ci", own=columns(string="os ip_address")),
    TableSpec(name="service_offering", label="Offering", parent="cmdb_ci_service"),
    _named("ast_contract", "Contract", string="number"),
    _named("ldap_server_config", "LDAP Server"),
)

CUSTOMER_SERVICE = (CUSTOMER_ACCOUNT, CUSTOMER_CONTACT)
"""The tables of the customer service plugin; an instance without it does not have them."""
