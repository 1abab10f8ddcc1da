from django.apps import AppConfig


class NotificationProcessorConfig(AppConfig):
    name = "notification_processor"
    verbose_name = "Events and messages"
