/* The static panel: open activities as tabs. What is open is remembered, so that it survives navigation and reload; what is
   typed inside is kept by the forms' drafts. Elsewhere: import { panel } from "./panel.js", or a link with
   data-panel-id="<id>" (its text or data-panel-title names the tab), which without scripts is a page of its own. What is
   finished inside says "panel:done", and its tab closes.
   A call comes by itself: panel.offer(). It takes the place of what is shown, but never of what is being typed in: then it
   stands below that. A tab that was closed says "panel:closed". */
import htmx from "htmx.org";
import { hasSessionEnded, signInLink } from "./failures.js";
import { recall, remember } from "./memory.js";
import { watchGrip } from "./panel-width.js";
import { sentence } from "./strings.js";

/**
 * @typedef {{ id: string, title: string, url: string, state?: string, back?: string | null }} Activity state: of what was
 *   offered, as its tab shows it; back: which tab it took the place of
 */

const BODY_PREFIX = "panel-activity-";
const root = document.documentElement;
const frame = document.getElementById("panel");
/** @type {Activity[]} */
let tabs = [];
/** @type {string | null} */
let active = null;
/** Shown below the active one. @type {string[]} */
let beside = [];

export const panel = {
  /** Opens an activity in a tab of its own, or shows the tab that it has. @param {Activity} activity */
  open(activity) {
    if (!tabs.some((tab) => tab.id === activity.id)) tabs = [...tabs, activity];
    active = activity.id;
    beside = [];
    keep();
    show();
    setOpen(true);
  },
  /** Opens a tab that nobody asked for; what is being typed keeps its place and the focus. @param {Activity} activity */
  offer(activity) {
    if (tabs.some((tab) => tab.id === activity.id)) return;
    const held = isHeld();
    tabs = [...tabs, { ...activity, back: active }];
    if (held) beside = [...beside, activity.id];
    else active = activity.id;
    const comesAlone = root.dataset.panel !== "open" || root.dataset.panelOffer !== undefined;
    keep();
    show();
    setOpen(true);
    if (comesAlone) root.dataset.panelOffer = "";
  },
  /** Another title and state of what was offered. @param {{ id: string, title: string, state: string }} activity */
  update({ id, title, state }) {
    const tab = tabs.find((known) => known.id === id);
    if (!tab || (tab.title === title && tab.state === state)) return;
    Object.assign(tab, { title, state });
    keep();
    show();
  },
  /** Where the tab's content is, or will be. @param {string} id @returns {HTMLElement | null} */
  body(id) {
    return document.getElementById(`${BODY_PREFIX}${id}`);
  },
  /** The open tabs whose ids begin so. @param {string} prefix @returns {Activity[]} */
  opened(prefix) {
    return tabs.filter((tab) => tab.id.startsWith(prefix));
  },
  /** @param {string} id */
  close(id) {
    const at = tabs.findIndex((tab) => tab.id === id);
    const back = tabs[at]?.back;
    tabs = tabs.filter((tab) => tab.id !== id);
    beside = beside.filter((shown) => shown !== id);
    if (active === id) active = tabs.find((tab) => tab.id === back)?.id ?? (tabs[at] ?? tabs[at - 1])?.id ?? null;
    keep();
    show();
    if (tabs.length === 0) setOpen(false);
    document.dispatchEvent(new CustomEvent("panel:closed", { detail: { id } }));
  },
};

if (frame instanceof HTMLElement) start(frame);

/** @param {HTMLElement} aside */
function start(aside) {
  load();
  show();
  watchGrip(aside);
  document.addEventListener("click", (event) => pressed(event));
  document.addEventListener("panel:open", (event) => event instanceof CustomEvent && panel.open(event.detail));
  document.addEventListener("panel:close", (event) => event instanceof CustomEvent && panel.close(event.detail.id));
  document.addEventListener("panel:done", ({ target }) => {
    const body = target instanceof Element ? target.closest("[data-panel-activity]") : null;
    if (body) panel.close(body.id.slice(BODY_PREFIX.length));
  });
  addEventListener("storage", ({ key }) => {
    if (key?.startsWith("panel-tabs:")) follow();
  });
  showToggle();
}

/** Another page of this browser changed the tabs. What is typed in here stays, and what was offered there is shown. */
function follow() {
  const known = tabs.map((tab) => tab.id);
  const held = isHeld() ? active : null;
  load();
  if (held !== null && held !== active && tabs.some((tab) => tab.id === held)) {
    beside = tabs.filter((tab) => tab.id === active && tab.state).map((tab) => tab.id);
    active = held;
  }
  show();
  if (tabs.some((tab) => tab.state && !known.includes(tab.id))) setOpen(true);
}

