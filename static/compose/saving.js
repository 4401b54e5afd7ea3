// Saving while typing: what the page knows about its own state, and that nothing typed gets lost.

const form = document.getElementById("compose");
const state = () => document.getElementById("draft-saved");

/** Counts changes; `saved` is the count at which the last saved request left. */
let typed = 0;
let saved = 0;
let leaving = null;
let body = "";
let underWay = false;

export const unsaved = () => typed !== saved;
export const save = () => htmx.trigger(form, "save");

export function watchSaving() {
  form.addEventListener("input", changed);
  form.addEventListener("change", (event) => event.target.dataset.saveOn === "change" && changed());
  form.addEventListener("submit", submitted);
  form.addEventListener("htmx:beforeRequest", sending);
  form.addEventListener("htmx:afterRequest", answered);
  form.addEventListener("htmx:beforeSwap", (event) => {
    // A conflict is told on the page, although its status is an error's.
    if (event.detail.xhr.status === 409) Object.assign(event.detail, { shouldSwap: true, isError: false });
  });
  // A half-typed address is no address yet: Reply-To is saved when it is left.
  for (const field of form.querySelectorAll("[data-save-on=change]")) {
    field.addEventListener("input", (event) => event.stopPropagation());
  }
  window.addEventListener("beforeunload", (event) => unsaved() && event.preventDefault());
  window.addEventListener("online", () => unsaved() && save());
  document.addEventListener("click", leave);
  document.addEventListener("click", resolveConflict);
}

/** The page is left by its button. What a request under way makes of the message is our own doing: the server is told. */
function submitted() {
  saved = typed;
  if (underWay) form.elements.lost.value = body;
}

function changed() {
  typed += 1;
  say("Not saved yet");
}

function sending(event) {
  if (event.target !== form) return;
  // Two braces are no mistake to be told of while their tag is being chosen; the choice, or its end, saves.
  if (document.querySelector("#tag-palette[data-braces]:popover-open")) return event.preventDefault();
  event.detail.xhr.typed = typed;
  body = new URLSearchParams(new FormData(form)).toString();
  underWay = true;
  if (unsaved()) say("Saving…");
}

function answered(event) {
  if (event.target !== form) return;
  underWay = false;
  const { xhr } = event.detail;
  const lost = form.elements.lost;
  if (xhr.status >= 200 && xhr.status < 300) {
    saved = xhr.typed;
    lost.value = "";
    form.elements.reply_to.setAttribute("aria-invalid", String(Boolean(document.querySelector("#reply-to-problem .field-error"))));
    if (unsaved()) say("Not saved yet");
    else if (leaving) location.assign(leaving);
    return;
  }
  leaving = null;
  say("Not saved");
  // Nobody knows whether the server took it: the next request says what was sent, so that it is not held for somebody else's.
  if (xhr.status === 0 || xhr.status >= 500) lost.value = body;
}

/** A link pressed before the last words are saved: save first, then go. */
function leave(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || !unsaved() || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.target || link.origin !== location.origin || link.hasAttribute("hx-get") || link.dataset.dialog) return;
  if (link.hasAttribute("data-discard")) return void (saved = typed);
  if (document.querySelector("#conflict > *")) return;
  event.preventDefault();
  leaving = link.href;
  save();
}

/** "Keep mine": say that we know the other's version, so that the next save goes over it. */
function resolveConflict(event) {
  const button = event.target.closest?.("[data-keep-mine]");
  if (!button) return;
  event.preventDefault();
  form.elements.base.value = button.dataset.keepMine;
  document.getElementById("conflict").replaceChildren();
  changed();
  save();
}

function say(words) {
  if (state()) state().textContent = words;
}
