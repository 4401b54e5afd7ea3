"""Hand mails to the relay over SMTP (RFC 5321): many at a time, each accounted for (`SmtpMailer`), or one (`send_one`).

addresses.py   where the relay is
failures.py    the words for a connection that fails
replies.py     bytes from the relay -> replies
wire.py        a non-blocking socket, plain or TLS, that knows what has left it
opening.py     from the TCP connection to the first mail: banner, EHLO, STARTTLS, AUTH
connection.py  one connection: mail after mail, and who is in doubt when it breaks
limits.py      how many connections the relay takes, and how many mails on each
knowledge.py   what a mailer knows about these limits, and tells others
mailer.py      the loop over all connections
one_off.py     a single mail
flask_front.py Flask-Mail with time-outs and verified TLS: test sends and notices
"""

from webapp.adapters.smtp.mailer import SmtpMailer
from webapp.adapters.smtp.one_off import send_one

__all__ = ["SmtpMailer", "send_one"]
