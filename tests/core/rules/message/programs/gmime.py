"""Reads mails with GMime, under the Python that has its bindings. Names of files come in, one a line; a line of JSON each goes out."""

import json
import sys
from pathlib import Path

import gi

gi.require_version("GMime", "3.0")
from gi.repository import GMime  # noqa: E402


def main() -> None:
    GMime.init()
    for line in sys.stdin:
        data = Path(line.rstrip("\n")).read_bytes()
        mail = GMime.Parser.new_with_stream(GMime.StreamMem.new_with_buffer(data)).construct_message(None)
        said: dict[str, str] = {}
        whole = mail.get_mime_part()
        walk(whole, said)
        found = {
            "subject": mail.get_subject() or "",
            "from_": mailbox(mail.get_from()),
            "to": mailbox(mail.get_to()),
            "text": said.get("text/plain"),
            "html": said.get("text/html"),
            "fields": [*names(mail.get_header_list()), *names(whole.get_header_list())],
        }
        print(json.dumps(found), flush=True)


def names(fields) -> list[str]:
    return [fields.get_header_at(place).get_name() for place in range(fields.get_count())]


def mailbox(found) -> list[str]:
    assert found.length() == 1, "not one address"
    one = found.get_address(0)
    return [one.get_name() or "", one.get_idn_addr()]


def walk(part, said: dict[str, str]) -> None:
    if isinstance(part, GMime.Multipart):
        for place in range(part.get_count()):
            walk(part.get_part(place), said)
    else:
        said[part.get_content_type().get_mime_type()] = part.get_text()


if __name__ == "__main__":
    main()
