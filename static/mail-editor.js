// <mail-editor>: a rich editor around a <textarea> with HTML. The textarea stays the form's field and holds the truth: without
// this script, or for HTML that the editor has no room for, it is edited as source.

import { actions, keys, menu, put } from "./editor/actions.js";
import * as asking from "./editor/asking.js";
import { losses, parseSource, writeSource } from "./editor/document.js";
import { insertText, replaceAll, selectAt } from "./editor/field.js";
import { Handle } from "./editor/handle.js";
import { cleaned, isOwn } from "./editor/pasting.js";
import { adopt, hasWords, picturesIn, shownAt } from "./editor/pictures.js";
import { extensions } from "./editor/schema.js";
import { slashList } from "./editor/slash.js";
import { tagSource } from "./editor/tags.js";
import { Toolbar } from "./editor/toolbar.js";

/**
 * Attributes: `module` is the URL of the ES module with Tiptap, `tags` the known tag names, separated by blanks, `media` the address below
 * which pictures lie and are uploaded here, `hosted` the same for recipients, `colours` the brand's ("brand=#0b57b8/#8ab8ff", by light and
 * by dark).
 * A <template> inside holds the toolbar, the switch between design and source, a notice, and the small forms.
 * Events, all bubbling: `input` from the textarea, `mail-editor:mode`, `mail-editor:braces` ({{ was typed in the design).
 */
