/* An htmx request that fails leaves the page as it is and says so. */
import { sentence } from "./strings.js";
import { linkTo, toast } from "./toast.js";

const SIGNED_OUT = 401;
/* These answers are pages that say what is wrong. */
const EXPLAINED = [409, 422];
const SHOWN_ALREADY = '[data-toasts] a[href*="/sign-in?next="]';
/** @type {number | undefined} */
let lastStatus;

document.addEventListener("htmx:response:error", (event) => {
  if (!(event instanceof CustomEvent)) return;
  lastStatus = event.detail.ctx.response?.status;
  if (lastStatus === SIGNED_OUT) askToSignIn();
  else if (!EXPLAINED.includes(lastStatus ?? 0)) toast(sentence("request_failed"), { tone: "danger" });
});

document.addEventListener("htmx:error", () => {
  lastStatus = undefined;
  toast(sentence("no_answer"), { tone: "danger" });
});

/** Whether the last request that failed did so because nobody is signed in any more. */
export function hasSessionEnded() {
  return lastStatus === SIGNED_OUT;
}

/** @returns {HTMLAnchorElement} to the sign-in page, which leads back to this one: there drafts come back */
export function signInLink() {
  const url = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
  return linkTo(url, sentence("sign_in"));
}

/** Once, however many parts of the page asked. */
function askToSignIn() {
  if (document.querySelector(SHOWN_ALREADY)) return;
  const { href, textContent } = signInLink();
  toast(sentence("session_ended_here"), { tone: "danger", url: href, link_text: textContent ?? "" });
}
