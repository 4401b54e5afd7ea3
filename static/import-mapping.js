// Columns assigned on the page otherwise than they were checked: what can be done next is to check them, not to import.

const isChanged = (select) => {
  const shown = [...select.options].findIndex((option) => option.defaultSelected);
  return select.selectedIndex !== Math.max(shown, 0);
};

const offerNext = () => {
  const mapping = document.getElementById("mapping");
  const [checked, unchecked] = ["[data-while-checked]", "[data-while-unchecked]"].map((part) => document.querySelector(part));
  if (!mapping || !checked || !unchecked) return;
  const selects = [...mapping.querySelectorAll("select")];
  const constants = [...mapping.querySelectorAll(".constant > input")];
  const isTyped = (input) => input.value !== input.defaultValue;
  const changed = mapping.hasAttribute("data-unchecked") || selects.some(isChanged) || constants.some(isTyped);
  checked.hidden = changed;
  unchecked.hidden = !changed;
};

document.addEventListener("change", (event) => event.target.closest?.("#mapping") && offerNext());
// A browser that comes back to a page, or reloads it, puts in what was chosen there before.
window.addEventListener("pageshow", offerNext);
