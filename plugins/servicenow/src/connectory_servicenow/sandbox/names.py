"""Words and names for the seeded records."""

_FIRST_NAMES = """Abel Ada Amina Astrid Bao Bruno Carla Chidi Dana Diego Elif Emre Farah Felix Grace Hana Hugo Ines
    Ivan Jonas Jun Kofi Lena Liam Maja Marco Mei Nadia Nils Omar Paula Priya Rafael Rosa Samir Sofia Tariq Uma Vera
    Wanda Xenia Yara Zeno"""
FIRST_NAMES = tuple(_FIRST_NAMES.split())
_LAST_NAMES = """Alvarez Andersen Banerjee Becker Castillo Chen Dubois Eriksen Fischer Garcia Haddad Hansen Ibrahim
    Ivanova Jansen Kaya Kim Kowalski Lindqvist Lopez Martin Mensah Moretti Nakamura Novak Okafor Olsen Patel Pereira
    Quist Rossi Sato Schmidt Silva Tanaka Torres Usman Vogel Warren Weber Xu Yilmaz Zhang"""
LAST_NAMES = tuple(_LAST_NAMES.split())
TITLES = (
    "Network Administrator",
    "Service Desk Agent",
    "Accountant",
    "Field Engineer",
    "Database Administrator",
    "Product Manager",
    "Sales Director",
    "Office Manager",
    "Security Analyst",
    "Warehouse Lead",
)
_COMPANY_WORDS = """Alder Arctic Beacon Birch Cascade Cobalt Delta Ember Fjord Granite Harbor Iris Juniper Kestrel Lumen
    Meridian Nimbus Orchard Pioneer Quarry Ridge Summit Tundra Umber Vertex Willow Yarrow Zenith"""
COMPANY_WORDS = tuple(_COMPANY_WORDS.split())
COMPANY_KINDS = ("Industries", "Logistics", "Foods", "Systems", "Energy", "Health", "Partners", "Retail")
CITIES = (
    ("San Diego", "CA", "USA"),
    ("Chicago", "IL", "USA"),
    ("Austin", "TX", "USA"),
    ("Denver", "CO", "USA"),
    ("Boston", "MA", "USA"),
    ("Toronto", "ON", "Canada"),
    ("Berlin", "", "Germany"),
    ("Bergen", "", "Norway"),
)
STREETS = ("Harbor Street", "Mill Lane", "Station Road", "Market Square", "Pine Avenue", "Canal Walk")
GROUPS = ("Service Desk", "Network", "Hardware", "Software", "Database")
DEPARTMENTS = ("IT", "Finance", "Sales", "Human Resources", "Operations", "Legal")
ITEMS = ("Mail server", "VPN gateway", "Print server", "ERP database", "File share", "Wireless LAN", "Intranet", "CRM")
SERVICES = ("Email", "Remote Access", "Printing", "Payroll")

PROBLEMS: dict[str, tuple[str, ...]] = {
    "inquiry": ("How do I share a calendar?", "Need access to the sales folder", "Where is the expense form?"),
    "software": ("Email client crashes on start", "Spreadsheet macros are blocked", "Update fails with error 1603"),
    "hardware": ("Laptop does not charge", "Monitor flickers", "Printer jams on tray 2"),
    "network": ("VPN drops every ten minutes", "No wireless in meeting room 4", "Shared drive is slow"),
    "database": ("Report query times out", "ERP shows stale prices", "Nightly import failed"),
}
DETAILS = (
    "It started this morning and happens every time. Restarting did not help.",
    "Several colleagues on the same floor see it as well, others do not.",
    "A screenshot is attached; the message disappears after a few seconds.",
    "This blocks the month-end closing, so a workaround would already be welcome.",
    "I tried another device and the result was the same.",
)
REMARKS = (
    "Called the user, no answer. Will try again after lunch.",
    "Could you send the exact text of the message?",
    "Reproduced on a test machine, looking into the logs.",
    "Waiting for the vendor to confirm the fix.",
    "The user says it works again since yesterday evening.",
    "Replaced the cable; please check once more.",
)
CLOSE_CODES = ("Solved (Permanently)", "Solved (Work Around)", "Closed/Resolved by Caller")
CLOSE_NOTES = ("Reinstalled the client.", "Cleared the cache and signed in again.", "Replaced the faulty part.")
