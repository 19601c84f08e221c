/* The page of one's notifications: whether this browser takes pushes, and switching that on. The browser asks its user
   only after a press on the button. */
import { whenPresent } from "./presence.js";

const WORKER = "/service-worker.js";

whenPresent("[data-push]", (section) => {
  void stateOf(section).then((state) => show(section, state));
  section.querySelector("[data-push-on]")?.addEventListener("click", () => void switchOn(section));
  section.querySelector("[data-push-off]")?.addEventListener("submit", () => void forget());
});

/** @param {HTMLElement} section */
async function stateOf(section) {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  const known = (section.dataset.pushKnown ?? "").split(" ");
  const subscription = await current();
  return subscription && known.includes(await hashOf(subscription.endpoint)) ? "on" : "off";
}

/** @param {HTMLElement} section @param {string} state */
function show(section, state) {
  for (const part of section.querySelectorAll("[data-push-state]")) {
    if (part instanceof HTMLElement) part.hidden = part.dataset.pushState !== state;
  }
}

/** @param {HTMLElement} section */
async function switchOn(section) {
  try {
    const permission = await Notification.requestPermission();
    if (permission !== "granted") return show(section, permission === "denied" ? "denied" : "off");
    await register(section.dataset.push ?? "");
    location.reload();
  } catch {
    show(section, "failed");
  }
}

/** @param {string} key the company's public key, in base64url */
async function register(key) {
  await navigator.serviceWorker.register(WORKER);
  const registration = await navigator.serviceWorker.ready;
  await (await registration.pushManager.getSubscription())?.unsubscribe(); // it may be bound to another key
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint = "", keys = {} } = made.toJSON();
  const csrf_token = document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
  const { p256dh = "", auth = "" } = keys;
  const body = new URLSearchParams({ endpoint, p256dh, auth, csrf_token });
  const answer = await fetch("/notifications/push", { method: "POST", body });
  if (!answer.ok) throw new Error("refused");
}

/** The server forgets by the form; the browser itself too. */
async function forget() {
  await (await current())?.unsubscribe();
}

async function current() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return registration?.pushManager.getSubscription();
}

/** @param {string} text @returns {Promise<string>} SHA-256 in hex, as the server writes it */
async function hashOf(text) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
