// What a mail may hold in the rich editor: Tiptap's plain blocks and marks, and our own link, button, picture and tag.

import { blocks } from "./blocks.js";
import { TAG, describe } from "./tags.js";

/**
 * The editor's extensions. `tiptap` is the module out of the wheel; `isKnown(name)` tells whether a tag exists; `shownAt(src)` is where
 * the browser finds a picture; `onTag(position)` is called when a chip is to be edited; `onBraces()` when {{ is being typed, just before
 * the second brace stands there; `onBlock(kind)` when a block of that kind is to be edited; `slash` is the plugin of the list of blocks;
 * `keys` are shortcuts with what they do.
 */
export function extensions(tiptap, { placeholder, isKnown, shownAt, onTag, onBraces, onBlock, slash, keys }) {
  const { Node, Mark, Extension } = tiptap;

  const Tag = Node.create({
    name: "mailTag",
    group: "inline",
    inline: true,
    atom: true,
    selectable: true,
    addAttributes: () => ({ source: { default: "" } }),
    parseHTML: () => [{ tag: "mail-tag", getAttrs: (element) => ({ source: element.getAttribute("source") }) }],
    renderHTML: ({ node }) => ["mail-tag", { source: node.attrs.source }, node.attrs.source],
    renderText: ({ node }) => node.attrs.source,
    addNodeView: () => (view) => new TagView(view, isKnown, onTag),
    addKeyboardShortcuts() {
      return {
        Enter: () => {
          const { selection } = this.editor.state;
          if (selection.node?.type !== this.type) return false;
          onTag(selection.from);
          return true;
        },
      };
    },
    addProseMirrorPlugins() {
      const type = this.type;
      return [
        new tiptap.Plugin({
          appendTransaction: (transactions, _old, state) =>
            transactions.some((transaction) => transaction.docChanged) ? chipTags(state, type) : null,
          props: {
            handleTextInput: (view, from, to, text) => {
              if (text !== "{" || view.state.doc.textBetween(Math.max(0, from - 1), from) !== "{") return false;
              onBraces();
              view.dispatch(view.state.tr.insertText(text, from, to));
              return true;
            },
          },
        }),
      ];
    },
  });

  const Link = Mark.create({
    name: "link",
    priority: 1000,
    inclusive: false,
    addAttributes: () => ({ href: { default: "" }, title: { default: null }, target: { default: null }, rel: { default: null } }),
    parseHTML: () => [{ tag: "a[href]" }],
    renderHTML: ({ HTMLAttributes }) => ["a", HTMLAttributes, 0],
  });

  const Fill = Mark.create({
    name: "fill",
    inclusive: false,
    parseHTML: () => [{ tag: "mark.fill", getAttrs: (element) => element.className === "fill" && null }],
    renderHTML: () => ["mark", { class: "fill" }, 0],
    // A click into a part selects all of it, so that what is typed takes its place; a double click sets the cursor in it.
    addProseMirrorPlugins() {
      const handleClick = ({ state }, position) => {
        if (!this.type.isInSet(state.doc.resolve(position).marks())) return false;
        return this.editor.chain().setTextSelection(position).extendMarkRange("fill").run();
      };
      return [new tiptap.Plugin({ props: { handleClick } })];
    },
  });

  const Button = Node.create({
    name: "mailButton",
    group: "block",
    content: "inline*",
    marks: "",
    addAttributes: () => ({ href: { default: "", rendered: false } }),
    parseHTML: () => [
      {
        tag: "p.button",
        priority: 100,
        contentElement: "a",
        getAttrs: (element) =>
          element.children.length === 1 && element.firstElementChild.matches("a[href]") && element.className === "button"
            ? { href: element.firstElementChild.getAttribute("href") }
            : false,
      },
    ],
    renderHTML: ({ node }) => ["p", { class: "button" }, ["a", { href: node.attrs.href }, 0]],
    addKeyboardShortcuts() {
      return {
        Enter: () => {
          const { $from } = this.editor.state.selection;
          if ($from.parent.type !== this.type) return false;
          const after = $from.after();
          return this.editor.chain().insertContentAt(after, { type: "paragraph" }).setTextSelection(after + 1).run();
        },
      };
    },
  });

  const attribute = (name) => ({ [name]: { default: null, parseHTML: (element) => element.getAttribute(name) } });
  const Picture = Node.create({
    name: "picture",
    group: "inline",
    inline: true,
    draggable: true,
    addAttributes: () => Object.assign({}, ...["src", "alt", "title", "width", "height"].map(attribute)),
    parseHTML: () => [{ tag: "img[src]" }],
    renderHTML: ({ HTMLAttributes }) => ["img", HTMLAttributes],
    addNodeView: () => (view) => new PictureView(view, shownAt),
  });

  const OrderedList = Node.create({
    name: "orderedList",
    group: "block list",
    content: "listItem+",
    addAttributes: () => ({
      start: {
        default: 1,
        parseHTML: (element) => Number(element.getAttribute("start") ?? 1),
        renderHTML: ({ start }) => (start === 1 ? {} : { start }),
      },
    }),
    parseHTML: () => [{ tag: "ol" }],
    renderHTML: ({ HTMLAttributes }) => ["ol", HTMLAttributes, 0],
  });

  const Lists = Extension.create({
    name: "listKeys",
    addKeyboardShortcuts() {
      const toggle = (list) => () => this.editor.commands.toggleList(list, "listItem");
      return { "Mod-Shift-7": toggle("orderedList"), "Mod-Shift-8": toggle("bulletList") };
    },
  });

  const Keys = Extension.create({
    name: "blockKeys",
    addKeyboardShortcuts: () => keys,
    addProseMirrorPlugins: () => (slash ? [slash] : []),
  });

  const { Document, Paragraph, Text, HardBreak, Heading, BulletList, ListItem, Blockquote, HorizontalRule } = tiptap;
  const { Bold, Italic, Underline, Strike, UndoRedo, Gapcursor, Dropcursor, Placeholder } = tiptap;
  return [
    Document.extend({ content: "(block | section)+" }), ...blocks(tiptap, { onBlock }), Keys,
    Text, Button, Paragraph, HardBreak, Heading.configure({ levels: [1, 2, 3] }),
    BulletList, OrderedList, ListItem, Lists, Blockquote, HorizontalRule, Picture, Tag,
    Link, Fill, Bold, Italic, Underline, Strike, UndoRedo, Gapcursor,
    Dropcursor.configure({ color: false, class: "block-drop", width: 3 }), Placeholder.configure({ placeholder }),
  ];
}

