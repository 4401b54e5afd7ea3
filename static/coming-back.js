// When the sign-in has ended meanwhile: a window asks for it over the page, on which all that was typed stays, and what was asked of the
// console then is asked again. A page that somebody left open and signed in anew elsewhere goes on without a question.

const SIGNED_OUT = 401;

/** What was turned away: element -> how to ask again. And of which of them that was done already, so that none is asked for ever. */
const waiting = new Map();
const repeated = new Set();

let dialog;
let say;
let opening = false;
let declined = false;

/** Watch all requests of htmx. `sayIt(words, trouble)` says what somebody has to know. */
export function watchSignIn(sayIt) {
  dialog = document.getElementById("sign-in-dialog");
  say = sayIt;
  if (!dialog) return;
  document.addEventListener("htmx:beforeSwap", showRefusal);
  document.addEventListener("htmx:responseError", turnedAway);
  document.addEventListener("htmx:afterRequest", ({ detail }) => detail.successful && repeated.delete(detail.elt));
  dialog.addEventListener("htmx:afterSettle", lookInside);
  dialog.addEventListener("close", closed);
  window.addEventListener("focus", lookElsewhere);
  document.addEventListener("visibilitychange", lookElsewhere);
}

/** That a password is wrong, or was tried too often, is told in the window, although its status is an error's. */
function showRefusal({ detail }) {
  const { xhr, target } = detail;
  if (dialog.contains(target) && xhr.status >= 400 && xhr.status < 500 && !xhr.getResponseHeader("HX-Retarget")) {
    Object.assign(detail, { shouldSwap: true, isError: false });
  }
}

function turnedAway({ detail: { xhr, elt, requestConfig } }) {
  if (xhr.status !== SIGNED_OUT || dialog.contains(elt)) return;
  const { verb, path, triggeringEvent } = requestConfig;
  if (repeated.delete(elt)) return say("You could not be signed in. Does this browser keep the cookies of this console?");
  waiting.set(elt, { verb, path, event: triggeringEvent });
  // Whoever has said "not now" is asked again when they do something, and not because the page looks for news.
  if (!declined || verb !== "get" || triggeringEvent?.isTrusted) open();
}

/** Once for all that was turned away at the same time: a window that came a second time would take away what is typed in the first. */
async function open() {
  if (dialog.open || opening) return;
  opening = true;
  const answer = await ask().catch(() => "");
  opening = false;
  if (!answer) return say("You are signed out, and the sign-in did not come. What you typed is still on this page.");
  dialog.replaceChildren(...read(answer).body.childNodes);
  htmx.process(dialog);
  lookInside();
}

const read = (html) => new DOMParser().parseFromString(html, "text/html");

async function ask() {
  const answer = await fetch(dialog.dataset.src, { cache: "no-store" });
  return answer.ok ? answer.text() : "";
}

/** The window has come, or the answer to what was typed in it. */
function lookInside() {
  const end = dialog.querySelector("#signed-in");
  if (end) return goOn(end.dataset.token);
  const email = dialog.querySelector("[name=email]");
  if (!email) return;
  if (!dialog.open) {
    email.value ||= dialog.dataset.email;
    dialog.showModal();
  }
  const wrong = dialog.querySelector("[aria-invalid=true]");
  (wrong ?? (email.value ? dialog.querySelector("[name=password]") : email)).focus();
}

/** Who comes by a one-time link signs in with it in another tab, and returns here. */
async function lookElsewhere() {
  if (!dialog.open || document.hidden) return;
  const answer = await ask().catch(() => "");
  const end = read(answer).getElementById("signed-in");
  if (end && dialog.open) goOn(end.dataset.token);
}

/** Everything on the page is sent with the token of the new sign-in from now on. */
function goOn(token) {
  declined = false;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
  const again = [...waiting];
  waiting.clear();
  dialog.close();
  dialog.replaceChildren();
  for (const [elt, { verb, path, event }] of again) {
    if (!elt.isConnected) continue;
    repeated.add(elt);
    htmx.ajax(verb, path, { source: elt, event }).catch(() => {});
  }
}

function closed() {
  if (!waiting.size) return;
  declined = true;
  say("You are signed out, so nothing is saved. What you typed is still on this page, and is saved when you sign in.", "change");
  document.dispatchEvent(new Event("sign-in-declined"));
}
