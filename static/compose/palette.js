// The palette of tags: inserts where the cursor last was, in subject, body or text.

import { place } from "../editor/bubble.js";
import { insertText } from "../editor/field.js";
import { tagSource } from "../editor/tags.js";
import { canStand, make } from "./tag-builder.js";

const palette = document.getElementById("tag-palette");
const CHOICES = "[data-tag], [data-make]";
const search = palette.querySelector("input");
const editor = document.getElementById("body-editor");

const home = palette.parentElement;

let field = editor;
let typed = 0;
let picked = false;

export function watchPalette() {
  document.addEventListener("focusin", ({ target }) => {
    if (target.closest("mail-editor") && !target.closest(".editor-head, .editor-bar")) field = editor;
    else if (target.matches("[data-takes-tags]")) field = target;
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "/" && document.activeElement.closest("#compose, [data-takes-tags]")) {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert-tag]");
    if (!button) return;
    if (button.dataset.insertTag) field = document.getElementById(button.dataset.insertTag);
    open(button.getBoundingClientRect());
  });
  editor.addEventListener("mail-editor:braces", () => open(undefined, 2));
  document.addEventListener("input", (event) => {
    const input = event.target;
    if (event.inputType !== "insertText" || event.data !== "{") return;
    if (!input.matches("[data-takes-tags], mail-editor textarea")) return;
    if (input.value.slice(0, input.selectionStart).endsWith("{{")) open(undefined, 2);
  });
  palette.addEventListener("click", (event) => pick(event.target.closest(CHOICES)));
  palette.addEventListener("keydown", keys);
  palette.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    const hadFocus = palette.contains(document.activeElement);
    home.append(palette);
    if (picked) return;
    // Closed without a choice, the cursor goes back to where it was, and the braces are saved as they are.
    if (hadFocus) field.focus();
    if (typed) (field === editor ? editor.textarea : field).dispatchEvent(new Event("input", { bubbles: true }));
  });
  search.addEventListener("input", () => (typed && search.value.endsWith("}}") ? writeOut() : narrow()));
}

function open(at = (field.cursorRect ?? field.getBoundingClientRect).call(field), braces = 0) {
  typed = braces;
  palette.toggleAttribute("data-braces", braces > 0);
  picked = false;
  search.value = "";
  narrow();
  // An open popover closes all others but those it stands in: a small form that asks for an address stays open behind the palette.
  ((field !== editor && field.closest("[popover]")) || home).append(palette);
  palette.showPopover();
  place(palette, at);
  search.focus();
}

const shown = () => [...palette.querySelectorAll(CHOICES)].filter((button) => !button.hidden);

function narrow() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const button of palette.querySelectorAll(CHOICES)) {
    const { tag = "", make: kind } = button.dataset;
    const text = `${button.textContent} ${tag}`.toLowerCase();
    button.hidden = !words.every((word) => text.includes(word)) || (kind !== undefined && !canStand(kind, field, field === editor));
  }
  for (const group of palette.querySelectorAll("[role=group]")) group.hidden = !shown().some((button) => group.contains(button));
  palette.querySelector("[data-part=none]").hidden = shown().length > 0;
  mark(shown()[0]);
}

function mark(button) {
  for (const other of palette.querySelectorAll("[aria-selected=true]")) other.setAttribute("aria-selected", "false");
  button?.setAttribute("aria-selected", "true");
  button?.scrollIntoView({ block: "nearest" });
  search.setAttribute("aria-activedescendant", button?.id ?? "");
}

function keys(event) {
  const buttons = shown();
  const at = buttons.findIndex((button) => button.getAttribute("aria-selected") === "true");
  if (event.key === "Enter") {
    event.preventDefault();
    pick(buttons[at]);
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    event.stopPropagation();
    mark(buttons[(at + (event.key === "ArrowDown" ? 1 : -1) + buttons.length) % buttons.length]);
  }
}

/** Whoever knows the tag types it to its end: what went into the search goes where it was meant to. */
function writeOut() {
  picked = true;
  palette.hidePopover();
  if (field === editor) editor.insertText(search.value);
  else insertText(field, search.value);
}

function pick(button) {
  if (!button) return;
  picked = true;
  const at = palette.getBoundingClientRect();
  palette.hidePopover();
  if (button.dataset.make) return build(button.dataset.make, { left: at.left, top: at.top, bottom: at.top });
  if (field === editor) editor.insertTag(button.dataset.tag, typed);
  else insertText(field, tagSource(button.dataset.tag), typed);
}

async function build(kind, at) {
  const [into, braces] = [field, typed];
  const source = await make(kind, at, into === editor);
  if (source === null) return into.focus();
  if (into === editor) editor.insertSource(source, braces);
  else insertText(into, source, braces);
}
