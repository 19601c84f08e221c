/* An htmx request that fails leaves the page as it is and says so. */
import { sentence } from "./strings.js";
import { toast } from "./toast.js";

const SIGNED_OUT = 401;
/* These answers are pages that say what is wrong. */
const EXPLAINED = [409, 422];

document.addEventListener("htmx:response:error", (event) => {
  if (!(event instanceof CustomEvent)) return;
  const status = event.detail.ctx.response?.status;
  if (status === SIGNED_OUT) location.reload();
  else if (!EXPLAINED.includes(status ?? 0)) toast(sentence("request_failed"), { tone: "danger" });
});

document.addEventListener("htmx:error", () => toast(sentence("no_answer"), { tone: "danger" }));
