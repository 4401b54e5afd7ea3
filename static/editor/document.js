// Between HTML source and the editor's document, and whether anything would get lost on the way.

import { TAG } from "./tags.js";

const BLOCKS = new Set(["P", "H1", "H2", "H3", "UL", "OL", "LI", "BLOCKQUOTE", "HR", "DIV", "TABLE", "TBODY", "TR", "TD", "TH"]);
const TEXT = "\u0001";
const ALIASES = { B: "STRONG", I: "EM", STRIKE: "S", DEL: "S" };

/** Things that the editor has no room for, found without parsing, because parsing a style attribute would already break the CSP. */
const FOREIGN = [
  [/<!doctype|<html[\s>]|<head[\s>]|<body[\s>]/i, "a whole document"],
  [/<style[\s>]|<link[\s>]/i, "a style sheet"],
  [/<[a-z][^>]*\sstyle\s*=/i, "inline styles"],
  [/<table(?!\sdata-block="table")[\s>]|^(?![^]*<table\s)[^]*<t[rdh][\s>]/i, "a table"],
  [/<!--/, "comments"],
];
const WORDS = { DIV: "layout boxes", SPAN: "marked-up spans", CENTER: "centred parts", FONT: "fonts", PRE: "preformatted text" };

/** What is written with a child a line. */
const BY_LINE = "ul, ol, tbody, [data-block=columns], [data-column], [data-block=footer]";

/** HTML source -> an inert <body> in which each tag is a <mail-tag source="…"> element. Nothing in it loads or runs. */
export function parseSource(source) {
  const { body } = new DOMParser().parseFromString(source, "text/html");
  const walker = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) chipText(text);
  for (const br of body.querySelectorAll("p > br:only-child")) if (br.parentNode.childNodes.length === 1) br.remove();
  return body;
}

function chipText(text) {
  const parts = text.data.split(TAG);
  if (parts.length === 1) return;
  const tags = text.data.match(TAG);
  text.replaceWith(
    ...parts.flatMap((part, index) => {
      const tag = tags[index] && text.ownerDocument.createElement("mail-tag");
      tag?.setAttribute("source", tags[index]);
      return [part, tag].filter(Boolean);
    }),
  );
}

/** The editor's document -> HTML source, a block a line. `pm` is ProseMirror's model module. */
export function writeSource(pm, doc) {
  const inert = document.implementation.createHTMLDocument("");
  const holder = inert.createElement("div");
  const serializer = pm.DOMSerializer.fromSchema(doc.type.schema);
  holder.append(serializer.serializeFragment(doc.content, { document: inert }));
  for (const tag of holder.querySelectorAll("mail-tag")) tag.replaceWith(tag.getAttribute("source"));
  for (const item of holder.querySelectorAll("li, td, th")) tightParagraph(item)?.replaceWith(...tightParagraph(item).childNodes);
  for (const p of holder.querySelectorAll("p:empty")) p.append(inert.createElement("br"));
  for (const whole of holder.querySelectorAll(BY_LINE)) {
    for (const part of [...whole.children]) part.before("\n");
    whole.append("\n");
  }
  const lines = [...holder.childNodes].map((block) => block.outerHTML ?? block.textContent);
  return lines.length === 1 && lines[0] === "<p><br></p>" ? "" : lines.join("\n");
}

/** The one paragraph of a cell, or of a list item that holds nothing else but lists: it is written without its <p>, as people do. */
function tightParagraph(item) {
  const [first, ...rest] = [...item.childNodes].filter(isContent);
  const isTight = first?.nodeName === "P" && !first.attributes.length && (first.hasChildNodes() || !rest.length);
  return isTight && rest.every((node) => isPlainList(node) && item.nodeName === "LI") ? first : null;
}

const isPlainList = (node) => /^[UO]L$/.test(node.nodeName) && !node.dataset.block;

/** What the editor would lose of a source it cannot model, in words; [] when it can take it whole. */
export function losses(source, roundTrip) {
  const foreign = FOREIGN.filter(([pattern]) => pattern.test(source)).map(([, word]) => word);
  if (foreign.length) return foreign;
  const before = canonical(source);
  const after = canonical(roundTrip(source));
  if (before.join("") === after.join("")) return [];
  const kept = new Set(after);
  const words = new Set(before.filter((token) => !kept.has(token)).map(lossWord).filter(Boolean));
  return words.size ? [...words] : ["some of its structure"];
}

function lossWord(token) {
  const [, name, attributes] = /^<(\w+)(.*)>$/.exec(token) ?? [];
  if (!name) return null;
  if (WORDS[name]) return WORDS[name];
  if (attributes && BLOCKS.has(name)) return `attributes of <${name.toLowerCase()}>`;
  return `<${name.toLowerCase()}>`;
}

/** A source as tokens that are equal when two sources mean the same: blanks collapsed as a browser does, aliases resolved. */
function canonical(source) {
  const { body } = new DOMParser().parseFromString(source, "text/html");
  const tokens = [];
  let blank = true;
  const block = (token) => {
    if (tokens.at(-1)?.endsWith(" ")) tokens[tokens.length - 1] = tokens.at(-1).trimEnd();
    tokens.push(token);
    blank = true;
  };
  const text = (data) => {
    let collapsed = data.replace(/[ \t\r\n\f]+/g, " ");
    if (blank) collapsed = collapsed.replace(/^ /, "");
    if (!collapsed) return;
    blank = collapsed.endsWith(" ");
    if (tokens.at(-1)?.startsWith(TEXT)) tokens.push(tokens.pop() + collapsed);
    else tokens.push(TEXT + collapsed);
  };
  const visit = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return text(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE) return tokens.push("<!>");
    const name = ALIASES[node.nodeName] ?? node.nodeName;
    const attributes = [...node.attributes].filter((a) => a.value !== "" || a.name === "alt").map((a) => ` ${a.name}="${a.value}"`);
    const open = `<${name}${attributes.sort().join("")}>`;
    const push = BLOCKS.has(name) || name === "BR" ? block : (token) => tokens.push(token);
    push(open);
    const children = [...node.childNodes];
    const tight = ["LI", "TD", "TH"].includes(name) && tightParagraph(node);
    const empty = name === "P" && children.length === 1 && children[0].nodeName === "BR";
    for (const child of empty ? [] : children) {
      if (child === tight) child.childNodes.forEach(visit);
      else visit(child);
    }
    if (!["BR", "HR", "IMG"].includes(name)) push(`</${name}>`);
  };
  for (const run of topLevel(body)) {
    if (run.length === 1 && BLOCKS.has(run[0].nodeName)) visit(run[0]);
    else {
      block("<P>");
      run.forEach(visit);
      block("</P>");
    }
  }
  return tokens.filter((token) => token !== TEXT);
}

/** The children of <body>: each block alone, loose inline content in runs, which the editor takes for paragraphs. (A condition between
 * blocks becomes a paragraph of its own; the mail is the same, as paragraphs that hold only conditions are none in it.) */
function topLevel(body) {
  const runs = [];
  let loose = null;
  for (const node of body.childNodes) {
    if (BLOCKS.has(node.nodeName)) {
      runs.push([node]);
      loose = null;
    } else if (loose) loose.push(node);
    else if (isContent(node)) runs.push((loose = [node]));
  }
  return runs;
}

const isContent = (node) => node.nodeType !== Node.TEXT_NODE || node.data.trim() !== "";
