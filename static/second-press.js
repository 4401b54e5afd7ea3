// The second half of a double click. A page, or a dialog, may have come in between, with another button under the pointer: what was pressed
// for one is not pressed for the other.

const NEAR_PX = 16;
const LATE_MS = 2000;
const KEY = "massmail-pressed";

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
    const isSoon = before && Date.now() - before.at < LATE_MS && Date.now() >= before.at;
    const isElsewhere = before && (before.page !== performance.timeOrigin || event.target.closest("dialog"));
    if (isNear && isSoon && isElsewhere) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (acts(event.target)) write({ x: event.clientX, y: event.clientY, at: Date.now(), page: performance.timeOrigin });
  },
  true,
);
