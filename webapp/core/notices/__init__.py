"""Notices: what happens by itself is written down once, and those who asked for it hear of it in the console, by mail and by webhook.

`looking` finds what is news in the facts of the database, `outbox` hands out what is to leave and takes the answers, `lists` is what people
see, `choices` who hears of what, `webhook` where the house's own programs are called.
"""
