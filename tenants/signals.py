"""What the apps above may want to hear of a tenant, without this one knowing them."""

from django.dispatch import Signal

# Sent by `services.register` inside its transaction, with `tenant`: a receiver that raises undoes the registration.
tenant_registered = Signal()
