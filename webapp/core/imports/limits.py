"""How large the parts of a file may be, so that no file fills the memory, the database or a page."""

LONGEST_LINE = 1_000_000
"""Characters of a line."""
LONGEST_HEADER = 64 * 1024
"""Characters of what stands above the rows, the line of column names included."""
MOST_COLUMNS = 500
MOST_EMPTY_LINES = 100_000
"""So many lines with nothing in them, one after the other, are no list any more."""
LONGEST_NAME = 200
"""Characters of a column name that are kept."""
LONGEST_SAMPLE = 200
"""Characters of a value that are shown as an example."""
LONGEST_VALUE = 500
"""Characters of a refused or repaired value that are listed; the download has the whole row."""

BATCH_ROWS = 1_000
BATCH_CELLS = 20_000
BATCH_CHARACTERS = 2_000_000
"""A batch of rows ends with the first of these: it takes a fraction of a second, and between two the work can be stopped."""
