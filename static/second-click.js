// The second click of a double click often meets something else than the first: the next page's button, or what took the place of the
// one that was pressed. It was meant for neither and does nothing. This is no module: it must be there before the first button is.

(() => {
  /** Milliseconds within which a click may be the second of two. */
  const SECOND_WITHIN = 2000;

  /** Pixels that a hand moves between the two. */
  const SAME_PLACE = 3;

  const KEPT_AS = "massmail-last-click";
  const CONTROLS = "a[href], button, summary, label, input, select, tr[data-link]";

  /** Keys are pressed on what has the focus and on nothing else: only clicks of a pointer count. */
  function look(event) {
    const control = event.target instanceof Element && event.target.closest(CONTROLS);
    if (!control || !event.isTrusted || !event.detail) return;
    const now = { x: event.clientX, y: event.clientY, at: performance.timeOrigin + event.timeStamp, what: nameOf(control) };
    if (isSecond(now, JSON.parse(sessionStorage.getItem(KEPT_AS)))) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else sessionStorage.setItem(KEPT_AS, JSON.stringify(now));
  }

  /** Pressing one thing again and again is meant so: the next recipient, and the next. */
  function isSecond(now, before) {
    if (!before || now.what === before.what) return false;
    return now.at - before.at < SECOND_WITHIN && Math.hypot(now.x - before.x, now.y - before.y) < SAME_PLACE;
  }

  /** A label and what it belongs to are one thing. */
  function nameOf(control) {
    const { id, name = "", value = "", ariaLabel, textContent } = control.control ?? control;
    return [location.pathname, id, name, value, ariaLabel ?? textContent.trim().slice(0, 80)].join(" ");
  }

  window.addEventListener("click", look, true);
})();