/** Whether the focus lies in what the panel shows, so that hiding that would lose it. */
function isHeld() {
  const shown = active === null ? null : panel.body(active);
  return shown !== null && !shown.hidden && shown.contains(document.activeElement);
}

/** @param {MouseEvent} event */
function pressed(event) {
  if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey) return;
  const link = event.target.closest("a[data-panel-id]");
  if (link instanceof HTMLAnchorElement) {
    event.preventDefault();
    const { panelId = link.href, panelTitle = link.textContent?.trim() ?? "" } = link.dataset;
    panel.open({ id: panelId, title: panelTitle, url: link.getAttribute("href") ?? "" });
  }
  if (event.target.closest("[data-panel-toggle]")) setOpen(root.dataset.panel !== "open");
  if (event.target.closest("[data-panel-close]")) setOpen(false);
}

/** @param {boolean} open */
function setOpen(open) {
  delete root.dataset.panelOffer;
  if (open) root.dataset.panel = "open";
  else delete root.dataset.panel;
  remember("panel-open", open);
  showToggle();
}

function showToggle() {
  const button = document.querySelector("[data-panel-toggle]");
  button?.setAttribute("aria-expanded", String(root.dataset.panel === "open"));
  const count = button?.querySelector("[data-panel-count]");
  if (!(count instanceof HTMLElement)) return;
  count.textContent = String(tabs.length);
  count.hidden = tabs.length === 0;
}

function load() {
  const kept = /** @type {{ tabs: Activity[], active: string | null, beside?: string[] } | null} */ (recall("panel-tabs"));
  tabs = kept?.tabs ?? [];
  beside = (kept?.beside ?? []).filter((id) => tabs.some((tab) => tab.id === id));
  active = tabs.some((tab) => tab.id === kept?.active) ? (kept?.active ?? null) : (tabs[0]?.id ?? null);
}

function keep() {
  remember("panel-tabs", { tabs, active, beside });
}

/** Brings the tab strip and the bodies in line with `tabs`; a body that is loaded stays as it is. */
function show() {
  const strip = document.querySelector("[data-panel-tabs]");
  const body = document.querySelector("[data-panel-body]");
  const empty = document.querySelector("[data-panel-empty]");
  if (!strip || !body || !(empty instanceof HTMLElement)) return;
  strip.replaceChildren(...tabs.map(tabButton));
  for (const shown of body.querySelectorAll("[data-panel-activity]")) {
    if (!tabs.some((tab) => bodyId(tab) === shown.id)) shown.remove();
  }
  for (const tab of tabs) showBody(body, tab);
  empty.hidden = tabs.length > 0;
  showToggle();
}

/** @param {Activity} tab */
function bodyId(tab) {
  return `${BODY_PREFIX}${tab.id}`;
}

/** @param {Activity} tab @returns {Node} */
function tabButton(tab) {
  const template = document.querySelector("template[data-panel-tab-template]");
  if (!(template instanceof HTMLTemplateElement)) return document.createTextNode(tab.title);
  const piece = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const [name, close] = piece.querySelectorAll("button");
  if (tab.state && piece.firstElementChild instanceof HTMLElement) piece.firstElementChild.dataset.state = tab.state;
  name?.replaceChildren(tab.title);
  name?.setAttribute("title", tab.title);
  if (tab.id === active) name?.setAttribute("aria-current", "true");
  name?.setAttribute("aria-controls", bodyId(tab));
  name?.addEventListener("click", () => panel.open({ id: tab.id, title: tab.title, url: tab.url }));
  close?.setAttribute("aria-label", `${close.getAttribute("aria-label")}: ${tab.title}`);
  close?.addEventListener("click", () => panel.close(tab.id));
  return piece;
}

/** @param {Element} body @param {Activity} tab */
function showBody(body, tab) {
  let shown = document.getElementById(bodyId(tab));
  if (!shown) {
    shown = document.createElement("div");
    shown.id = bodyId(tab);
    shown.setAttribute("role", "region");
    shown.setAttribute("aria-label", tab.title);
    shown.dataset.panelActivity = "";
    body.append(shown);
  }
  const isBeside = beside.includes(tab.id) && tab.id !== active;
  shown.hidden = tab.id !== active && !isBeside;
  shown.classList.toggle("panel-beside", isBeside);
  if (!shown.hidden && !("asked" in shown.dataset)) void fill(shown, tab);
}

/** @param {HTMLElement} shown @param {Activity} tab */
async function fill(shown, tab) {
  shown.dataset.asked = "";
  shown.replaceChildren();
  await htmx.ajax("GET", tab.url, { target: shown, swap: "innerHTML" });
  if (shown.childElementCount > 0) return;
  delete shown.dataset.asked;
  if (hasSessionEnded()) shown.replaceChildren(sentence("session_ended"), " ", signInLink());
  else shown.textContent = sentence("activity_failed");
}
