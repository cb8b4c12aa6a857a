"""The labels of choices, as shown on the screen."""

_STATE = {"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled"}
_LEVEL = {"1": "1 - High", "2": "2 - Medium", "3": "3 - Low"}

CHOICES: dict[tuple[str, str], dict[str, str]] = {
    ("incident", "state"): _STATE,
    ("incident", "incident_state"): _STATE,
    ("task", "state"): {
        "-5": "Pending",
        "1": "Open",
        "2": "Work in Progress",
        "3": "Closed Complete",
        "4": "Closed Incomplete",
        "7": "Closed Skipped",
    },
    ("task", "impact"): _LEVEL,
    ("task", "urgency"): _LEVEL,
    ("task", "priority"): {
        "1": "1 - Critical",
        "2": "2 - High",
        "3": "3 - Moderate",
        "4": "4 - Low",
        "5": "5 - Planning",
    },
    ("incident", "severity"): _LEVEL,
    ("incident", "category"): {
        "inquiry": "Inquiry / Help",
        "software": "Software",
        "hardware": "Hardware",
        "network": "Network",
        "database": "Database",
    },
    ("incident", "subcategory"): {
        "email": "Email",
        "os": "Operating System",
        "cpu": "CPU",
        "memory": "Memory",
        "dns": "DNS",
        "vpn": "VPN",
        "oracle": "Oracle",
        "sql server": "MS SQL Server",
    },
    ("incident", "notify"): {"1": "Do Not Notify", "2": "Send Email"},
    ("incident", "hold_reason"): {
        "1": "Awaiting Caller",
        "2": "Awaiting Evidence",
        "3": "Awaiting Problem Resolution",
        "4": "Awaiting Vendor",
    },
    ("incident", "close_code"): {
        "Solved (Permanently)": "Solved (Permanently)",
        "Solved (Work Around)": "Solved (Work Around)",
        "Closed/Resolved by Caller": "Closed/Resolved by Caller",
        "Not Solved (Not Reproducible)": "Not Solved (Not Reproducible)",
    },
    ("task", "contact_type"): {
        "email": "Email",
        "phone": "Phone",
        "self-service": "Self-service",
        "walk-in": "Walk-in",
    },
    ("task", "approval"): {
        "not requested": "Not Yet Requested",
        "requested": "Requested",
        "approved": "Approved",
        "rejected": "Rejected",
    },
    ("task", "upon_approval"): {"proceed": "Proceed to Next Task", "do_nothing": "Wait for a User to Close this task"},
    ("task", "upon_reject"): {"cancel": "Cancel all future Tasks", "goto": "Go to a previous Task"},
    ("task", "escalation"): {"0": "Normal", "1": "Moderate", "2": "High", "3": "Overdue"},
}


def choices_for(lineage: tuple[str, ...], field: str) -> dict[str, str]:
    for table in lineage:
        if found := CHOICES.get((table, field)):
            return found
    return {}


def code_for(choices: dict[str, str], label: str) -> str:
    """The stored code of a label; other text is stored unchanged, as the platform does."""
    wanted = label.casefold()
    return next((code for code, text in choices.items() if text.casefold() == wanted), label)
