"""Tags: what may be written between braces, what is wrong with it, and what it becomes.

>>> from webapp.core.rules import tags
>>> tags.used('Hi {{ first_name | default: "there" }}, your {{ service_domain }} is due.')
('first_name', 'service_domain')
"""

from webapp.core.rules.tags.check import TagProblem, check
from webapp.core.rules.tags.names import BY_NAME, FIELDS, TAGS, Tag, TagGroup, tags_for
from webapp.core.rules.tags.parser import used

__all__ = ["BY_NAME", "FIELDS", "TAGS", "Tag", "TagGroup", "TagProblem", "check", "tags_for", "used"]
