// The schedule page.

import { watchSaving } from "./saving.js";

watchSaving("schedule-form", { counts: ["input", "change"], first: true });
