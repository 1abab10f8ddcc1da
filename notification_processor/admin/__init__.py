"""The console's pages for events and what is made of them. Importing registers them."""

from notification_processor.admin import events, templates, workflows

__all__ = ["events", "templates", "workflows"]
