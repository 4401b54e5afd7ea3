// Problems beside the preview: go to the place, or take the name that was meant. And the text part, derived or written by hand.

import { replaceAll, selectAt } from "../editor/field.js";

const form = document.getElementById("compose");
const editor = document.getElementById("body-editor");

export function watchMending() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-mend], [data-show]");
    if (!button) return;
    event.preventDefault();
    const { field, source, mended, start, end } = button.closest("[data-field]").dataset;
    if (field === "text") document.getElementById("text-part").open = true;
    if (button.hasAttribute("data-mend")) mend(field, source, mended);
    else show(field, source, Number(start), Number(end));
  });
}

function mend(field, source, mended) {
  if (field === "html") return editor.replaceTag(source, mended);
  const input = form.elements[field];
  replaceAll(input, input.value.replaceAll(source, mended));
}

function show(field, source, start, end) {
  if (field === "html") return editor.showTag(source, start, end);
  selectAt(form.elements[field], start, end);
}

export function watchTextPart() {
  const own = form.elements.own_text;
  own.addEventListener("change", () => {
    const text = form.elements.text;
    if (!own.checked) return;
    if (!text.value) text.value = document.getElementById("derived-text").textContent;
    text.focus();
  });
}

/** Somebody was added or left out: who is previewed may have changed, and the tags are counted over others. */
export function watchRecipients() {
  document.getElementById("recipients-panel").addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig.verb !== "post" || !event.detail.successful) return;
    htmx.trigger(document.body, "recipients-changed");
    htmx.trigger(document.body, "tags-changed");
  });
}
