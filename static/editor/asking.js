// What needs more than a click: each function asks with a small form beside the text, and does what was answered.
// `editor` is Tiptap's, `form` the popover to ask with, `at` the rectangle of the cursor in the window.

import { ask, linkTarget, place as placeAt } from "./bubble.js";
import { wire } from "./pictures.js";
import { describe, tagSource } from "./tags.js";

export async function link(editor, form, at) {
  const { selection } = editor.state;
  const href = editor.getAttributes("link").href ?? "";
  const answer = await ask(form, at, { href, text: "", empty: selection.empty && !href, present: href });
  if (!answer) return;
  const chain = editor.chain().focus();
  const target = linkTarget(answer.values.href);
  if (answer.action === "remove" || !target) return chain.extendMarkRange("link").unsetMark("link").run();
  if (!selection.empty || href) return chain.extendMarkRange("link").setMark("link", { href: target }).run();
  const text = answer.values.text || target.replace(/^(https?:\/\/|mailto:)/, "");
  return chain.insertContent({ type: "text", text, marks: [{ type: "link", attrs: { href: target } }] }).run();
}

export async function button(editor, form, at) {
  const { selection, doc } = editor.state;
  const present = editor.isActive("mailButton");
  const href = editor.getAttributes("mailButton").href ?? "";
  const text = selection.empty ? "" : doc.textBetween(selection.from, selection.to, " ");
  const answer = await ask(form, at, { href, text, empty: !present, present });
  if (!answer) return;
  const chain = editor.chain().focus();
  if (answer.action === "remove") return chain.setNode("paragraph").run();
  const attrs = { href: linkTarget(answer.values.href) };
  if (present) return chain.updateAttributes("mailButton", attrs).run();
  const content = [{ type: "text", text: answer.values.text || "Read more" }];
  return chain.insertContent({ type: "mailButton", attrs, content }).run();
}

/** `place` is where pictures are uploaded; `file` is one that was dropped or pasted, and is put in as a new picture. */
export async function picture(editor, form, at, place, file) {
  const present = !file && editor.isActive("picture");
  const { src = "", alt = "", width = "" } = present ? editor.getAttributes("picture") : {};
  const wired = wire(form, place, file, () => placeAt(form, at));
  const answering = ask(form, at, { src, alt, width, present });
  wired.opened();
  const answer = await answering;
  if (!answer) return;
  const chain = editor.chain().focus();
  if (answer.action === "remove") return chain.deleteSelection().run();
  const attrs = { src: answer.values.src.trim(), alt: answer.values.alt.trim(), width: answer.values.width || null };
  if (present) return chain.updateAttributes("picture", attrs).run();
  return chain.insertContent({ type: "picture", attrs }).run();
}

/** Ask what stands in where the value of the tag at `position` is empty. A condition is edited as source only. */
export async function tag(editor, form, position) {
  const { name, fallback, plain } = describe(editor.state.doc.nodeAt(position).attrs.source);
  editor.commands.setNodeSelection(position);
  if (!plain) return;
  form.querySelector("[data-part=name]").textContent = name;
  const answer = await ask(form, editor.view.nodeDOM(position).getBoundingClientRect(), { fallback, present: true });
  if (!answer) return;
  const chain = editor.chain().focus();
  if (answer.action === "remove") return chain.deleteRange({ from: position, to: position + 1 }).run();
  const source = tagSource(name, answer.values.fallback);
  const change = ({ tr }) => Boolean(tr.setNodeAttribute(position, "source", source));
  return chain.command(change).setTextSelection(position + 1).run();
}

/** Ask how high the selected space is. */
export async function spacer(editor, form, at) {
  const answer = await ask(form, at, { height: editor.getAttributes("spacer").height, present: true });
  if (!answer) return;
  const chain = editor.chain().focus();
  if (answer.action === "remove") return chain.deleteSelection().run();
  return chain.updateAttributes("spacer", { height: Number(answer.values.height) }).run();
}

/** Ask where the selected row of links leads: a field for each place, named by what is shown. */
export async function social(editor, form, at) {
  const present = Object.fromEntries(editor.getAttributes("social").links ?? []);
  const fields = [...form.querySelectorAll("input")].map((input) => input.name);
  const isThere = editor.isActive("social");
  const answer = await ask(form, at, { ...Object.fromEntries(fields.map((name) => [name, ""])), ...present, present: isThere });
  if (!answer) return;
  const given = fields.map((name) => [name, linkTarget(answer.values[name] ?? "")]).filter(([, href]) => href);
  const links = [...given, ...Object.entries(present).filter(([name]) => !fields.includes(name))];
  const chain = editor.chain().focus();
  if (!isThere) return links.length ? inPlaceOfLine(editor, { type: "social", attrs: { links } }) : false;
  if (answer.action === "remove" || !links.length) return chain.deleteSelection().run();
  return chain.updateAttributes("social", { links }).run();
}

/** Put a block in place of the empty line with the cursor, or below the line; nothing is the last thing below which one could not write. */
function inPlaceOfLine(editor, block) {
  const { $from } = editor.state.selection;
  const [from, to] = [$from.parent.content.size ? $from.after() : $from.before(), $from.after()];
  const below = editor.state.doc.resolve(to).nodeAfter ? [] : [{ type: "paragraph" }];
  return editor.chain().focus().insertContentAt({ from, to }, [block, ...below]).run();
}
