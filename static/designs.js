// A template being written: the palette of tags, as where a message is composed.

import { watchPalette } from "./compose/palette.js";

watchPalette();
