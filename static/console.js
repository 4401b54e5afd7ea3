// What htmx and HTML do not cover: dialogs by attribute, toasts that leave, menus beside their button, rows that link.

import { watchSignIn } from "./coming-back.js";

const on = (type, selector, handle) =>
  document.addEventListener(type, (event) => {
    const target = event.target instanceof Element && event.target.closest(selector);
    if (target) handle(event, target);
  });

// <button data-dialog="id"> opens <dialog id>; <button data-close> closes the dialog it stands in.
on("click", "[data-dialog]", (event, button) => {
  const dialog = document.getElementById(button.dataset.dialog);
  if (!dialog) return;
  event.preventDefault();
  dialog.showModal();
});
on("click", "[data-close]", (_event, button) => button.closest("dialog")?.close());
on("click", "dialog", (event, dialog) => {
  if (event.target === dialog && dialog.id !== "sign-in-dialog") dialog.close();
});

// A menu opens under the button that names it, and stays inside the window.
document.addEventListener(
  "toggle",
  (event) => {
    const menu = event.target;
    if (!(menu instanceof HTMLElement) || !menu.matches(".menu[popover]") || event.newState !== "open") return;
    const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
    if (!button) return;
    const at = button.getBoundingClientRect();
    const fits = at.left + menu.offsetWidth <= document.body.getBoundingClientRect().right - 8;
    menu.style.left = `${Math.max(8, fits ? at.left : at.right - menu.offsetWidth)}px`;
    const below = at.bottom + 4 + menu.offsetHeight <= window.innerHeight;
    menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - 4 - menu.offsetHeight)}px`;
    menu.querySelector("input, a, button")?.focus();
  },
  true,
);
on("keydown", ".menu[popover]", (event, menu) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const items = [...menu.querySelectorAll("a, button, input")].filter((item) => item.offsetParent !== null);
  const step = event.key === "ArrowDown" ? 1 : -1;
  const next = items[(items.indexOf(document.activeElement) + step + items.length) % items.length];
  event.preventDefault();
  next?.focus();
});

// Toasts leave by themselves, bad news stays until it is read.
const watchToasts = () => {
  for (const toast of document.querySelectorAll("#toasts .toast:not([data-seen])")) {
    toast.dataset.seen = "";
    if (toast.dataset.tone !== "bad") setTimeout(() => toast.remove(), 6000);
  }
};
on("click", ".toast button", (_event, button) => button.closest(".toast").remove());
new MutationObserver(watchToasts).observe(document.getElementById("toasts"), { childList: true });
watchToasts();

// Trouble is what passes by itself: the console, its database or a proxy before it is away. It is said once, however often a page asks
// meanwhile, and taken back when the console answers again. That a change failed is said until a change succeeds, because what is only read
// may work meanwhile.
const AWAY = [0, 502, 503, 504];
const toasts = document.getElementById("toasts");
const said = (selector = "") => [...toasts.querySelectorAll(`.toast${selector}`)];
const isSaid = (words) => said().some((toast) => toast.querySelector("span").textContent === words);

const takeBack = (isChange) => {
  for (const toast of said(isChange ? "[data-trouble]" : "[data-trouble=reading]")) toast.remove();
};

/** Whether trouble is to be said now. What could not be read makes room for what could not be changed. */
const isNews = (isChange) => {
  if (isChange) takeBack(false);
  return !said("[data-trouble]").length;
};

/** Say that something failed, unless this is said already. `trouble`: "reading" or "change", if it passes by itself. */
export const say = (words, trouble = "") => {
  if (isSaid(words) || (trouble && !isNews(trouble === "change"))) return;
  const toast = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  toast.querySelector("span").textContent = words;
  if (trouble) toast.dataset.trouble = trouble;
  toasts.append(toast);
};

const sayAway = (isChange) => {
  const then = isChange ? "What you typed is still on this page; try again in a moment." : "This page shows what it knew last.";
  say(`The console does not answer. ${then}`, isChange ? "change" : "reading");
  watch();
};

const LOOK_MS = 5000;
let watching = 0;

/** Pages need the database and its tables; that Redis is away, too, keeps none from its work. */
const isConsoleWell = async (answer) => {
  if (answer.ok) return true;
  const { database, schema } = await answer.json();
  return database === "ok" && schema === "ok";
};

/** Ask now and then whether the console is well again. Then what a page could not save is saved, as when the network is back. */
const watch = () => {
  watching ||= setTimeout(async () => {
    watching = 0;
    const isWell = await fetch(toasts.dataset.health, { cache: "no-store" }).then(isConsoleWell).catch(() => false);
    if (!isWell) return watch();
    takeBack(false);
    window.dispatchEvent(new Event("online"));
  }, LOOK_MS);
};

const changes = ({ requestConfig }) => requestConfig.verb !== "get";
const wordsOf = (html) => new DOMParser().parseFromString(html, "text/html").querySelector(".toast span")?.textContent;

for (const type of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(type, ({ detail }) => sayAway(changes(detail)));
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  const isChange = changes(event.detail);
  const isAway = AWAY.includes(xhr.status);
  if (!isAway) takeBack(isChange);
  if (xhr.status >= 400 && xhr.getResponseHeader("HX-Retarget") === "#toasts") {
    // htmx shows no answer whose status is an error's, unless it is told to. A toast that a page would bring again and again comes once.
    if (isAway) watch();
    event.detail.shouldSwap = isAway ? isNews(isChange) : !isSaid(wordsOf(xhr.responseText));
  } else if (isAway) sayAway(isChange);
  else if (xhr.status >= 500) say("Something went wrong in the console. What you typed is still on this page; try again.");
});
// A draft without a name is called by its subject: what stands in the empty field of the name follows it.
document.addEventListener("htmx:oobAfterSwap", ({ detail: { target } }) => {
  if (target.id === "draft-title") document.querySelector(".title-input").placeholder = document.getElementById(target.id).textContent;
});
// The page one goes back to cannot be fetched: show what the console says instead.
document.addEventListener("htmx:historyCacheMissLoadError", () => location.reload());

// A table row with data-link is one large link; real links and buttons in it keep their own meaning.
on("click", "tr[data-link]", (event, row) => {
  if (event.target.closest("a, button, input, label, select, summary") || getSelection()?.toString()) return;
  location.href = row.dataset.link;
});

// Selects and checkboxes that act at once: <form data-submit-on-change>. Without JavaScript the form's button does it.
on("change", "[data-submit-on-change]", (_event, form) => form.requestSubmit());

// A button that submits is pressed once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== "post" || event.defaultPrevented) return; // or htmx sends it
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 4000);
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

watchSignIn(say);
