/* The chooser of columns: each is put elsewhere by dragging its grip, or by the grip's arrow keys. The order of the rows
   is what the form sends. */
import { whenPresent } from "./presence.js";

whenPresent("[data-columns]", (form) => {
  form.addEventListener("pointerdown", (event) => byPointer(form, event));
  /* Arrows inside belong to the grips and the radio buttons, not to the menu. */
  form.querySelector("[data-columns-body]")?.addEventListener("keydown", (event) => {
    if (event instanceof KeyboardEvent && event.key.startsWith("Arrow")) byKey(form, event);
  });
});

/** @param {HTMLElement} form @param {KeyboardEvent} event */
function byKey(form, event) {
  event.stopPropagation();
  const grip = gripOf(event.target);
  const item = grip?.closest("[data-column]");
  const beside = event.key === "ArrowUp" ? item?.previousElementSibling : item?.nextElementSibling;
  if (!item || !grip || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  if (!beside) return;
  if (event.key === "ArrowUp") beside.before(item);
  else beside.after(item);
  grip.focus();
  tell(form, item);
}

/** @param {HTMLElement} form @param {PointerEvent} event */
function byPointer(form, event) {
  const grip = gripOf(event.target);
  const item = grip?.closest("[data-column]");
  if (!grip || !(item instanceof HTMLElement) || event.button !== 0) return;
  event.preventDefault(); // no text is marked
  const over = new AbortController();
  item.classList.add("is-dragged");
  /* Heard on the document: an element that is put elsewhere loses the pointer. */
  const move = (/** @type {PointerEvent} */ { clientY }) => {
    const others = items(form).filter((other) => other !== item);
    const below = others.find((other) => clientY < middleOf(other));
    if (below) below.before(item);
    else others.at(-1)?.after(item);
  };
  const end = () => {
    item.classList.remove("is-dragged");
    over.abort();
    grip.focus();
    tell(form, item);
  };
  document.addEventListener("pointermove", move, { signal: over.signal });
  for (const ending of ["pointerup", "pointercancel"]) document.addEventListener(ending, end, { signal: over.signal });
}

/** @param {HTMLElement} form @param {Element} item */
function tell(form, item) {
  const status = form.querySelector("[data-columns-status]");
  if (!(status instanceof HTMLElement)) return;
  const place = items(form).indexOf(item) + 1;
  const words = status.dataset.columnsStatus ?? "";
  status.textContent = words.replace("{place}", String(place)).replace("{count}", String(items(form).length));
}

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
function gripOf(target) {
  return target instanceof Element ? target.closest("[data-column-grip]") : null;
}

/** @param {HTMLElement} form @returns {Element[]} */
function items(form) {
  return [...form.querySelectorAll("[data-column]")];
}

/** @param {Element} item */
function middleOf(item) {
  const { top, height } = item.getBoundingClientRect();
  return top + height / 2;
}
