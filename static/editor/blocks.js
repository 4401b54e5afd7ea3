// Blocks that HTML has no element for, each in the one form in which it is stored: marked with data-block and a version. The reading and
// writing rules of the server (core/rules/blocks) are the same, and a test holds them together.

export const COLOURS = ["brand", "muted", "red", "amber", "green", "blue"];
const ALIGNED = /^align-(left|center|right)$/;
const VERSION = "1";
const MARK = (name) => ({ "data-block": name, "data-version": VERSION });
const RULE = (element, name) => `${element}[data-block="${name}"][data-version="${VERSION}"]`;

/** The extensions for blocks, alignment and colours. `onBlock(kind)` is called when a block is to be edited that is more than its words. */
export function blocks(tiptap, { onBlock }) {
  const { Node, Mark, Extension } = tiptap;
  const editOnEnter = (kind) =>
    function shortcuts() {
      return {
        Enter: () => {
          if (this.editor.state.selection.node?.type !== this.type) return false;
          onBlock(kind);
          return true;
        },
      };
    };

  const Columns = Node.create({
    name: "columns",
    group: "section",
    content: "column{2,3}",
    isolating: true,
    parseHTML: () => [{ tag: RULE("div", "columns"), priority: 100 }],
    renderHTML: () => ["div", MARK("columns"), 0],
  });

  const Column = Node.create({
    name: "column",
    content: "block+",
    isolating: true,
    parseHTML: () => [{ tag: "div[data-column]", context: "columns/", priority: 100 }],
    renderHTML: () => ["div", { "data-column": "" }, 0],
  });

  const Spacer = Node.create({
    name: "spacer",
    group: "block",
    atom: true,
    addAttributes: () => ({ height: { default: 24, renderHTML: ({ height }) => ({ "data-height": height }) } }),
    parseHTML: () => [{ tag: RULE("div", "spacer"), priority: 100, getAttrs: heightOf }],
    renderHTML: ({ HTMLAttributes }) => ["div", { ...MARK("spacer"), ...HTMLAttributes }],
    addNodeView: () => (view) => new SpacerView(view, onBlock),
    addKeyboardShortcuts: editOnEnter("spacer"),
  });

  const Social = Node.create({
    name: "social",
    group: "block",
    atom: true,
    addAttributes: () => ({ links: { default: [], rendered: false } }),
    parseHTML: () => [{ tag: RULE("ul", "social"), priority: 100, getAttrs: linksOf }],
    renderHTML: ({ node }) => ["ul", MARK("social"), ...node.attrs.links.map(([words, href]) => ["li", ["a", { href }, words]])],
    addNodeView: () => (view) => new SocialView(view, onBlock),
    addKeyboardShortcuts: editOnEnter("social"),
  });

  const Unsubscribe = Node.create({
    name: "unsubscribe",
    group: "block",
    content: "inline*",
    parseHTML: () => [{ tag: RULE("p", "unsubscribe"), priority: 100 }],
    renderHTML: () => ["p", MARK("unsubscribe"), 0],
  });

  const Footer = Node.create({
    name: "footer",
    group: "block",
    content: "paragraph+",
    parseHTML: () => [{ tag: RULE("div", "footer"), priority: 100 }],
    renderHTML: () => ["div", MARK("footer"), 0],
  });

  const Colour = Mark.create({
    name: "colour",
    priority: 200,
    addAttributes: () => ({ name: { default: "red", renderHTML: ({ name }) => ({ class: `colour-${name}` }) } }),
    parseHTML: () => [{ tag: "span[class]", getAttrs: colourOf }],
    renderHTML: ({ HTMLAttributes }) => ["span", HTMLAttributes, 0],
  });

  const Align = Extension.create({
    name: "align",
    addGlobalAttributes: () => [
      {
        types: ["paragraph", "heading"],
        attributes: {
          align: {
            default: null,
            parseHTML: (element) => ALIGNED.exec(element.className)?.[1] ?? null,
            renderHTML: ({ align }) => (align ? { class: `align-${align}` } : {}),
          },
        },
      },
    ],
  });

  return [...tables(tiptap), Columns, Column, Spacer, Social, Unsubscribe, Footer, Colour, Align];
}

/** Tables of facts. The library's own write widths into style attributes, which the console's policy forbids. */
function tables({ Table, TableRow, TableCell, TableHeader }) {
  const span = (name) => ({
    default: 1,
    parseHTML: (element) => Number(element.getAttribute(name) ?? 1) || 1,
    renderHTML: (attributes) => (attributes[name] > 1 ? { [name]: attributes[name] } : {}),
  });
  const cell = {
    content: "paragraph+",
    addAttributes: () => ({ colspan: span("colspan"), rowspan: span("rowspan"), colwidth: { default: null, rendered: false } }),
  };
  return [
    Table.extend({
      parseHTML: () => [{ tag: RULE("table", "table"), priority: 100 }],
      renderHTML: () => ["table", MARK("table"), ["tbody", 0]],
      addNodeView: () => null,
    }).configure({ resizable: false, allowTableNodeSelection: true }),
    TableRow,
    TableCell.extend({ ...cell, parseHTML: () => [{ tag: "td" }], renderHTML: ({ HTMLAttributes }) => ["td", HTMLAttributes, 0] }),
    TableHeader.extend({ ...cell, parseHTML: () => [{ tag: "th" }], renderHTML: ({ HTMLAttributes }) => ["th", HTMLAttributes, 0] }),
  ];
}

function heightOf(element) {
  const height = Number(element.dataset.height);
  return Number.isInteger(height) && height > 0 && height <= 200 && { height };
}

function linksOf(element) {
  const links = [...element.querySelectorAll(":scope > li > a[href]")];
  return links.length > 0 && { links: links.map((link) => [link.textContent, link.getAttribute("href")]) };
}

function colourOf(element) {
  const name = element.className.replace(/^colour-/, "");
  return element.className !== name && COLOURS.includes(name) && { name };
}

class SpacerView {
  constructor({ node }, onBlock) {
    this.dom = document.createElement("div");
    this.dom.className = "block-spacer";
    this.dom.addEventListener("dblclick", () => onBlock("spacer"));
    this.update(node);
  }

  update(node) {
    if (node.type.name !== "spacer") return false;
    this.dom.style.height = `${node.attrs.height}px`;
    this.dom.setAttribute("aria-label", `Space of ${node.attrs.height} pixels`);
    this.dom.setAttribute("role", "img");
    return true;
  }
}

class SocialView {
  constructor({ node }, onBlock) {
    this.dom = document.createElement("div");
    this.dom.className = "block-social";
    this.dom.addEventListener("dblclick", () => onBlock("social"));
    this.update(node);
  }

  update(node) {
    if (node.type.name !== "social") return false;
    const words = node.attrs.links.map(([name]) => name);
    this.dom.replaceChildren(...words.map((name) => Object.assign(document.createElement("span"), { textContent: name })));
    this.dom.setAttribute("aria-label", `Links to ${words.join(", ")}`);
    this.dom.setAttribute("role", "img");
    return true;
  }

  ignoreMutation() {
    return true;
  }
}
