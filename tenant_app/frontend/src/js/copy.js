/* A field whose text is copied by the button beside it: data-copy holds the word that says it was. */
import { whenPresent } from "./presence.js";

const SHOWN_MS = 2000;

whenPresent("[data-copy-field]", (field) => {
  const input = field.querySelector("textarea");
  const button = field.querySelector("[data-copy]");
  if (!(input instanceof HTMLTextAreaElement) || !(button instanceof HTMLElement)) return;
  input.addEventListener("focus", () => input.select());
  button.addEventListener("click", async () => {
    if (await copied(input)) confirm(field, button);
  });
});

/** The clipboard wants a secure page; elsewhere the selection is copied. @param {HTMLTextAreaElement} input */
async function copied(input) {
  if (navigator.clipboard) {
    const done = await navigator.clipboard.writeText(input.value).then(() => true, () => false);
    if (done) return true;
  }
  input.select();
  return document.execCommand("copy");
}

/** @param {HTMLElement} field @param {HTMLElement} button */
function confirm(field, button) {
  const word = button.dataset.copy ?? "";
  const tooltip = button.dataset.tooltip ?? "";
  const status = field.querySelector("[data-copy-status]");
  if (status) status.textContent = word;
  button.dataset.tooltip = word;
  button.classList.add("is-copied");
  setTimeout(() => {
    if (status) status.textContent = "";
    button.dataset.tooltip = tooltip;
    button.classList.remove("is-copied");
  }, SHOWN_MS);
}
