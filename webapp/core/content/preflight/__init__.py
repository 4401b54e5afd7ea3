"""What may be wrong with the message of a draft, gathered for the review; the judgements are those of `core/rules/preflight/`.

message.py   what is said of one content and the mail that it becomes
largest.py   the largest mail that anybody gets
ticks.py     the warnings that somebody has weighed
"""

from webapp.core.content.preflight.message import LOOKED_FOR, of_content
from webapp.core.content.preflight.ticks import keep, kept, take_back

__all__ = ["LOOKED_FOR", "keep", "kept", "of_content", "take_back"]
