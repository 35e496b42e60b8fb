"""Mail over the standard library's smtplib. Its errors hold what the server said, so no text of theirs is passed on."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from rotator.domain.errors import ConfigError, Refused, RotatorError, Unavailable
from rotator.domain.notice import Notice
from rotator.notify import words
from rotator.notify.wire import Read

DEADLINE = 10.0  # seconds for each answer of the server
_DOMAIN = "rotator.invalid"  # of message ids: names nobody's host (RFC 6761)
_TLS = "set tls and port as the mail server wants them, and ca_file where its authority is your own"

# In this order: the first that fits. Kind of our error, what is wrong, the next action.
_TABLE: tuple[tuple[type[Exception], type[RotatorError], str, str], ...] = (
    (smtplib.SMTPAuthenticationError, Refused, "refused the user or the password",
     "correct username and the file that password_file names"),
    (smtplib.SMTPSenderRefused, Refused, "refused the sender", "let the mail server take this sender, or change it"),
    (smtplib.SMTPRecipientsRefused, Refused, "refused every recipient", "correct to"),
    (smtplib.SMTPNotSupportedError, Refused, "does not offer what tls or username asks for", _TLS),
    (smtplib.SMTPDataError, Refused, "refused the message", "see the mail server's log"),
    (smtplib.SMTPServerDisconnected, Unavailable, "closed the connection", _TLS),
    (smtplib.SMTPResponseException, Unavailable, "answered with an error", "see the mail server's log"),
    (smtplib.SMTPException, Unavailable, "cannot be spoken to", _TLS),
    (ssl.SSLError, Unavailable, "has a certificate that is not trusted, or not for this host", _TLS),
    (TimeoutError, Unavailable, "did not answer in time", "look whether host and port are reached from here"),
    (OSError, Unavailable, "cannot be reached", "correct host and port, or open the way there"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mail:
    """`password` belongs to `username`; without TLS neither is sent. `tls_context` is asked at each connection."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    tls_context: Callable[[], ssl.SSLContext]
    sender: str
    to: tuple[str, ...]
    username: str = ""
    password: Read | None = None
    deadline: float = DEADLINE

    def send(self, notice: Notice) -> None:
        """See wire.Sender."""
        letter = letter_of(notice, self.sender, self.to)
        password = self.password() if self.password is not None else None
        context = self.tls_context()
        try:
            with self._open(context) as server:
                if self.tls == "starttls":
                    server.starttls(context=context)
                if password is not None:
                    server.login(self.username, password.reveal())
                server.send_message(letter)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise _translate(error) from None

    def _open(self, context: ssl.SSLContext) -> smtplib.SMTP:
        if self.tls == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.deadline, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.deadline)


def _translate(error: Exception) -> RotatorError:
    kind, what, fix = next(
        ((kind, what, fix) for foreign, kind, what, fix in _TABLE if isinstance(error, foreign)),
        (ConfigError, "cannot take this message", "correct sender and to"),
    )
    status = getattr(error, "smtp_code", None)
    said = f"the mail server {what}" + (f" ({status})" if isinstance(status, int) and status > 0 else "")
    if issubclass(kind, ConfigError):
        return ConfigError(said, fix=fix)
    return kind(said, fix=fix, code="notice_refused" if kind is Refused else "notice_unavailable")


def letter_of(notice: Notice, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The mail. All that is told of one condition is one thread. Every header is one cleaned line."""
    letter = EmailMessage()
    letter["Subject"] = words.subject(notice)
    letter["From"] = sender
    letter["To"] = ", ".join(to)
    if notice.at is not None:
        letter["Date"] = format_datetime(notice.at)
    letter["Message-ID"] = f"<{notice.id}@{_DOMAIN}>"
    letter["References"] = f"<{hashlib.sha256(notice.key.encode()).hexdigest()[:32]}@{_DOMAIN}>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    letter.set_content(words.text(notice) + "\n")
    return letter