/** A transaction that turns every tag that stands in the document as text into a chip; null when there is none. */
function chipTags(state, type) {
  const found = [];
  state.doc.descendants((node, position, parent) => {
    if (!node.isText || !parent.type.contentMatch.matchType(type)) return;
    for (const match of node.text.matchAll(TAG)) {
      found.push([position + match.index, position + match.index + match[0].length, type.create({ source: match[0] }, null, node.marks)]);
    }
  });
  if (!found.length) return null;
  const { tr } = state;
  for (const [from, to, chip] of found.reverse()) tr.replaceWith(from, to, chip);
  return tr;
}

/** A picture as the recipient sees it: one that travels inside the mail is shown by its address. */
class PictureView {
  constructor({ node }, shownAt) {
    this.shownAt = shownAt;
    this.dom = document.createElement("img");
    this.update(node);
  }

  update(node) {
    if (node.type.name !== "picture") return false;
    for (const [name, value] of Object.entries({ ...node.attrs, src: this.shownAt(node.attrs.src) })) {
      if (value === null || value === "") this.dom.removeAttribute(name);
      else if (this.dom.getAttribute(name) !== String(value)) this.dom.setAttribute(name, value);
    }
    this.dom.toggleAttribute("data-no-words", !node.attrs.alt);
    return true;
  }
}

/** A tag as a chip. It is one character to the cursor; a click or Enter asks for its text where the value is empty. */
class TagView {
  constructor({ node, getPos }, isKnown, onTag) {
    this.isKnown = isKnown;
    this.dom = document.createElement("span");
    this.dom.contentEditable = "false";
    this.dom.addEventListener("click", () => onTag(getPos()));
    this.update(node);
  }

  update(node) {
    if (node.type.name !== "mailTag") return false;
    const { name, label, fallback } = describe(node.attrs.source);
    this.dom.className = "tag";
    this.dom.dataset.tag = name;
    this.dom.toggleAttribute("data-unknown", Boolean(name) && !this.isKnown(name));
    this.dom.textContent = label;
    const words = !name ? `Rule: ${label}` : fallback ? `Tag ${name}, “${fallback}” where it is empty` : `Tag ${name}`;
    this.dom.title = words;
    this.dom.setAttribute("aria-label", words);
    return true;
  }

  ignoreMutation() {
    return true;
  }
}
