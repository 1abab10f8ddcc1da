"""Real servers that play the providers, strictly: they refuse what the provider would refuse.

In tests each runs in a thread (`tests.peers.fixtures`); `python -m tests.peers` runs them as a process of their own.
Faults are scripted as words, one for each request (or mail) to come; when the script is used up, they are well again:

    slack_peer.script("500", "429:2", "reset", "ok")     then ok for ever
    slack_peer.always("hang")
"""
