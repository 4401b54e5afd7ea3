// The compose page.

import { watchMending, watchRecipients, watchTextPart } from "./compose/problems.js";
import { watchPalette } from "./compose/palette.js";
import { watchSaving } from "./compose/saving.js";
import { watchSeeing } from "./compose/seeing.js";
import "./mail-preview.js";

watchSaving();
watchPalette();
watchMending();
watchTextPart();
watchRecipients();
watchSeeing();
