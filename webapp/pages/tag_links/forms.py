"""The form of Settings, Links in mails."""

from flask_wtf import FlaskForm
from wtforms import StringField

from webapp.core.tables.tag_links import TagLink


class TagLinkForm(FlaskForm):
    """A new link; one that there is keeps its name."""

    name = StringField("Name of the tag")
    label = StringField("Words of the link")
    pattern = StringField("Address")

    @classmethod
    def of(cls, link: TagLink) -> "TagLinkForm":
        return cls(formdata=None, name=link.name, label=link.label, pattern=link.pattern)
