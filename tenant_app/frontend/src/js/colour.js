/* A colour chosen by eye for the field beside it, which holds it as text: data-colour-for names the field. */
import { whenPresent } from "./presence.js";

const COLOUR = /^#[0-9a-f]{6}$/i;

whenPresent("[data-colour-for]", (picker) => {
  const field = document.getElementById(picker.dataset.colourFor ?? "");
  if (!(picker instanceof HTMLInputElement) || !(field instanceof HTMLInputElement)) return;
  picker.hidden = false;
  picker.addEventListener("input", () => {
    field.value = picker.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  field.addEventListener("input", () => {
    if (COLOUR.test(field.value)) picker.value = field.value;
  });
});
