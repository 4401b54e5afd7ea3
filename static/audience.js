// The filter page, beyond htmx: a search through a list of choices, chosen ones among the chips, and "clear".

import { watchSaving } from "./saving.js";

watchSaving("audience-form", { counts: ["change"] });

const on = (type, selector, handle, capture = false) =>
  document.addEventListener(
    type,
    (event) => {
      const target = event.target instanceof Element && event.target.closest(selector);
      if (target) handle(event, target);
    },
    capture,
  );

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

const find = (picker) => {
  const wanted = fold(picker.querySelector("input[type=search]").value.trim());
  let any = false;
  for (const group of picker.querySelectorAll(".picker-group")) {
    const inGroup = fold(group.getAttribute("aria-label") ?? "").includes(wanted);
    let shown = false;
    for (const chip of group.querySelectorAll(".chip")) {
      chip.hidden = !inGroup && !fold(chip.textContent).includes(wanted);
      shown ||= !chip.hidden;
    }
    group.hidden = !shown;
    any ||= shown;
  }
  picker.querySelector(".picker-none").hidden = any;
};

on("input", "[data-picker] input[type=search]", (_event, search) => find(search.closest("[data-picker]")));
// The search is no choice: its change saves nothing.
on("change", "[data-picker] input[type=search]", (event) => event.stopPropagation(), true);
on("keydown", "[data-picker] input[type=search]", (event, search) => {
  if (event.key === "Escape") return search.closest("[data-picker]").hidePopover();
  if (event.key !== "Enter") return;
  event.preventDefault();
  const first = search.closest("[data-picker]").querySelector(".picker-group:not([hidden]) .chip:not([hidden]) input");
  if (!search.value.trim() || !first) return;
  first.click();
  search.select();
});
on("keydown", "#audience-form input[type=checkbox]", (event, box) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  box.click();
});

// What was chosen in a list stands among the chips once the list is closed.
document.addEventListener(
  "toggle",
  (event) => {
    const picker = event.target;
    if (!(picker instanceof HTMLElement) || !picker.matches("[data-picker]") || event.newState !== "closed") return;
    const opener = document.querySelector(`[popovertarget="${CSS.escape(picker.id)}"]`);
    for (const box of picker.querySelectorAll("input:checked")) opener.before(box.closest(".chip"), " ");
    picker.querySelector("input[type=search]").value = "";
    find(picker);
  },
  true,
);

on("click", "[data-clear]", (_event, button) => {
  const criterion = button.closest("fieldset");
  const chosen = [...criterion.querySelectorAll("input[type=checkbox]:checked")];
  for (const box of chosen) box.checked = false;
  chosen[0]?.dispatchEvent(new Event("change", { bubbles: true }));
  criterion.querySelector("input[type=checkbox]")?.focus();
});
