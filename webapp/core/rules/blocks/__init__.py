"""What the design view writes: a document of blocks, whose stored form is HTML that the source view shows as it is.

`read` and `write` go between the two; `laid_out` makes of a stored body what leaves in mails. There is one truth, the HTML: a block that
HTML has no element for is marked with `data-block` and the version of its form.
"""

from webapp.core.rules.blocks.document import BlockDocument
from webapp.core.rules.blocks.reading import read
from webapp.core.rules.blocks.rendering import laid_out, uses_blocks
from webapp.core.rules.blocks.writing import write

__all__ = ["BlockDocument", "laid_out", "read", "uses_blocks", "write"]
