/* Calls of the viewer's own line. One that rings opens a tab of the panel in every open page, without taking the focus;
   its card follows the call until it ends, and the last one that ended stays until it is closed. A card that was closed
   does not come back. <div data-calls data-live="my-call:17"> in the frame says that there is somebody to ring for. */
import htmx from "htmx.org";
import { recall, remember } from "./memory.js";
import { panel } from "./panel.js";
import { whenPresent } from "./presence.js";
import { flashTitle } from "./title.js";

const PREFIX = "call-";
const KEPT_IDS = 50;
const LONGEST_MS = 10000;
/** One question at a time, so that no older answer overtakes a newer one; what comes meanwhile is asked for after it. */
let isAsking = false;
let isAskedAgain = false;
/** Which calls this page has said aloud. @type {Set<string>} */
const announced = new Set();

/** @typedef {{ id: string, title: string, state: string, words: string, html: string }} Card */

whenPresent("[data-calls]", (watcher) => {
  watcher.addEventListener("live", () => void ask());
  void ask();
});

document.addEventListener("panel:closed", (event) => {
  if (!(event instanceof CustomEvent) || !event.detail.id.startsWith(PREFIX)) return;
  remember("calls-closed", [...closed(), event.detail.id].slice(-KEPT_IDS));
});

/** @returns {string[]} */
function closed() {
  const ids = recall("calls-closed");
  return Array.isArray(ids) ? ids : [];
}

async function ask() {
  isAskedAgain = true;
  if (isAsking) return;
  isAsking = true;
  try {
    while (isAskedAgain) {
      isAskedAgain = false;
      await bring();
    }
  } finally {
    isAsking = false;
  }
}

/** What rings now, put into the panel. */
async function bring() {
  const cards = await cardsAt("/calls/card");
  if (!cards) return;
  const wanted = cards.filter((card) => !closed().includes(card.id));
  for (const card of wanted.toReversed()) await put(card);
  await finish(wanted);
  const ringing = wanted.filter((card) => card.state === "ringing");
  flashTitle(ringing[0]?.words ?? null);
  for (const card of ringing) announce(card);
}

/** @param {string} url @returns {Promise<Card[] | null>} null if the server did not answer as it should */
async function cardsAt(url) {
  const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(LONGEST_MS) }).catch(() => null);
  if (answer?.status === 404) return [];
  if (!answer?.ok || answer.redirected) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return [...page.querySelectorAll("[data-call-card]")].flatMap((element) => {
    if (!(element instanceof HTMLElement)) return [];
    const { callCard = "", callTitle = "", callState = "", callWords = "" } = element.dataset;
    return [{ id: `${PREFIX}${callCard}`, title: callTitle, state: callState, words: callWords, html: element.outerHTML }];
  });
}

/** Opens the card's tab, or brings its content up to date. @param {Card} card */
async function put({ id, title, state, html }) {
  panel.offer({ id, title, state, url: `/calls/${id.slice(PREFIX.length)}/card` });
  panel.update({ id, title, state });
  const body = panel.body(id);
  if (!body) return;
  body.dataset.asked = "";
  const shown = body.querySelector("[data-call-card]");
  if (shown) await htmx.swap({ text: html, target: shown, swap: "outerMorph" });
  else await htmx.swap({ text: html, target: body, swap: "innerHTML" });
}

/** Calls that are over: the newest card shows how they ended, older ones go. @param {Card[]} live */
async function finish(live) {
  const over = panel.opened(PREFIX).filter((tab) => !live.some((card) => card.id === tab.id));
  for (const tab of over.slice(0, -1)) panel.close(tab.id);
  const last = over.at(-1);
  if (!last || last.state === "ended") return;
  const [card] = (await cardsAt(last.url)) ?? [];
  if (card) await put(card);
  else panel.close(last.id);
}

/** @param {Card} card */
function announce({ id, words }) {
  const announcer = document.querySelector("[data-calls-announcer]");
  if (!announcer || announced.has(id)) return;
  announced.add(id);
  announcer.textContent = words;
}
