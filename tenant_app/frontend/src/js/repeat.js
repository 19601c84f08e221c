/* Rows of a multi-value field: add and remove in place; without scripts the same buttons ask the server. */
import { whenPresent } from "./presence.js";

whenPresent("[data-repeat]", (field) => {
  field.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!button) return;
    if (button.matches("[data-repeat-add]")) add(field);
    else if (button.matches("[data-repeat-remove]")) remove(field, button);
    else return;
    event.preventDefault();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
});

/** @param {HTMLElement} field */
function add(field) {
  const template = field.querySelector("template");
  const rows = field.querySelector("[data-repeat-rows]");
  if (!template || !rows) return;
  const html = template.innerHTML.replaceAll("__index__", String(nextIndex(field)));
  rows.insertAdjacentHTML("beforeend", html);
  rows.lastElementChild?.querySelector("input")?.focus();
}

/** The last row is emptied rather than removed: there is always a place to type. */
/** @param {HTMLElement} field @param {Element} button */
function remove(field, button) {
  const rows = [...field.querySelectorAll("[data-repeat-row]")];
  const row = button.closest("[data-repeat-row]");
  const at = row ? rows.indexOf(row) : -1;
  if (rows.length > 1) row?.remove();
  const neighbour = rows.length > 1 ? rows[at === 0 ? 1 : at - 1] : row;
  const input = neighbour?.querySelector("input");
  if (rows.length === 1 && input) input.value = "";
  input?.focus();
}

/** @param {HTMLElement} field */
function nextIndex(field) {
  const taken = [...field.querySelectorAll("[data-repeat-row] input[id]")].map((input) => Number(input.id.split("-").at(-1)));
  return Math.max(-1, ...taken) + 1;
}
