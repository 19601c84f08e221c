/* A field that searches as one types and keeps the id of what was picked. data-picker="/companies/choices" answers
   [{id, name, hint}] for ?q=. Without scripts the text is sent, and the server looks for the name. */
import { whenPresent } from "./presence.js";

const PAUSE_MS = 150;

/** @typedef {{ id: number, name: string, hint: string }} Choice */

whenPresent("[data-picker]", (field) => {
  const input = field.querySelector("input[type=text]");
  const list = field.querySelector("[role=listbox]");
  const status = field.querySelector("[data-picker-status]");
  if (!(input instanceof HTMLInputElement) || !(list instanceof HTMLElement) || !(status instanceof HTMLElement)) return;
  watch(field, input, list, status);
});

/** @param {HTMLElement} field @param {HTMLInputElement} input @param {HTMLElement} list @param {HTMLElement} status */
function watch(field, input, list, status) {
  /** @type {Choice[]} */
  let choices = [];
  let at = -1;
  let timer = 0;
  let asked = 0;

  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) {
    input.setAttribute(name ?? "", value ?? "");
  }
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), PAUSE_MS);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && list.hidden) void ask();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") mark((at + (event.key === "ArrowDown" ? 1 : -1) + choices.length) % choices.length);
    else if (event.key === "Enter" && at >= 0 && !list.hidden) pick(choices[at]);
    else if (event.key === "Escape" && !list.hidden) close();
    else return;
    event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    if (option) pick(choices[[...list.children].indexOf(option)]);
  });

  async function ask() {
    const turn = (asked += 1);
    const answer = await fetch(`${field.dataset.picker}?${new URLSearchParams({ q: input.value })}`).catch(() => null);
    if (turn !== asked || !answer?.ok || document.activeElement !== input) return;
    show(await answer.json());
  }

  /** @param {Choice[]} found */
  function show(found) {
    choices = found;
    list.replaceChildren(...found.map(option));
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
    status.textContent = found.length === 0 ? (status.dataset.none ?? "") : "";
    mark(-1);
  }

  /** @param {Choice} choice @param {number} index */
  function option(choice, index) {
    const item = document.createElement("li");
    const hint = document.createElement("span");
    item.id = `${list.id}-${index}`;
    item.setAttribute("role", "option");
    item.textContent = choice.name;
    hint.textContent = choice.hint;
    item.append(hint);
    return item;
  }

  /** @param {number} index */
  function mark(index) {
    at = Number.isNaN(index) ? -1 : index;
    [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
    const marked = list.children[at];
    marked?.scrollIntoView({ block: "nearest" });
    if (marked) input.setAttribute("aria-activedescendant", marked.id);
    else input.removeAttribute("aria-activedescendant");
  }

  /** @param {Choice | undefined} choice */
  function pick(choice) {
    if (!choice) return;
    input.value = choice.name;
    keep("company_id", String(choice.id));
    keep("company_shown", choice.name);
    close();
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** @param {string} name @param {string} value */
  function keep(name, value) {
    const kept = field.querySelector(`input[type=hidden][name=${name}]`);
    if (kept instanceof HTMLInputElement) kept.value = value;
  }

  function close() {
    clearTimeout(timer);
    asked += 1;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    mark(-1);
  }
}
