// Tags as text: {{ name }}, {{ name | default: "there" }}, {% if company %}. Anything in braces that is not of the first two
// forms is kept to the letter.

export const TAG = /\{\{[^{}]*\}\}|\{%[^{}]*%\}/g;
const PLAIN = /^\{\{\s*([A-Za-z_]\w*)\s*(?:\|\s*default\s*:\s*(?:"([^"]*)"|'([^']*)')\s*)?\}\}$/;
const FIRST_WORD = /^\{\{-?\s*([\w.]+)/;

/**
 * What a tag's source says: its name ("" for a condition), the text used where the value is empty (null: none given),
 * whether it is of the plain form that can be edited as a chip, and how a chip shows it.
 */
export function describe(source) {
  const plain = PLAIN.exec(source);
  if (plain) {
    const fallback = plain[2] ?? plain[3] ?? null;
    return { name: plain[1], fallback, plain: true, label: fallback ? `${plain[1]} · “${fallback}”` : plain[1] };
  }
  const name = source.startsWith("{{") ? (FIRST_WORD.exec(source)?.[1] ?? "") : "";
  return { name, fallback: null, plain: false, label: source.slice(2, -2).trim() };
}

/** The source of a tag. `fallback` loses what would end the tag or its quotes early. */
export function tagSource(name, fallback) {
  const text = (fallback ?? "").replace(/"([^"]*)"/g, "“$1”").replace(/["{}%\s]+/g, " ").trim();
  return text ? `{{ ${name} | default: "${text}" }}` : `{{ ${name} }}`;
}
