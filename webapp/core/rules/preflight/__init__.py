"""What may be wrong with a mass mail before it leaves: judgements of values, one file a family.

findings.py         one thing found: what, why, and where it is fixed
left_out.py         what of the content cannot work in a mail, or goes from it
doubtful_links.py   links that lead nowhere in particular, or unprotected
pictures.py         pictures without words
inbox.py            what the list of an inbox shows of it, and what it cuts
contrast.py         text too pale for its background
size.py             a mail so large that Gmail cuts it
filter_words.py     words that filters have seen too often
attachment_words.py an attachment that is named and not there
text_part.py        a text part that was written for another body
night.py            what time it is where the recipients live
"""

from webapp.core.rules.preflight.findings import Family, Finding, Severity

__all__ = ["Family", "Finding", "Severity"]
