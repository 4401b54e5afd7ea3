// Lists out of a word processor: it writes each item as a paragraph with the bullet or number as text, and says in a style attribute that
// it means a list ("mso-list:l0 level1 lfo1").

const MSO_LIST = /mso-list\s*:\s*(?:(ignore)|l(\d+)\s+level(\d+))/i;
const STYLED = /<[a-z][^>]*\sstyle\s*=\s*(?:"[^"]*"|'[^']*')[^>]*>/gi;
const STYLE = /\sstyle\s*=\s*("[^"]*"|'[^']*')/i;

/** Attributes that say what the style attributes said, and that may be parsed under a strict policy. */
export function markLists(html) {
  if (!/mso-list\s*:/i.test(html)) return html;
  return html.replace(STYLED, (tag) => {
    const [, marker, list, level] = MSO_LIST.exec(STYLE.exec(tag)?.[1] ?? "") ?? [];
    if (marker) return tag.replace(STYLE, " data-marker");
    return level ? tag.replace(STYLE, ` data-list="${list}" data-level="${level}"`) : tag;
  });
}

/** Make the paragraphs in `body` that `markLists` marked lists in lists. */
export function makeLists(body) {
  let open = [];
  for (const item of [...body.querySelectorAll("[data-level]")]) {
    // Where something stands between two items, the second begins a list of its own.
    open = place(item, open.length && follower(open[0].element) === item ? open : []);
  }
}

/** The next thing after `element` that is more than blanks. */
function follower(element) {
  let next = element.nextSibling;
  while (next && (next.nodeType === Node.COMMENT_NODE || (next.nodeType === Node.TEXT_NODE && !next.data.trim()))) next = next.nextSibling;
  return next;
}

/** Make `item` the last of the lists that are `open`, from the outermost on; what is open then. */
function place(item, open) {
  const level = Number(item.dataset.level);
  const { name, start } = kindOf(item);
  const still = open.filter((list) => list.level <= level);
  const same = still.at(-1);
  const goesOn = same?.level === level && same.element.nodeName === name && same.id === item.dataset.list;
  if (!goesOn) {
    if (same?.level === level) still.pop();
    const element = item.ownerDocument.createElement(name);
    if (start > 1) element.setAttribute("start", String(start));
    const outer = still.at(-1);
    if (outer) outer.element.lastElementChild.append(element);
    else item.before(element);
    still.push({ element, level, id: item.dataset.list });
  }
  const li = item.ownerDocument.createElement("li");
  const p = item.ownerDocument.createElement("p");
  p.append(...item.childNodes);
  li.append(p);
  still.at(-1).element.append(li);
  item.remove();
  return still;
}

/** Whether the item's marker is a number or a bullet; the marker is taken out. */
function kindOf(item) {
  const markers = [...item.querySelectorAll("[data-marker]")];
  const text = markers.map((marker) => marker.textContent).join("").replace(/[\s\u00a0]+/g, "");
  markers.forEach((marker) => marker.remove());
  const number = /^\(?(?:\d+[.)]?)+$/.test(text) ? Number(/(\d+)\D*$/.exec(text)[1]) : 0;
  const isLetter = /^\(?[a-z]{1,4}[.)]$/i.test(text);
  return { name: number || isLetter ? "OL" : "UL", start: number };
}
