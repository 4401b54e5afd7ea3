// What the palette makes from a small form instead of a tag's syntax: a fallback, a condition, a table or a list of services.

import { ask } from "../editor/bubble.js";
import { conditionSource, servicesSource, tagSource } from "../editor/tags.js";

/** Whether what is made so can stand in a field; `isEditor`: it is the rich editor. */
export function canStand(kind, field, isEditor) {
  if (!isEditor && field.closest("[popover]")) return false;
  return kind === "table" ? isEditor : kind !== "list" || isEditor || field.tagName === "TEXTAREA";
}

/** Ask next to the rectangle `at`, and give the source to insert; null when it was closed. */
export async function make(kind, at, isHtml) {
  const form = document.getElementById("tag-builder");
  const asksTag = kind === "fallback" || kind === "condition";
  const fresh = { fallback: "", known: "", unknown: "", limit: "", none: "" };
  const parts = { asksTag, asksFallback: kind === "fallback", asksCondition: kind === "condition", asksColumns: !asksTag };
  const answering = ask(form, at, { ...fresh, ...parts });
  if (asksTag) {
    form.elements.tag.focus();
    document.body.dispatchEvent(new Event("builder-opened"));
  }
  const answer = await answering;
  if (!answer) return null;
  const { tag, fallback, known, unknown, limit, none } = answer.values;
  if (kind === "fallback") return tagSource(tag, fallback);
  if (kind === "condition") return conditionSource(tag, known, unknown, isHtml);
  const columns = [...form.querySelectorAll("[name=column]:checked")].map((box) => ({ name: box.value, label: box.dataset.label }));
  return columns.length ? servicesSource(isHtml ? kind : "text", columns, limit, none) : null;
}
