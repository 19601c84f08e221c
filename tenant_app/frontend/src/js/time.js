/* <time data-relative>: "5 minutes ago" while younger than a day; the server's local date after that. */
import { whenPresent } from "./presence.js";

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86400;
const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto", style: "short" });
/** @type {Map<HTMLElement, string>} */
const shown = new Map();

whenPresent("time[data-relative]", (element) => {
  shown.set(element, element.textContent ?? "");
  show(element);
});
setInterval(showAll, MINUTE_S * 500);
document.addEventListener("visibilitychange", showAll);
document.addEventListener("htmx:after:swap", showAll);

function showAll() {
  if (document.hidden) return;
  for (const element of shown.keys()) {
    if (element.isConnected) show(element);
    else shown.delete(element);
  }
}

/** @param {HTMLElement} element */
function show(element) {
  const at = Date.parse(element.getAttribute("datetime") ?? "");
  const text = relative((at - Date.now()) / 1000) ?? shown.get(element) ?? "";
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {number} distance_s negative in the past
 * @returns {string | null} null from a day on
 */
export function relative(distance_s) {
  const size = Math.abs(distance_s);
  if (Number.isNaN(size) || size >= DAY_S) return null;
  if (size < MINUTE_S) return words.format(0, "second");
  if (size < HOUR_S) return words.format(Math.trunc(distance_s / MINUTE_S), "minute");
  return words.format(Math.trunc(distance_s / HOUR_S), "hour");
}
