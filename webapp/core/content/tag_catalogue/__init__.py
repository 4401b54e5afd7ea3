"""What the tags say: their values for recipients, and for how many they have none."""

from webapp.core.content.tag_catalogue.examples import example
from webapp.core.content.tag_catalogue.gaps import Gap, gaps
from webapp.core.content.tag_catalogue.learning import learn
from webapp.core.content.tag_catalogue.names import full_name
from webapp.core.content.tag_catalogue.values import load_values

__all__ = ["Gap", "example", "full_name", "gaps", "learn", "load_values"]
