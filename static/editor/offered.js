// What the list of blocks puts in: each as the editor's JSON, ready to be written in.

const text = (words) => ({ type: "text", text: words });
const paragraph = (...content) => ({ type: "paragraph", ...(content.length ? { content } : {}) });
const cells = (type, count) => Array.from({ length: count }, () => ({ type, content: [paragraph()] }));
const columns = (count) => ({ type: "columns", content: cells("column", count) });
const row = (type, count) => ({ type: "tableRow", content: cells(type, count) });
const link = { type: "link", attrs: { href: "{{ unsubscribe_url }}" } };

const OFFERED = {
  text: () => paragraph(),
  heading1: () => ({ type: "heading", attrs: { level: 1 } }),
  heading2: () => ({ type: "heading", attrs: { level: 2 } }),
  heading3: () => ({ type: "heading", attrs: { level: 3 } }),
  bullets: () => ({ type: "bulletList", content: [{ type: "listItem", content: [paragraph()] }] }),
  numbers: () => ({ type: "orderedList", content: [{ type: "listItem", content: [paragraph()] }] }),
  quote: () => ({ type: "blockquote", content: [paragraph()] }),
  table: () => ({ type: "table", content: [row("tableHeader", 3), row("tableCell", 3), row("tableCell", 3)] }),
  columns2: () => columns(2),
  columns3: () => columns(3),
  divider: () => ({ type: "horizontalRule" }),
  spacer: () => ({ type: "spacer", attrs: { height: 24 } }),
  unsubscribe: () => ({ type: "unsubscribe", content: [text("You do not want these mails? "), { ...text("Unsubscribe"), marks: [link] }] }),
  footer: () => ({ type: "footer", content: [paragraph()] }),
};

/** The block of that name; null for one that is asked for with a form. */
export const blockOf = (name) => (OFFERED[name] ? [OFFERED[name]()] : null);
