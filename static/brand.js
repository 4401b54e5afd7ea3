// Settings, Brand: what is being chosen is shown at once, in each width, by light or by dark.

const WAIT_MS = 200;
const form = document.getElementById("brand-form");
const widths = document.getElementById("brand-widths");
let waiting = 0;

/** What stands in the form, but for files and what says who asks. */
function chosen() {
  const fields = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrf_token");
  return new URLSearchParams(fields);
}

function show() {
  const dark = document.querySelector('[name="theme"]:checked')?.value === "dark";
  const query = chosen();
  if (dark) query.set("dark", "1");
  widths.toggleAttribute("data-dark", dark);
  for (const frame of widths.querySelectorAll("iframe")) frame.src = `${form.dataset.mail}?${query}`;
}

async function judge() {
  const answer = await fetch(`${form.dataset.legibility}?${chosen()}`, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("legibility");
  document.getElementById("legibility").replaceWith(found);
}

form.addEventListener("input", (event) => {
  if (event.target.type === "file") return;
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    show();
    judge();
  }, WAIT_MS);
});
for (const radio of document.querySelectorAll('[name="theme"]')) radio.addEventListener("change", show);
