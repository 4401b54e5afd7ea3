// Pictures from this computer: sent to the console, which makes them fit for mails and says by which name the mail shows them.

/** A picture of ours that travels inside the mail, by its name in `cid:`. */
const OWN = /^cid:([0-9a-f]{32}\.[a-z0-9]{1,8})$/;

/** The pictures among what was dropped or pasted. */
export const picturesIn = (transfer) => [...(transfer?.files ?? [])].filter((file) => file.type.startsWith("image/"));

/** Whether pasted HTML says something beside its pictures. */
export const hasWords = (html) => html.replace(/<!--[\s\S]*?-->|<(style|title)[\s\S]*?<\/\1>|<[^>]*>/gi, "").trim() !== "";

/** The file whose octets stand in an address (data:). */
function fileOf(address) {
  const [, type, base64, text] = /^data:([^;,]*)[^,]*?(;base64)?,(.*)$/s.exec(address);
  const octets = base64 ? atob(text) : decodeURIComponent(text);
  return new File([Uint8Array.from(octets, (octet) => octet.charCodeAt(0))], `pasted.${type.split("/")[1] ?? "png"}`, { type });
}

/** Where this browser finds a picture of the mail: one of ours below `place`, be it inside the mail or at its address below `hosted`. */
export function shownAt(src, place, hosted) {
  const name = OWN.exec(src ?? "")?.[1] ?? (src?.startsWith(hosted) && src.slice(hosted.length));
  return name ? `${place}${name}` : (src ?? "");
}

/**
 * Send a picture to `place`; `width` are the pixels across with which the mail shows it, "" for its own. Resolves with
 * {hosted, inside, width, alt, adds}; rejects with an Error whose message is for the person who chose it.
 */
async function send(place, file, width) {
  const body = new FormData();
  body.append("file", file, file.name || "picture.png");
  if (width) body.append("width", width);
  const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
  const answer = await fetch(`${place}pictures`, { method: "POST", body, headers }).catch(() => null);
  const told = await answer?.json().catch(() => null);
  if (answer?.ok && told) return told;
  throw new Error(told?.problem ?? words(answer));
}

function words(answer) {
  if (answer?.status === 413) return "This picture is larger than what is taken. Make it smaller first.";
  if (answer?.redirected || answer?.status === 401) return "You are not signed in any more. Sign in, and choose it again.";
  return "The picture could not be uploaded. Try again in a moment.";
}

/** What is known of a picture that stands in the mail already; null for one from elsewhere. */
async function about(place, src) {
  const name = /(?:^cid:|\/)([0-9a-f]{32}\.[a-z0-9]{1,8})$/.exec(src)?.[1];
  const answer = name && (await fetch(`${place}about/${name}`).catch(() => null));
  return answer?.ok ? answer.json().catch(() => null) : null;
}

/** Wire the form of a picture: choosing a file uploads it, and its address and words stand in the form then. `first` is a file to begin
 * with; `moved()` is called when the form has become longer or shorter. */
export function wire(form, place, first, moved) {
  const { file, src, alt, width } = form.elements;
  const part = (name) => form.querySelector(`[data-part=${name}]`);
  const travels = [...form.querySelectorAll("[name=travels]")];
  const ok = form.querySelector("[value=ok]");
  let known = null;

  const show = (told) => {
    known = told;
    part("travels").hidden = !told;
    if (told) part("adds").textContent = told.adds;
    for (const radio of travels) radio.checked = radio.value === (OWN.test(src.value) ? "inside" : "hosted");
    if (form.matches(":popover-open")) moved();
  };
  const say = (problem) => {
    part("problem").textContent = problem;
    part("problem").hidden = !problem;
    if (form.matches(":popover-open")) moved();
  };
  const take = async (chosen) => {
    say("");
    form.setAttribute("aria-busy", "true");
    ok.disabled = true;
    try {
      const told = await send(place, chosen, width.value);
      src.value = OWN.test(src.value) ? told.inside : told.hosted;
      if (!width.value) width.value = told.width;
      if (!alt.value) alt.value = told.alt;
      show(told);
      if (!alt.value) alt.focus();
    } catch (error) {
      say(error.message);
    } finally {
      ok.disabled = false;
      form.removeAttribute("aria-busy");
    }
  };
  form.reset();
  say("");
  show(null);
  file.onchange = () => file.files[0] && take(file.files[0]);
  for (const radio of travels) radio.onchange = () => known && (src.value = known[radio.value]);
  return {
    /** Called when the form is open and its fields are filled. */
    async opened() {
      if (first) await take(first);
      else if (src.value) show(await about(place, src.value));
    },
  };
}

/** Pictures that were pasted with their octets in the address lie on the console from then on; no mail program shows them otherwise.
 * `begun` are the addresses that are on their way already. */
export async function adopt(editor, place, begun) {
  const found = new Set();
  editor.state.doc.descendants(({ attrs }) => attrs.src?.startsWith("data:image/") && found.add(attrs.src));
  for (const src of [...found].filter((one) => !begun.has(one))) {
    begun.add(src);
    const told = await send(place, fileOf(src), "").catch(() => null);
    if (!told || editor.isDestroyed) continue;
    const { tr } = editor.state;
    editor.state.doc.descendants((node, at) => {
      if (node.attrs.src === src) tr.setNodeAttribute(at, "src", told.hosted).setNodeAttribute(at, "width", String(told.width));
    });
    if (tr.docChanged) editor.view.dispatch(tr);
  }
}
