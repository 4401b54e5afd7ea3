// The toolbar: one stop for Tab, arrows within it; buttons say whether they are on and whether they can act.

/** What each button does. `run` gets a chain that already has the focus, `on` and `can` the editor. */
const COMMANDS = {
  bold: { run: (chain) => chain.toggleBold(), on: (editor) => editor.isActive("bold") },
  italic: { run: (chain) => chain.toggleItalic(), on: (editor) => editor.isActive("italic") },
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
    if (!run) return this.ask(button.dataset.command);
    button.closest("[popover]")?.hidePopover();
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
