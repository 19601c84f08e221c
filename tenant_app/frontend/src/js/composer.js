/* Writing: Ctrl+Enter sends a form with data-sends; a link with data-focuses="<id>" goes on in that field; what stands in
   data-offers="<id>" offers addresses for that field, each a button with data-offer, and goes when it was taken. */
import { whenPresent } from "./presence.js";

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !(event.target instanceof Element)) return;
  const form = event.target.closest("form[data-sends]");
  if (!(form instanceof HTMLFormElement)) return;
  event.preventDefault();
  const button = form.querySelector("button.button-primary");
  form.requestSubmit(button instanceof HTMLButtonElement ? button : null);
});

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("[data-focuses]") : null;
  const field = link instanceof HTMLElement ? document.getElementById(link.dataset.focuses ?? "") : null;
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.scrollIntoView({ block: "center" });
});

whenPresent("[data-offers]", (offers) => {
  const field = document.getElementById(offers.dataset.offers ?? "");
  if (!(field instanceof HTMLInputElement)) return;
  offers.hidden = false;
  offers.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-offer]") : null;
    if (!(button instanceof HTMLElement)) return;
    const typed = field.value.trim().replace(/[,;]$/, "");
    field.value = typed ? `${typed}, ${button.dataset.offer}` : (button.dataset.offer ?? "");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    (button.closest("li") ?? button).remove();
    offers.hidden = !offers.querySelector("[data-offer]");
    field.focus();
  });
});
