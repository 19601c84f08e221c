/* A form with data-guard asks before its changes are lost; data-guard="dirty" when it already holds some.
   The question is armed only while there are changes, so that unchanged pages stay in the back-forward cache. */
import { whenPresent } from "./presence.js";

/** @type {WeakMap<HTMLFormElement, string>} */
const saved = new WeakMap();

whenPresent("form[data-guard]", (form) => {
  if (!(form instanceof HTMLFormElement)) return;
  saved.set(form, form.dataset.guard === "dirty" ? "" : contents(form));
  form.addEventListener("input", arm);
  form.addEventListener("submit", () => {
    saved.set(form, contents(form));
    arm();
  });
  arm();
});

function arm() {
  const dirty = [...document.querySelectorAll("form[data-guard]")].some(
    (form) => form instanceof HTMLFormElement && saved.has(form) && saved.get(form) !== contents(form),
  );
  if (dirty) addEventListener("beforeunload", ask);
  else removeEventListener("beforeunload", ask);
}

/** @param {BeforeUnloadEvent} event */
function ask(event) {
  event.preventDefault();
}

/** @param {HTMLFormElement} form */
function contents(form) {
  return JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value instanceof File ? value.name : value]));
}
