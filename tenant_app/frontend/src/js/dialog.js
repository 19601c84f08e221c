/* data-opens="<id>" shows a <dialog>; data-closes and a press on the backdrop close it. One with data-shown opens as
   soon as it is there: an address or a fragment asks something. */
import { whenPresent } from "./presence.js";

whenPresent("dialog[data-shown]", (dialog) => {
  if (!(dialog instanceof HTMLDialogElement)) return;
  dialog.close();
  dialog.showModal();
});

document.addEventListener("click", (event) => {
  const target = event.target;
  if (!(target instanceof Element)) return;
  const opener = target.closest("[data-opens]");
  if (opener instanceof HTMLElement && openDialog(opener.dataset.opens ?? "")) event.preventDefault();
  if (target.closest("[data-closes]")) target.closest("dialog")?.close();
  if (target instanceof HTMLDialogElement && isOutside(target, event)) target.close();
});

/**
 * Shows the dialog and closes the menu that led to it.
 * @param {string} id
 * @returns {boolean} whether there is such a dialog
 */
export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement)) return false;
  for (const menu of document.querySelectorAll(":popover-open")) if (menu instanceof HTMLElement) menu.hidePopover();
  if (!dialog.open) dialog.showModal();
  return true;
}

/** @param {HTMLDialogElement} dialog @param {MouseEvent} event */
function isOutside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  return x < box.left || x > box.right || y < box.top || y > box.bottom;
}
