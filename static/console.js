// What htmx and HTML do not cover: dialogs by attribute, toasts that leave, menus beside their button, rows that link.

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
  if (event.target === dialog) dialog.close();
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
new MutationObserver(watchToasts).observe(document.getElementById("toasts") ?? document.body, { childList: true });
watchToasts();

// The server did not answer, or answered with a fault that brought no toast of its own.
const troubles = () => document.querySelectorAll("#toasts .toast[data-trouble]");
const say = (message) => {
  const template = document.getElementById("toast-template");
  if (!template || troubles().length) return;
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.querySelector("span").textContent = message;
  toast.dataset.trouble = "";
  document.getElementById("toasts").append(toast);
};
document.addEventListener("htmx:sendError", () => say("The console does not answer. Nothing was lost; it will be tried again with your next change."));
document.addEventListener("htmx:beforeSwap", (event) => {
  // Errors that the server rendered for #toasts are shown although their status is 4xx or 5xx. Trouble is said once, however often a page
  // asks meanwhile, and taken back when the console works again.
  const { xhr } = event.detail;
  const isTrouble = xhr.status >= 500;
  if (!isTrouble) for (const toast of troubles()) toast.remove();
  if (xhr.status >= 400 && xhr.getResponseHeader("HX-Retarget") === "#toasts") event.detail.shouldSwap = !isTrouble || !troubles().length;
  else if (isTrouble) say("The console is not well just now. Nothing was lost; try again in a moment.");
});

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
  if (!(form instanceof HTMLFormElement) || form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 4000);
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
