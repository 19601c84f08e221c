/* Forms whose answer a passkey gives: data-passkey is "create" or "get". What the browser is told stands in
   data-passkey-options, or is asked for at the address in data-passkey-ask. Words for what went wrong stand in the form. */
import { whenPresent } from "./presence.js";

/** @type {Record<string, string>} */
const STATES = { AbortError: "cancelled", InvalidStateError: "known", NotAllowedError: "cancelled", SecurityError: "elsewhere" };

const isSupported = "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;

whenPresent("[data-passkey-or]", (line) => {
  line.hidden = !isSupported;
});

whenPresent("form[data-passkey]", (form) => {
  if (!(form instanceof HTMLFormElement)) return;
  form.hidden = form.dataset.passkey === "get" && !isSupported;
  if (!isSupported) show(form, "unsupported");
  form.addEventListener("submit", (event) => {
    const field = form.elements.namedItem("credential");
    if (!(field instanceof HTMLInputElement)) return;
    event.preventDefault();
    if (isSupported) void answer(form, field);
  });
});

/** @param {HTMLFormElement} form @param {HTMLInputElement} field */
async function answer(form, field) {
  const button = form.querySelector("button");
  show(form, "");
  button?.toggleAttribute("disabled", true);
  try {
    field.value = JSON.stringify(await credential(form));
    form.submit();
  } catch (error) {
    show(form, (error instanceof Error && STATES[error.name]) || "failed");
    button?.toggleAttribute("disabled", false);
    button?.focus();
  }
}

/** @param {HTMLFormElement} form @returns {Promise<unknown>} */
async function credential(form) {
  const options = form.dataset.passkeyOptions ? JSON.parse(form.dataset.passkeyOptions) : await asked(form);
  const made =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  if (!(made instanceof PublicKeyCredential)) throw new Error("no credential");
  return made.toJSON();
}

/** @param {HTMLFormElement} form */
async function asked(form) {
  const csrf_token = form.querySelector('input[name="csrf_token"]');
  const body = new URLSearchParams({ csrf_token: csrf_token instanceof HTMLInputElement ? csrf_token.value : "" });
  const response = await fetch(form.dataset.passkeyAsk ?? "", { method: "POST", body });
  if (!response.ok) throw new Error("refused");
  return response.json();
}

/** @param {HTMLFormElement} form @param {string} state */
function show(form, state) {
  for (const words of form.querySelectorAll("[data-passkey-state]")) {
    if (words instanceof HTMLElement) words.hidden = words.dataset.passkeyState !== state;
  }
}
