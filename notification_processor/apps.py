from django.apps import AppConfig


class NotificationProcessorConfig(AppConfig):
    name = "notification_processor"
    verbose_name = "Events and messages"

    def ready(self) -> None:
        from notification_processor import fresh_links
        from notification_processor.people import HOLDING
        from notification_processor.starters import give_starters
        from notification_processor.workflows import subjects
        from tenants.signals import tenant_registered
        from traffic_control import people
        from user_preferences.pages import fresh_links as pages_fresh_links
        from user_preferences.pages.subjects import plug

        people.hold(HOLDING)
        plug(subjects)
        pages_fresh_links.plug(fresh_links.post)
        tenant_registered.connect(give_starters, dispatch_uid="notification_processor.starters")
