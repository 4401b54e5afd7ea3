// The second click of a double click often meets something else than the first: the next page's button, a dialog's, or what took the place
// of the one that was pressed. It was meant for neither and does nothing. This is no module: it must be there before the first button is.

(() => {
  /** Milliseconds within which a click may be the second of two. */
  const SECOND_WITHIN = 2000;

  /** Pixels that a hand moves between the two; and where the first one sent something or opened a question, also a hurried hand. */
  const SAME_PLACE = 3;
  const NEAR = 16;

  /** Nobody has seen yet what came so many milliseconds ago, however long it took to come, up to a minute. */
  const UNSEEN = 1000;
  const LONGEST = 60_000;

  const KEPT_AS = "massmail-last-click";
  const CONTROLS = "a[href], button, summary, label, input, select, tr[data-link]";
  const shown = performance.now();

  /** Keys are pressed on what has the focus and on nothing else: only clicks of a pointer count. */
  function look(event) {
    const control = event.target instanceof Element && event.target.closest(`${CONTROLS}, dialog`);
    if (!control || !event.isTrusted || !event.detail) return;
    const now = {
      x: event.clientX,
      y: event.clientY,
      at: performance.timeOrigin + event.timeStamp,
      what: nameOf(control),
      acts: acts(control),
      page: performance.timeOrigin,
      inDialog: Boolean(control.closest("dialog")),
    };
    const before = read();
    if (before && now.what !== before.what && (isSecond(now, before) || isUnseen(now, before, event.timeStamp))) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else write(now);
  }

  /** Pressing one thing again and again is meant so: the next recipient, and the next. */
  function isSecond(now, before) {
    return now.at - before.at < SECOND_WITHIN && distance(now, before) < SAME_PLACE;
  }

  /** A page or a dialog came in between, where the first click had sent something or asked for something. */
  function isUnseen(now, before, sinceLoad) {
    if (!before.acts || distance(now, before) >= NEAR) return false;
    const isNewPage = now.page !== before.page;
    const longest = isNewPage && sinceLoad - shown < UNSEEN ? LONGEST : SECOND_WITHIN;
    return (isNewPage || (now.inDialog && !before.inDialog)) && now.at - before.at < longest;
  }

  /** Whether it sends something, or opens a question: a button of a form that is posted as a whole page, or one of a dialog. */
  function acts(control) {
    if (control.closest("[data-dialog]")) return true;
    const button = control.closest("button:not([type=button])");
    return Boolean(button?.form && button.form.method === "post" && !button.form.hasAttribute("hx-post"));
  }

  function distance(one, other) {
    return Math.hypot(one.x - other.x, one.y - other.y);
  }

  /** A label and what it belongs to are one thing. */
  function nameOf(control) {
    const { id, name = "", value = "", ariaLabel, textContent } = control.control ?? control;
    return [location.pathname, id, name, value, ariaLabel ?? textContent.trim().slice(0, 80)].join(" ");
  }

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(KEPT_AS));
    } catch {
      return null;
    }
  }

  function write(click) {
    try {
      sessionStorage.setItem(KEPT_AS, JSON.stringify(click));
    } catch {
      // Where nothing may be kept, the server's own checks are left: nothing happens twice.
    }
  }

  window.addEventListener("click", look, true);
})();
