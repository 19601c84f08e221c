/* The static panel: open activities as tabs. What is open is remembered, so that it survives navigation and reload; what is
   typed inside is kept by the forms' drafts. Elsewhere: import { panel } from "./panel.js", or a link with
   data-panel-id="<id>" (its text or data-panel-title names the tab), which without scripts is a page of its own. What is
   finished inside says "panel:done", and its tab closes. */
import htmx from "htmx.org";
import { hasSessionEnded, signInLink } from "./failures.js";
import { recall, remember } from "./memory.js";
import { watchGrip } from "./panel-width.js";
import { sentence } from "./strings.js";

/** @typedef {{ id: string, title: string, url: string }} Activity */

const BODY_PREFIX = "panel-activity-";
const root = document.documentElement;
const frame = document.getElementById("panel");
/** @type {Activity[]} */
let tabs = [];
/** @type {string | null} */
let active = null;

export const panel = {
  /** Opens an activity in a tab of its own, or shows the tab that it has. @param {Activity} activity */
  open(activity) {
    if (!tabs.some((tab) => tab.id === activity.id)) tabs = [...tabs, activity];
    active = activity.id;
    keep();
    show();
    setOpen(true);
  },
  /** @param {string} id */
  close(id) {
    const at = tabs.findIndex((tab) => tab.id === id);
    tabs = tabs.filter((tab) => tab.id !== id);
    if (active === id) active = (tabs[at] ?? tabs[at - 1])?.id ?? null;
    keep();
    show();
    if (tabs.length === 0) setOpen(false);
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
    if (!key?.startsWith("panel-tabs:")) return;
    load();
    show();
  });
  showToggle();
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
  const kept = /** @type {{ tabs: Activity[], active: string | null } | null} */ (recall("panel-tabs"));
  tabs = kept?.tabs ?? [];
  active = tabs.some((tab) => tab.id === kept?.active) ? (kept?.active ?? null) : (tabs[0]?.id ?? null);
}

function keep() {
  remember("panel-tabs", { tabs, active });
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
  name?.replaceChildren(tab.title);
  name?.setAttribute("title", tab.title);
  if (tab.id === active) name?.setAttribute("aria-current", "true");
  name?.setAttribute("aria-controls", bodyId(tab));
  name?.addEventListener("click", () => panel.open(tab));
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
  shown.hidden = tab.id !== active;
  if (!shown.hidden && !shown.dataset.asked) void fill(shown, tab);
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
