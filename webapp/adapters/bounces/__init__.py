"""Where bounces and complaints come in by mail: a listener, a Maildir, a mailbox on an IMAP server.

taking.py    one mail into the database, whichever way it came
listener.py  LMTP and SMTP (aiosmtpd)
maildir.py   a Maildir, such as another mail server fills
imap.py      a mailbox on an IMAP server
"""
