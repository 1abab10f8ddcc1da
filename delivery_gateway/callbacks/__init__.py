"""What providers tell after they took a message: delivered, bounced, complained of.

`views` finds the integration and proves the call, `mail_services` and `standard` put it into our words, `receiving`
changes the ledger.
"""
