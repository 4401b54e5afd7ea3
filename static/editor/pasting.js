// HTML from elsewhere as the design view has it: what is bold, italic, a link, a list, a table, a heading or a picture stays so; looks go.
// A style attribute may not even be parsed under the console's policy, so styles are read as text.

import { makeLists, markLists } from "./word-lists.js";

const WHOLE = /<(style|script|title|xml|head)\b[^]*?<\/\1\s*>|<(?:meta|link|base)\b[^>]*>/gi;
const STYLE = /(<[a-z][^<>]*?)\sstyle\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)/gi;
const STILL = /(<[a-z][^<>]*?)\s(?:style|on[a-z]+)\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)/gi;
const GONE = `script, style, iframe, object, embed, form, input, button, select, textarea, svg, canvas, video, audio, col, colgroup,
  caption`;
const BLOCK = new Set([
  "P", "H1", "H2", "H3", "H4", "H5", "H6", "UL", "OL", "LI", "TABLE", "TBODY", "THEAD", "TFOOT", "TR", "TD", "TH", "BLOCKQUOTE", "HR",
  "DIV", "SECTION", "ARTICLE", "HEADER", "FOOTER", "MAIN", "ASIDE", "NAV", "FIGURE", "FIGCAPTION", "CENTER", "PRE", "DL", "DT", "DD",
  "ADDRESS",
]);
const SPANS = ["colspan", "rowspan"];
const KEPT = { A: ["href", "title"], IMG: ["src", "alt", "title", "width", "height"], TD: SPANS, TH: SPANS, OL: ["start"] };
const PLAIN = new Set([
  "P", "H1", "H2", "H3", "UL", "OL", "LI", "TABLE", "TBODY", "TR", "TD", "TH", "BLOCKQUOTE", "HR",
  "A", "IMG", "BR", "STRONG", "EM", "U", "S", "MARK", "SPAN",
]);
const RENAMED = {
  B: "strong", I: "em", STRIKE: "s", DEL: "s", INS: "u", CITE: "em",
  H4: "h3", H5: "h3", H6: "h3", PRE: "p", DT: "p", DD: "p", ADDRESS: "p", FIGCAPTION: "p",
};
const ALIVE = /^(https?:|mailto:|tel:|sms:|\{\{)/i;

/** Whether HTML on the clipboard is a piece of a mail of ours, which needs no cleaning. */
export const isOwn = (html) => html.includes("data-pm-slice") && !/\sstyle\s*=/i.test(html);

/**
 * The HTML as the design view can hold it. Pictures stay that bring their octets along; one that lies in the web is fetched by nobody, and
 * stays only `fromWeb`, in a source that was written here.
 */
export function cleaned(html, { fromWeb = false } = {}) {
  const marked = markLists(html.replace(WHOLE, ""));
  const unstyled = marked.replace(STYLE, (_all, before, value) => `${before} data-css="${asValue(value)}"`);
  const { body } = new DOMParser().parseFromString(unstyled.replace(STILL, "$1"), "text/html");
  for (const comment of comments(body)) comment.remove();
  body.querySelectorAll(GONE).forEach((element) => element.remove());
  makeLists(body);
  for (const element of [...body.querySelectorAll("*")]) if (body.contains(element)) looks(element);
  for (const picture of body.querySelectorAll("img")) keepPicture(picture, fromWeb);
  for (const link of body.querySelectorAll("a")) keepLink(link);
  for (const element of [...body.querySelectorAll("*")].reverse()) named(element);
  body.querySelectorAll("ul, ol").forEach(listed);
  [...body.querySelectorAll("table")].reverse().forEach(table);
  loose(body);
  tidy(body);
  return body.innerHTML;
}

/** A value as it is written, with or without quotes of either kind, as it is written in double ones. */
const asValue = (written) => written.replace(/^["']|["']$/g, "").replaceAll('"', "&quot;");

function comments(body) {
  const walker = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_COMMENT);
  const found = [];
  while (walker.nextNode()) found.push(walker.currentNode);
  return found;
}

/** What an element's style says of its words becomes elements around its content. */
function looks(element) {
  const css = styles(element.dataset.css ?? "");
  const isBold = /^(bold|bolder|[6-9]00)$/.test(css["font-weight"] ?? "");
  const isHead = element.closest("h1, h2, h3, h4, h5, h6") !== null;
  const lines = `${css["text-decoration"] ?? ""} ${css["text-decoration-line"] ?? ""}`;
  if (/^(B|STRONG)$/.test(element.nodeName) && /^(normal|[1-5]00)$/.test(css["font-weight"] ?? "")) rename(element, "span");
  else if (isBold && !isHead && !/^(B|STRONG|TH|TABLE|TBODY|TR|UL|OL)$/.test(element.nodeName)) wrap(element, "strong");
  if (css["font-style"] === "italic" && !/^(I|EM|TABLE|TR|UL|OL)$/.test(element.nodeName)) wrap(element, "em");
  const isInLink = element.closest("a") || element.querySelector("a");
  if (/underline/.test(lines) && !isInLink && !/^(U|INS)$/.test(element.nodeName)) wrap(element, "u");
  if (/line-through/.test(lines) && !/^(S|STRIKE|DEL)$/.test(element.nodeName)) wrap(element, "s");
  const align = /^(center|right)$/.exec(css["text-align"] ?? element.getAttribute("align") ?? "")?.[1];
  if (align && /^(P|H[1-6]|TD|TH|DIV)$/.test(element.nodeName)) element.dataset.align = align;
  if (/^Mso(Title)$/.test(element.className)) element.dataset.heading = "h1";
  if (css.display === "none" || css["mso-hide"] === "all") element.remove();
}

function styles(text) {
  const pairs = text.toLowerCase().split(";").map((part) => part.split(":").map((side) => side.trim()));
  return Object.fromEntries(pairs.filter(([, value]) => value));
}

function wrap(element, name) {
  if (!element.textContent.trim() || hasBlocks(element)) return;
  const inner = element.ownerDocument.createElement(name);
  inner.append(...element.childNodes);
  element.append(inner);
}

function rename(element, name) {
  const renamed = element.ownerDocument.createElement(name);
  for (const { name: key, value } of [...element.attributes]) renamed.setAttribute(key, value);
  renamed.append(...element.childNodes);
  element.replaceWith(renamed);
  return renamed;
}

function keepPicture(picture, fromWeb) {
  const src = picture.getAttribute("src") ?? "";
  const isHere = /^data:image\/|^cid:[0-9a-f]{32}\./i.test(src);
  if (!isHere && !(fromWeb && /^https?:/i.test(src))) picture.remove();
}

function keepLink(link) {
  const href = (link.getAttribute("href") ?? "").trim();
  const led = /^https:\/\/www\.google\.com\/url\?(?:.*&)?q=([^&]+)/.exec(href);
  if (led) link.setAttribute("href", decodeURIComponent(led[1]));
  if (!ALIVE.test(href)) link.replaceWith(...link.childNodes);
}

/** An element under the name that the design view has for it, with the attributes that are kept; what it has none for gives way to what
 * is in it. */
function named(element) {
  const { heading, align } = element.dataset;
  const isColour = element.nodeName === "SPAN" && /^colour-[a-z]+$/.test(element.className);
  const isFill = element.nodeName === "MARK" && element.className === "fill";
  let one = heading ? rename(element, heading) : RENAMED[element.nodeName] ? rename(element, RENAMED[element.nodeName]) : element;
  if (one.nodeName === "DIV" && !hasBlocks(one)) one = rename(one, "p");
  const isKept = PLAIN.has(one.nodeName) && (one.nodeName !== "SPAN" || isColour) && (one.nodeName !== "MARK" || isFill);
  if (!isKept && !/^(THEAD|TFOOT)$/.test(one.nodeName)) return one.replaceWith(...one.childNodes);
  const keeps = KEPT[one.nodeName] ?? [];
  const className = isColour || isFill || one.className === "button" ? one.className : "";
  for (const { name, value } of [...one.attributes]) {
    if (!keeps.includes(name) || (SPANS.includes(name) && value === "1")) one.removeAttribute(name);
  }
  if (align && /^(P|H[1-3])$/.test(one.nodeName)) one.className = `align-${align}`;
  else if (align && /^T[DH]$/.test(one.nodeName)) one.dataset.align = align;
  else if (className) one.className = className;
}

const hasBlocks = (element) => [...element.children].some((child) => BLOCK.has(child.nodeName) || hasBlocks(child));

/** Lists directly in lists, as some programs write them, go into the item before; what is in a list and no item becomes one. */
function listed(list) {
  for (const child of [...list.childNodes]) {
    const before = child.previousElementSibling;
    if (/^[UO]L$/.test(child.nodeName) && before?.nodeName === "LI") before.append(child);
    else if (child.nodeType === Node.ELEMENT_NODE && child.nodeName !== "LI") {
      const item = list.ownerDocument.createElement("li");
      child.replaceWith(item);
      item.append(child);
    }
  }
}

/** A table of facts is marked as one; one that only lays things out gives way to what is in it. */
function table(element) {
  const rows = [...element.querySelectorAll("tr")].filter((row) => row.closest("table") === element);
  const widest = Math.max(0, ...rows.map((row) => row.children.length));
  const inCell = element.parentElement.closest("td, th, li");
  if (widest < 2 || inCell || element.querySelector("table")) {
    for (const row of rows) for (const cell of row.children) loose(cell);
    return element.replaceWith(...rows.flatMap((row) => [...row.children].flatMap((cell) => [...cell.childNodes])));
  }
  const body = element.ownerDocument.createElement("tbody");
  for (const row of rows) {
    if (row.parentElement.nodeName === "THEAD") for (const cell of [...row.children]) rename(cell, "th");
    for (const cell of [...row.children]) cellOf(cell);
    body.append(row);
  }
  element.replaceChildren(body);
  element.dataset.block = "table";
  element.dataset.version = "1";
}

/** A cell holds paragraphs. */
function cellOf(cell) {
  const { align } = cell.dataset;
  delete cell.dataset.align;
  for (const item of cell.querySelectorAll("li")) if (!item.querySelector("p")) rename(item, "p").prepend("• ");
  for (const block of cell.querySelectorAll("h1, h2, h3")) wrap(rename(block, "p"), "strong");
  for (const outer of [...cell.querySelectorAll("ul, ol, li, blockquote, hr")].reverse()) outer.replaceWith(...outer.childNodes);
  loose(cell);
  for (const paragraph of cell.children) if (align && !paragraph.className) paragraph.className = `align-${align}`;
}

/** Words that lie loose between blocks become paragraphs; breaks between blocks go. */
function loose(holder) {
  let run = [];
  const close = () => {
    while (run.length && isBlank(run.at(-1))) run.pop().remove();
    if (run.length) {
      const paragraph = holder.ownerDocument.createElement("p");
      run[0].before(paragraph);
      paragraph.append(...run);
    }
    run = [];
  };
  for (const node of [...holder.childNodes]) {
    if (BLOCK.has(node.nodeName)) close();
    else if (!run.length && isBlank(node)) node.remove();
    else run.push(node);
  }
  close();
}

const isBlank = (node) => node.nodeName === "BR" || (node.nodeType === Node.TEXT_NODE && !node.data.trim());

/** Without empty paragraphs and headings, empty marks, and the blanks that programs write instead of blanks. */
function tidy(body) {
  const walker = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) walker.currentNode.data = walker.currentNode.data.replace(/[\s\u00a0]+/g, " ");
  for (const element of [...body.querySelectorAll("strong, em, u, s, a, span, p, h1, h2, h3, li, ul, ol, blockquote")].reverse()) {
    if (element.textContent.trim() || element.querySelector("img, hr, table")) continue;
    if (/^(P|H\d|LI|UL|OL|BLOCKQUOTE)$/.test(element.nodeName)) element.remove();
    else element.replaceWith(...element.childNodes);
  }
  for (const br of body.querySelectorAll(":is(p, h1, h2, h3, li) > br:last-child")) if (!br.nextSibling) br.remove();
}
