/* The theme changes at once and is stored beside; without scripts the form does the same by a round trip. */
import { whenPresent } from "./presence.js";

const root = document.documentElement;

whenPresent("form[data-theme-form]", (form) => {
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!(form instanceof HTMLFormElement) || !(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    show(form, button);
    fetch(form.action, { method: "POST", body: new FormData(form, button), redirect: "manual" });
  });
});

/** @param {HTMLFormElement} form @param {HTMLButtonElement} chosen */
function show(form, chosen) {
  if (chosen.value === "system") delete root.dataset.theme;
  else root.dataset.theme = chosen.value;
  for (const button of form.querySelectorAll("button[name=theme]")) {
    button.setAttribute("aria-pressed", String(button === chosen));
  }
}
