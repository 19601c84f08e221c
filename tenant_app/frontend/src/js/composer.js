/* Writing: Ctrl+Enter sends a form with data-sends; a link with data-focuses="<id>" goes on in that field. */

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
