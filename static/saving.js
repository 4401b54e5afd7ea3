// Saving while one types: what a page knows about its own state, and that nothing gets lost when it is left.
// A page has one such form. htmx saves it, also on its event "save"; its field `lost` says what an unanswered request sent, so that
// what the server made of it is not held for somebody else's doing.

/** Bytes; browsers send no more than 64 KiB from a page that is gone. */
const MOST_SENT_LAST = 60_000;

/** Milliseconds for which the page's own button waits for what is being saved. */
const MOST_WAITED = 2000;

let id = "";
let asks = false;

/** Counts changes. `saved` is the count at which the last saved request left, `refused` that of the last one the server would not take,
 * `sentLast` that of the one that was sent while the page was left. */
let typed = 0;
let saved = 0;
let refused = 0;
let sentLast = 0;
let go = null;
let body = "";
let underWay = false;
let waiting = 0;
let late = false;

const form = () => document.getElementById(id);

const unsaved = () => typed !== saved;
const save = () => htmx.trigger(form(), "save");

/** Whether saving would help: not where somebody has to decide or to mend something first. */
const queued = () => unsaved() && typed !== refused && !document.querySelector("#conflict > *");

/** Watch the form with this id, which may come later. `counts` are the events that change it; with `first` they are heard before htmx hears
 * them, which sends the form at once on some. Before the page is left with something unsaved the browser asks, if `asks` is set, or else
 * the rest is sent without a word where it can be. */
export function watchSaving(formId, options) {
  ({ id, asks } = { id: formId, asks: false, ...options });
  for (const type of options.counts) {
    document.addEventListener(type, (event) => form()?.contains(event.target) && changed(), options.first);
  }
  document.addEventListener("htmx:beforeRequest", sending);
  document.addEventListener("htmx:afterRequest", answered);
  document.addEventListener("htmx:beforeSwap", tell);
  document.addEventListener("click", clicked);
  document.addEventListener("submit", submitted, true);
  document.addEventListener("DOMContentLoaded", catchUp);
  window.addEventListener("beforeunload", leaving);
  window.addEventListener("pagehide", () => !asks && queued() && sendLast());
  window.addEventListener("pageshow", (event) => event.persisted && shownAgain());
  window.addEventListener("online", () => unsaved() && save());
  document.addEventListener("sign-in-declined", () => (go = null));
}

function shownAgain() {
  late = false;
  if (unsaved()) save();
}

export function changed() {
  typed += 1;
  say("Not saved yet");
}

/** Save what was changed before this script, or htmx, was there. What a browser put back that returned to the page is no such change. */
function catchUp() {
  const isNew = performance.getEntriesByType("navigation")[0]?.type === "navigate";
  if (isNew && !asks && [...(form()?.elements ?? [])].some(differs)) changed();
  if (unsaved()) save();
}

const differs = (control) =>
  control.matches("[type=checkbox], [type=radio]")
    ? control.checked !== control.defaultChecked
    : control.matches("input:not([type=hidden])") && control.value !== control.defaultValue;

/** What is typed is not wanted any more. */
const forget = () => (saved = typed);

function fields() {
  const sent = new URLSearchParams(new FormData(form()));
  sent.delete("lost");
  return sent;
}

function sending(event) {
  if (event.target !== form() || event.defaultPrevented) return;
  event.detail.xhr.typed = typed;
  body = fields().toString();
  underWay = true;
  if (unsaved()) say("Saving…");
}

function answered(event) {
  if (event.target !== form()) return;
  underWay = false;
  const { xhr } = event.detail;
  const lost = form().elements.lost;
  if (xhr.status >= 200 && xhr.status < 300) {
    saved = xhr.typed;
    lost.value = "";
    if (unsaved()) return say("Not saved yet");
    clearTimeout(waiting);
    go?.();
    return;
  }
  clearTimeout(waiting);
  // Who is signed out is asked to sign in, and what they wanted then goes on.
  if (xhr.status === 401) return say("Not saved");
  go = null;
  say("Not saved");
  // Nobody knows whether the server took it.
  if (xhr.status === 0 || xhr.status >= 500) lost.value = body;
  else refused = xhr.typed;
}

/** That somebody else was faster is told on the page, although its status is an error's. */
function tell({ detail }) {
  if (detail.requestConfig.elt === form() && detail.xhr.status === 409) Object.assign(detail, { shouldSwap: true, isError: false });
}

/** Say that what is in force is known, so that the next save goes over it. */
function keepMine(button) {
  form().elements.base.value = button.value;
  document.getElementById("conflict").replaceChildren();
  changed();
  save();
}

/** Save first, then do what was asked for. */
function saveAndThen(event, next) {
  event.preventDefault();
  go = next;
  save();
}

function clicked(event) {
  const keep = event.target.closest?.("#conflict [name=keep_mine]");
  if (keep) {
    event.preventDefault();
    return keepMine(keep);
  }
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.target || link.origin !== location.origin || link.hasAttribute("hx-get") || link.dataset.dialog) return;
  if (link.hasAttribute("data-discard")) return void forget();
  const isHere = link.hash && link.href.split("#")[0] === location.href.split("#")[0];
  if (queued() && !isHere) saveAndThen(event, () => location.assign(link.href));
}

function submitted(event) {
  const { target, submitter } = event;
  if (target === form()) {
    // Saved first, so that who is signed out meanwhile stays here with what they typed.
    if (queued() && !late) {
      waiting = setTimeout(() => (late = true) && target.requestSubmit(submitter), MOST_WAITED);
      return saveAndThen(event, () => target.requestSubmit(submitter));
    }
    // The page is left by its own button. What a request under way makes of the form is our own doing: the server is told.
    if (underWay) target.elements.lost.value = body;
    return void forget();
  }
  if (!queued() || target.method === "dialog" || target.hasAttribute("hx-post") || target.hasAttribute("hx-get")) return;
  event.stopImmediatePropagation();
  saveAndThen(event, () => target.requestSubmit(submitter));
}

function leaving(event) {
  if (!unsaved()) return;
  if (asks || !queued() || fields().toString().length > MOST_SENT_LAST) event.preventDefault();
  else sendLast();
}

/** Send what is unsaved in a way that outlives the page. Its answer will find nobody. */
function sendLast() {
  if (sentLast === typed) return;
  sentLast = typed;
  const sent = fields();
  const lost = form().elements.lost;
  const known = underWay ? body : lost.value;
  lost.value = sent.toString(); // should the page stay after all
  sent.set("lost", known);
  fetch(form().action, { method: "POST", body: sent, keepalive: true, headers: { "HX-Request": "true" } }).catch(() => (sentLast = 0));
}

function say(words) {
  const state = document.getElementById("draft-saved");
  if (state) state.textContent = words;
}
