/* A search over what is already on the page: data-filter="id" narrows the elements marked data-filter-item below it. An
   item is found by its text and by the words in its attribute; accents and capitals do not matter. */
import { whenPresent } from "./presence.js";

whenPresent("[data-filter]", (box) => {
  const input = box.querySelector("input");
  if (!input) return;
  box.hidden = false;
  input.addEventListener("input", () => narrow(box, input.value));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
    if (event.key !== "Escape" || !input.value) return;
    event.preventDefault();
    input.value = "";
    narrow(box, "");
  });
});

/** @param {HTMLElement} box @param {string} typed */
function narrow(box, typed) {
  const list = document.getElementById(box.dataset.filter ?? "");
  if (!list) return;
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const items = [...list.querySelectorAll("[data-filter-item]")];
  const fitting = new Set(items.filter((item) => fits(item, words)));
  for (const item of items) if (item instanceof HTMLElement) item.hidden = !fitting.has(item);
  for (const group of list.querySelectorAll("[data-filter-group]")) {
    if (group instanceof HTMLElement) group.hidden = ![...group.querySelectorAll("[data-filter-item]")].some((item) => fitting.has(item));
  }
  const status = box.querySelector("[data-filter-none]");
  if (!(status instanceof HTMLElement)) return;
  status.textContent = fitting.size ? "" : (status.dataset.filterNone ?? "");
  status.classList.toggle("visually-hidden", fitting.size > 0);
}

/** @param {Element} item @param {string[]} words */
function fits(item, words) {
  const text = plain(`${item.textContent} ${item.getAttribute("data-filter-item")}`);
  return words.every((word) => text.includes(word));
}

/** @param {string} text */
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replaceAll("ł", "l").replaceAll("Ł", "L").toLowerCase();
}
