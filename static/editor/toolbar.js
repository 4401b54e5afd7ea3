// The toolbar: one stop for Tab, arrows within it; buttons say whether they are on and whether they can act.

import { COLOURS } from "./blocks.js";

function aligned(align) {
  return (chain) => chain.updateAttributes("paragraph", { align }).updateAttributes("heading", { align });
}

function coloured(name) {
  return { run: (chain) => chain.setMark("colour", { name }), on: (editor) => editor.isActive("colour", { name }) };
}

function inTable(command) {
  return { run: (chain) => chain[command](), can: (editor) => editor.can()[command]() };
}

/** What each button does. `run` gets a chain that already has the focus, `on` and `can` the editor. */
const COMMANDS = {
  bold: { run: (chain) => chain.toggleBold(), on: (editor) => editor.isActive("bold") },
  italic: { run: (chain) => chain.toggleItalic(), on: (editor) => editor.isActive("italic") },
  underline: { run: (chain) => chain.toggleMark("underline"), on: (editor) => editor.isActive("underline") },
  strike: { run: (chain) => chain.toggleMark("strike"), on: (editor) => editor.isActive("strike") },
  align: { on: (editor) => ["center", "right"].some((align) => editor.isActive({ align })) },
  alignStart: { run: aligned(null), on: (editor) => !["center", "right", "left"].some((align) => editor.isActive({ align })) },
  alignCenter: { run: aligned("center"), on: (editor) => editor.isActive({ align: "center" }) },
  alignRight: { run: aligned("right"), on: (editor) => editor.isActive({ align: "right" }) },
  colour: { on: (editor) => editor.isActive("colour") },
  noColour: { run: (chain) => chain.unsetMark("colour"), on: (editor) => !editor.isActive("colour") },
  ...Object.fromEntries(COLOURS.map((name) => [`colour-${name}`, coloured(name)])),
  quote: { run: (chain) => chain.toggleWrap("blockquote"), on: (editor) => editor.isActive("blockquote") },
  table: { can: (editor) => editor.isActive("table") },
  rowAbove: inTable("addRowBefore"),
  rowBelow: inTable("addRowAfter"),
  columnBefore: inTable("addColumnBefore"),
  columnAfter: inTable("addColumnAfter"),
  headerRow: inTable("toggleHeaderRow"),
  deleteRow: inTable("deleteRow"),
  deleteColumn: inTable("deleteColumn"),
  deleteTable: inTable("deleteTable"),
  bullets: { run: (chain) => chain.toggleList("bulletList", "listItem"), on: (editor) => editor.isActive("bulletList") },
  numbers: { run: (chain) => chain.toggleList("orderedList", "listItem"), on: (editor) => editor.isActive("orderedList") },
  text: { run: (chain) => chain.setParagraph(), on: (editor) => editor.isActive("paragraph") },
  heading1: { run: (chain) => chain.setHeading({ level: 1 }), on: (editor) => editor.isActive("heading", { level: 1 }) },
  heading2: { run: (chain) => chain.setHeading({ level: 2 }), on: (editor) => editor.isActive("heading", { level: 2 }) },
  heading3: { run: (chain) => chain.setHeading({ level: 3 }), on: (editor) => editor.isActive("heading", { level: 3 }) },
  fill: { run: (chain) => chain.toggleMark("fill"), on: (editor) => editor.isActive("fill") },
  undo: { run: (chain) => chain.undo(), can: (editor) => editor.can().undo() },
  redo: { run: (chain) => chain.redo(), can: (editor) => editor.can().redo() },
  heading: { on: (editor) => editor.isActive("heading") },
  link: { on: (editor) => editor.isActive("link") },
  button: { on: (editor) => editor.isActive("mailButton") },
  picture: { on: (editor) => editor.isActive("picture") },
  blocks: {},
  block: {},
  moveUp: {},
  moveDown: {},
  duplicate: {},
  remove: {},
  editBlock: { can: (editor) => editor.isActive("spacer") || editor.isActive("social") },
};

export class Toolbar {
  /** `menus` hold more buttons, elsewhere in the page; `ask(kind)` opens what needs more than a click: link, button, picture. */
  constructor(element, menus, ask) {
    this.element = element;
    this.roots = [element, ...menus];
    this.ask = ask;
    this.editor = null;
    this.buttons = [...element.querySelectorAll("button")];
    this.buttons.forEach((button, index) => (button.tabIndex = index ? -1 : 0));
    element.addEventListener("keydown", (event) => this.#move(event));
    element.addEventListener("focusin", (event) => this.#stop(event.target));
    for (const root of this.roots) {
      // The editor keeps its selection while a button is pressed with the mouse.
      root.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
      root.addEventListener("click", (event) => this.#press(event.target.closest("[data-command]")));
    }
  }

  /** Show what is on and possible at the editor's selection. */
  refresh() {
    if (!this.editor) return;
    for (const button of this.roots.flatMap((root) => [...root.querySelectorAll("[data-command]")])) {
      const { on, can } = COMMANDS[button.dataset.command];
      if (on) button.setAttribute("aria-pressed", String(on(this.editor)));
      if (can) button.setAttribute("aria-disabled", String(!can(this.editor)));
    }
  }

  focus() {
    this.buttons.find((button) => button.tabIndex === 0)?.focus();
  }

  #press(button) {
    if (!button || button.hasAttribute("popovertarget") || !this.editor || button.getAttribute("aria-disabled") === "true") return;
    const { run } = COMMANDS[button.dataset.command];
    button.closest("[popover]")?.hidePopover();
    if (!run) return this.ask(button.dataset.command);
    run(this.editor.chain().focus()).run();
  }

  #move(event) {
    const shown = this.buttons.filter((button) => button.offsetParent !== null);
    const at = shown.indexOf(event.target.closest("button"));
    const last = shown.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    shown[to].focus();
  }

  #stop(target) {
    for (const button of this.buttons) button.tabIndex = button === target ? 0 : -1;
  }
}
