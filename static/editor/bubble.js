// Small forms beside the text: where a link leads, what stands in for an empty value. They close on Escape and a click elsewhere.

/**
 * Ask with the form `form` (a popover, already in the page) next to the rectangle `at`.
 * Resolves with {action: the pressed button's value, values: {name: text}}, or with null when it was closed.
 */
export function ask(form, at, values) {
  return new Promise((resolve) => {
    let answer = null;
    for (const control of form.elements) if (control.name && control.name in values) control.value = values[control.name] ?? "";
    for (const part of form.querySelectorAll("[data-when]")) part.hidden = !values[part.dataset.when];
    form.onsubmit = (event) => {
      event.preventDefault();
      answer = { action: event.submitter?.value ?? "ok", values: Object.fromEntries(new FormData(form)) };
      form.hidePopover();
    };
    form.addEventListener("toggle", function closed(event) {
      if (event.newState !== "closed") return;
      form.removeEventListener("toggle", closed);
      resolve(answer);
    });
    form.showPopover();
    place(form, at);
    const first = [...form.querySelectorAll("input")].find((input) => input.offsetParent !== null);
    first?.focus();
    first?.select();
  });
}

/** Put an open popover below the rectangle `at`, above it where there is no room, and always inside the window. */
export function place(popover, at) {
  const gap = 6;
  const room = document.documentElement.clientWidth - popover.offsetWidth - 8;
  popover.style.left = `${Math.max(8, Math.min(at.left, room))}px`;
  const below = at.bottom + gap + popover.offsetHeight <= window.innerHeight;
  popover.style.top = `${below ? at.bottom + gap : Math.max(8, at.top - gap - popover.offsetHeight)}px`;
}

/** A web or mail address as a link needs it: `example.com` gains https://, tags are left alone. "" for what must not be linked. */
export function linkTarget(text) {
  const target = text.trim();
  if (!target || /^(https?:\/\/|mailto:|tel:|\{\{)/i.test(target)) return target;
  if (/^[^\s@/:]+@[^\s@/]+$/.test(target)) return `mailto:${target}`;
  return /^[a-z][a-z0-9+.-]*:/i.test(target) ? "" : `https://${target}`;
}
