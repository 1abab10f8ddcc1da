"""The plain design: a notification service as most teams first write it, to compare Traffic Control with.

One Celery task per message, each row saved three times, a new connection per mail, results kept, templates
compiled on every use, Django REST framework under gunicorn. Nothing is slowed down on purpose, and nothing is tuned.
"""
