"""The message of a draft: what it is, and what becomes of it for each client.

fields.py        the fields, each with its one name
completeness.py  what a message lacks
problems.py      what is wrong with it, and where
compiling.py     from content and values to a mail
tag_catalogue/   what the tags say for each client, and for how many they say nothing
previews/        the mail as one recipient would get it
trial_sends.py   the mail to somebody who writes it
"""
