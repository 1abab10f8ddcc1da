"""How the console looks, and where its sidebar leads."""

from django.templatetags.static import static

ICON = "traffic_control/icon.svg"
PAGES = "tenants.console_navigation.navigation"
BLUE = {
    "50": "#eff6ff", "100": "#dbeafe", "200": "#bfdbfe", "300": "#93c5fd", "400": "#60a5fa", "500": "#3b82f6",
    "600": "#2563eb", "700": "#1d4ed8", "800": "#1e40af", "900": "#1e3a8a", "950": "#172554",
}  # fmt: skip
UNFOLD = {
    "SITE_TITLE": "Traffic Control",
    "SITE_HEADER": "Traffic Control",
    "SITE_SUBHEADER": "Notifications",
    "SITE_SYMBOL": "alt_route",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "tenants.console_navigation.environment",
    "DASHBOARD_CALLBACK": "monitoring.dashboard.page.context",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static(ICON)}],
    "STYLES": [lambda request: static("tenants/console.css")],
    "SCRIPTS": [lambda request: static("tenants/console.js")],
    "COLORS": {"primary": BLUE},
    "SIDEBAR": {"navigation": PAGES, "show_search": False, "show_all_applications": False},
}
