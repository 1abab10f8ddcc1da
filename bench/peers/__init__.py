"""What a user might pick instead, each as its documentation says, with the plain design around it: the same API, keys,
templates and server. Queued email by django-post-office; another queue, django-q2; and no queue at all.
"""
