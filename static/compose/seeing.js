// The preview beside what is written, or over it by one key: Alt+P there and back, Escape back.

const button = document.getElementById("preview-over");
const compose = document.querySelector(".compose");
const writing = document.getElementById("writing");
let before = null;

function show(over) {
  if (compose.hasAttribute("data-over") === over) return;
  if (over) before = document.activeElement;
  compose.toggleAttribute("data-over", over);
  writing.inert = over;
  button.setAttribute("aria-pressed", String(over));
  if (over) button.focus({ preventScroll: true });
  else before?.focus({ preventScroll: true });
}

export function watchSeeing() {
  button?.addEventListener("click", () => show(!compose.hasAttribute("data-over")));
  document.addEventListener("keydown", (event) => {
    // By its place on the keyboard: with Alt that key writes another sign on some.
    if (event.altKey && !event.ctrlKey && !event.metaKey && event.code === "KeyP") {
      event.preventDefault();
      show(!compose.hasAttribute("data-over"));
    }
    const isElsewhere = document.querySelector("dialog[open], [popover]:popover-open");
    if (event.key === "Escape" && !event.defaultPrevented && !isElsewhere) show(false);
  });
}
