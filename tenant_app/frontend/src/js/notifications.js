/* The panel below the bell: brought when it is opened, and again whenever something changes while it is open. */
import { whenPresent } from "./presence.js";

whenPresent("[data-notifications]", (panel) => {
  const list = panel.querySelector("[data-live]");
  const bring = () => list?.dispatchEvent(new CustomEvent("open"));
  panel.addEventListener("toggle", (event) => {
    if (event instanceof ToggleEvent && event.newState === "open") bring();
  });
  list?.addEventListener("live", () => {
    if (panel.matches(":popover-open") && !panel.querySelector(".notification :focus-visible")) bring();
  });
  /* What was pressed may be gone with the old list: the focus stays inside. */
  panel.addEventListener("htmx:after:swap", () => {
    if (!panel.matches(":popover-open") || panel.contains(document.activeElement)) return;
    const first = panel.querySelector("a[href], button");
    if (first instanceof HTMLElement) first.focus({ preventScroll: true });
  });
});
