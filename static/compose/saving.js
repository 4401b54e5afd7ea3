// Saving the message while it is typed: what the compose page has beyond ../saving.js.

import { changed, watchSaving as watch } from "../saving.js";

const form = document.getElementById("compose");

export function watchSaving() {
  // Two braces are no mistake to be told of while their tag is being chosen; the choice, or its end, saves.
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target === form && document.querySelector("#tag-palette[data-braces]:popover-open")) event.preventDefault();
  });
  watch("compose", { counts: ["input"], asks: true });
  form.addEventListener("change", (event) => event.target.dataset.saveOn === "change" && changed());
  form.addEventListener("htmx:afterRequest", (event) => event.target === form && event.detail.successful && markReplyTo());
  // A half-typed address is no address yet: Reply-To is saved when it is left.
  for (const field of form.querySelectorAll("[data-save-on=change]")) {
    field.addEventListener("input", (event) => event.stopPropagation());
  }
}

const markReplyTo = () =>
  form.elements.reply_to.setAttribute("aria-invalid", String(Boolean(document.querySelector("#reply-to-problem .field-error"))));
