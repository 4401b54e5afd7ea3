"""Files that mails show or carry: the library, attachments, files of single recipients, and how they get into mails."""
