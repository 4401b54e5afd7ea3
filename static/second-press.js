// The second half of a double click. A page, or a dialog, may have come in between, with another button under the pointer: what was pressed
// for one is not pressed for the other.

const NEAR_PX = 16;
const LATE_MS = 2000;
/** Nobody has seen yet what came so short a time ago, however long it took to come. */
const UNSEEN_MS = 1000;
const MOST_MS = 60_000;
const KEY = "massmail-pressed";

const shown = performance.now();
const when = (event) => performance.timeOrigin + event.timeStamp;

const read = () => {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
};
const write = (press) => {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(press));
  } catch {
    // Where nothing may be kept, the server's own check is left: nothing happens twice.
  }
};

/** What sends something or asks a question: a button of a form that is posted as a whole page, or one that opens a dialog. */
const acts = (target) => {
  const opener = target.closest("[data-dialog]");
  const button = target.closest("button:not([type=button])");
  const form = button?.form;
  return opener ?? (form?.method === "post" && !form.hasAttribute("hx-post") ? button : null);
};

document.addEventListener(
  "click",
  (event) => {
    if (!event.isTrusted || event.detail === 0 || !(event.target instanceof Element)) return; // a key was pressed, not a place
    const before = read();
    const isNear = before && Math.hypot(event.clientX - before.x, event.clientY - before.y) < NEAR_PX;
    const passed = before && when(event) - before.at;
    const isNew = before && before.page !== performance.timeOrigin && event.timeStamp - shown < UNSEEN_MS;
    const isSoon = before && passed >= 0 && passed < (isNew ? MOST_MS : LATE_MS);
    const inDialog = Boolean(event.target.closest("dialog"));
    const isElsewhere = before && (before.page !== performance.timeOrigin || (inDialog && !before.inDialog));
    if (isNear && isSoon && isElsewhere) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (!acts(event.target)) return;
    write({ x: event.clientX, y: event.clientY, at: when(event), page: performance.timeOrigin, inDialog });
  },
  true,
);