class MailEditor extends HTMLElement {
  #tiptap;
  #editor;
  #toolbar;
  #parts;
  #bubbles;
  #handle;
  #tools = {
    editor: () => this.#editor,
    pm: () => this.#tiptap.pm,
    ask: (kind) => this.#ask(kind),
    parse: (source) => this.#parse(source),
    tell: (words) => this.#tell(words),
  };
  #actions = actions(this.#tools);
  #known = new Set();
  #before = "";
  #adopting = new Set();

  constructor() {
    super();
    this.addEventListener("change", (event) => event.target.name === "editor-mode" && this.#switch(event));
    this.addEventListener("keydown", (event) => event.altKey && event.key === "F10" && this.#toolbar.focus());
  }

  async connectedCallback() {
    this.textarea = this.querySelector("textarea");
    this.#known = new Set((this.getAttribute("tags") ?? "").split(/\s+/));
    this.#furnish();
    try {
      this.#tiptap ??= await import(this.getAttribute("module"));
    } catch {
      this.toggleAttribute("failed", true);
      return this.#say("failed");
    }
    if (this.isConnected && !this.#editor) this.design();
    this.toggleAttribute("ready", true);
  }

  disconnectedCallback() {
    this.#leaveDesign();
    this.#parts?.forEach((part) => part.remove());
    this.#bubbles?.remove();
    this.#handle?.button.remove();
    this.#parts = this.#bubbles = this.#handle = null;
    this.removeAttribute("ready");
  }

  get mode() {
    return this.#editor ? "design" : "source";
  }

  /** Edit as a designed text. Stays in the source, and says why, when something in it would get lost. */
  design() {
    if (this.#editor || !this.#tiptap) return this.#show();
    const lost = losses(this.textarea.value, (source) => writeSource(this.#tiptap.pm.model, this.#parse(source)));
    if (lost.length) {
      this.#say("kept", lost);
      return this.#show();
    }
    this.#enterDesign();
  }

  /** Edit as HTML source. */
  source() {
    this.#leaveDesign();
    this.#say(null);
    this.#show();
  }

  focus() {
    if (this.#editor) this.#editor.commands.focus();
    else this.textarea.focus();
  }

  /** Insert the tag `name` at the cursor; `typed` characters before it (as many as were typed to ask for it) give way. */
  insertTag(name, typed = 0) {
    if (!this.#editor) return insertText(this.textarea, tagSource(name), typed);
    const { from, to } = this.#editor.state.selection;
    const chip = { type: "mailTag", attrs: { source: tagSource(name) } };
    this.#editor.chain().focus().insertContentAt({ from: from - typed, to }, chip).run();
  }

  /**
   * Insert HTML with tags at the cursor; `typed` characters before it give way. What the design has no room for is written into the source,
   * which is shown then.
   */
  insertSource(html, typed = 0) {
    if (this.#editor && losses(html, (source) => writeSource(this.#tiptap.pm.model, this.#parse(source))).length) {
      const place = "{{ here }}";
      const { from, to } = this.#editor.state.selection;
      const chip = { type: "mailTag", attrs: { source: place } };
      this.#editor.chain().insertContentAt({ from: from - typed, to }, chip).run();
      this.source();
      const spot = this.textarea.value.includes(`<p>${place}</p>`) ? `<p>${place}</p>` : place;
      const start = this.textarea.value.indexOf(spot);
      this.textarea.focus();
      this.textarea.setSelectionRange(start, start + spot.length);
      return insertText(this.textarea, html);
    }
    if (!this.#editor) return insertText(this.textarea, html, typed);
    const { from, to } = this.#editor.state.selection;
    const { content } = this.#parse(html).toJSON();
    const isInline = content.length === 1 && content[0].type === "paragraph";
    this.#editor
      .chain()
      .focus()
      .insertContentAt({ from: from - typed, to }, isInline ? content[0].content : content)
      .run();
  }

  /** Insert text at the cursor, as if it were typed. */
  insertText(text) {
    if (!this.#editor) return insertText(this.textarea, text);
    this.#editor.chain().focus().insertContent({ type: "text", text }).run();
  }

  /** Write `mended` wherever the tag stands whose source is `source`; can be undone. */
  replaceTag(source, mended) {
    if (!this.#editor) return replaceAll(this.textarea, this.textarea.value.replaceAll(source, mended));
    const { tr } = this.#editor.state;
    this.#editor.state.doc.descendants((node, position) => {
      if (node.attrs.source === source) tr.setNodeAttribute(position, "source", mended);
      if (node.attrs.href?.includes(source)) tr.setNodeAttribute(position, "href", node.attrs.href.replaceAll(source, mended));
      for (const mark of node.marks.filter((mark) => mark.attrs.href?.includes(source))) {
        const attrs = { ...mark.attrs, href: mark.attrs.href.replaceAll(source, mended) };
        tr.addMark(position, position + node.nodeSize, mark.type.create(attrs));
      }
    });
    if (tr.docChanged) this.#editor.view.dispatch(tr);
  }

  /** Show a tag: select its chip in the design, the characters from `start` to `end` in the source. */
  showTag(source, start, end) {
    if (!this.#editor) return selectAt(this.textarea, start, end);
    let at = null;
    this.#editor.state.doc.descendants((node, position) => {
      if (at === null && node.attrs.source === source) at = position;
    });
    if (at === null) return this.focus();
    this.#editor.chain().focus().setNodeSelection(at).scrollIntoView().run();
  }

  /** Where the cursor is in the window. */
  cursorRect() {
    if (this.#editor) return this.#editor.view.coordsAtPos(this.#editor.state.selection.from);
    const { left, top } = this.textarea.getBoundingClientRect();
    return { left: left + 12, right: left + 12, top, bottom: top + 28 };
  }

  #furnish() {
    if (this.#parts) return;
    const furniture = this.querySelector("template").content.cloneNode(true);
    this.#bubbles = furniture.querySelector("[data-part=bubbles]");
    this.#parts = [...furniture.children].filter((part) => part !== this.#bubbles);
    // The small forms stand outside: this element is usually inside a form, and forms do not nest.
    (this.closest("main") ?? document.body).append(this.#bubbles);
    this.prepend(...this.#parts);
    this.surface = this.querySelector("[data-part=surface]");
    this.#paint();
    const menus = this.#bubbles.querySelectorAll("[data-part=menu]");
    this.#toolbar = new Toolbar(this.querySelector("[role=toolbar]"), menus, (kind) => this.#ask(kind));
    this.querySelector("[data-part=simplify]")?.addEventListener("click", () => this.#simplify());
    this.querySelector("[data-part=restore]")?.addEventListener("click", () => this.#restore());
  }

  /** The brand's own colours, in the design and in the menu of colours. */
  #paint() {
    for (const pair of (this.getAttribute("colours") ?? "").split(/\s+/).filter(Boolean)) {
      const [name, light, dark] = pair.split(/[=/]/);
      for (const part of [this.surface, this.#bubbles]) part.style.setProperty(`--mail-${name}`, `light-dark(${light}, ${dark})`);
    }
  }

  #switch(event) {
    event.stopPropagation();
    if (event.target.value === "design") this.design();
    else this.source();
    if (this.mode === event.target.value) this.focus();
  }

  #parse(source) {
    const { model } = this.#tiptap.pm;
    this.schema ??= this.#tiptap.getSchema(this.#extensions());
    return model.DOMParser.fromSchema(this.schema).parse(parseSource(source));
  }

  #extensions() {
    return extensions(this.#tiptap, {
      placeholder: this.textarea.placeholder,
      // What a list of services knows of each is judged by the server, which sees the list around it.
      isKnown: (name) => this.#known.has(name) || /^(service|forloop)\./.test(name),
      shownAt: (src) => shownAt(src, this.getAttribute("media"), this.getAttribute("hosted")),
      onTag: (position) => asking.tag(this.#editor, this.#form("tag"), position),
      onBlock: (kind) => this.#ask(kind),
      slash: slashList(this.#tiptap, this.#bubbles.querySelector("[data-part=blocks]"), (option, range) => put(this.#tools, option, range)),
      keys: keys(this.#actions),
      onBraces: () => this.dispatchEvent(new CustomEvent("mail-editor:braces", { bubbles: true })),
    });
  }

  #enterDesign() {
    const label = this.textarea.labels[0];
    this.#editor = new this.#tiptap.Editor({
      element: this.surface,
      injectCSS: false,
      extensions: this.#extensions(),
      content: this.#parse(this.textarea.value).toJSON(),
      editorProps: {
        attributes: { role: "textbox", "aria-multiline": "true", "aria-label": label?.textContent.trim() ?? "Body", class: "mail-design" },
        handleKeyDown: (_view, event) => this.#key(event),
        transformPastedHTML: (html) => (isOwn(html) ? html : cleaned(html)),
        handlePaste: (_view, event) => this.#take(event.clipboardData, event),
        handleDrop: (view, event, _slice, moved) => !moved && this.#take(event.dataTransfer, event, view),
      },
      onUpdate: () => {
        this.#write();
        adopt(this.#editor, this.getAttribute("media"), this.#adopting);
      },
      onTransaction: () => this.#toolbar.refresh(),
    });
    const { state } = this.#tiptap.pm;
    const open = (at) => menu(this.#bubbles.querySelector("#block-menu"), at);
    this.#handle ??= new Handle(this.querySelector("[data-part=handle]"), this.surface, state, open);
    this.#handle.view = this.#editor.view;
    this.#toolbar.editor = this.#editor;
    this.#toolbar.refresh();
    this.#say(null);
    this.#show();
  }

  #leaveDesign() {
    if (this.#handle) this.#handle.view = null;
    this.#editor?.destroy();
    this.#editor = null;
    if (this.#toolbar) this.#toolbar.editor = null;
  }

  #write() {
    this.textarea.value = writeSource(this.#tiptap.pm.model, this.#editor.state.doc);
    this.textarea.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #show() {
    const design = this.mode === "design";
    this.dataset.mode = this.mode;
    this.textarea.hidden = design;
    this.surface.hidden = !design;
    this.querySelector("[data-part=tools]").hidden = !design;
    for (const radio of this.querySelectorAll("[name=editor-mode]")) radio.checked = radio.value === this.mode;
    this.dispatchEvent(new CustomEvent("mail-editor:mode", { bubbles: true, detail: this.mode }));
  }

  /** Show one of the template's notices, or none. `lost` are the things named in it. */
  #say(kind, lost = []) {
    for (const notice of this.querySelectorAll("[data-notice]")) notice.hidden = notice.dataset.notice !== kind;
    const words = this.querySelector(`[data-notice="${kind}"] [data-part=lost]`);
    if (words) words.textContent = lost.length > 1 ? `${lost.slice(0, -1).join(", ")} and ${lost.at(-1)}` : lost.join("");
  }

  #simplify() {
    this.#before = this.textarea.value;
    this.textarea.value = cleaned(this.#before, { fromWeb: true });
    this.#enterDesign();
    this.#write();
    this.#say("simplified");
    this.focus();
  }

  #restore() {
    this.#leaveDesign();
    replaceAll(this.textarea, this.#before);
    this.design();
  }

  #key(event) {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      this.#ask("link");
      return true;
    }
    return false;
  }

  #ask(kind, file) {
    if (kind in this.#actions) return this.#actions[kind]();
    return asking[kind](this.#editor, this.#form(kind), this.cursorRect(), this.getAttribute("media"), file);
  }

  #tell(words) {
    this.querySelector("[data-part=told]").textContent = words;
    return true;
  }

  /** Take pictures that were dropped or pasted as files; true when there are some. A paste that also has its words is taken as these. */
  #take(transfer, event, view) {
    const files = picturesIn(transfer);
    if (!files.length || (!view && hasWords(transfer.getData("text/html")))) return false;
    event.preventDefault();
    const at = view?.posAtCoords({ left: event.clientX, top: event.clientY });
    if (at) this.#editor.commands.setTextSelection(at.pos);
    this.#askForEach(files);
    return true;
  }

  async #askForEach(files) {
    for (const file of files) await this.#ask("picture", file);
  }

  #form(kind) {
    return this.#bubbles.querySelector(`[data-kind=${kind}]`);
  }
}

customElements.define("mail-editor", MailEditor);
