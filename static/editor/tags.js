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

const harmless = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** The source of a condition: one text where the tag `name` has a value, another where it has none. */
export function conditionSource(name, known, unknown, isHtml) {
  const [first, second] = isHtml ? [harmless(known), harmless(unknown)] : [known, unknown];
  return `{% if ${name} %}${first}${second && `{% else %}${second}`}{% endif %}`;
}

/**
 * The source of a list of services. `kind` is "table" or "list", of HTML, or "text"; `columns` are the fields, each {name, label};
 * `limit` is how many services at most, "" for as many as can be; `none` stands where there is no service.
 */
export function servicesSource(kind, columns, limit, none) {
  const start = `{% for service in services${limit && ` limit: ${limit}`} %}`;
  const values = columns.map(({ name }) => `{{ ${name} }}`);
  if (kind === "text") return `${start}\n- ${values.join(", ")}\n${none && `{% else %}\n${none}\n`}{% endfor %}\n`;
  // Blocks stand in paragraphs of their own: so the design view keeps them, and the mail has none of these paragraphs.
  const alone = (block) => `<p>${block}</p>\n`;
  const row = (cell, texts) => `<tr>${texts.map((text) => `<${cell}>${text}</${cell}>`).join("")}</tr>`;
  const heads = columns.map(({ label }) => harmless(label));
  const one =
    kind === "table"
      ? `<table><tbody>${row("th", heads)}${row("td", values)}</tbody></table>\n`
      : `<ul>\n<li>${values.join(", ")}</li>\n</ul>\n`;
  const otherwise = none ? alone("{% else %}") + alone(harmless(none)) : "";
  const [first, last] = ['{% if service_count != "0" %}', "{% endif %}"];
  return alone(first) + alone(start) + one + alone("{% endfor %}") + otherwise + alone(last).trimEnd();
}

/** The source of a tag. `fallback` loses what would end the tag or its quotes early. */
export function tagSource(name, fallback) {
  const text = (fallback ?? "").replace(/"([^"]*)"/g, "“$1”").replace(/["{}%\s]+/g, " ").trim();
  return text ? `{{ ${name} | default: "${text}" }}` : `{{ ${name} }}`;
}
