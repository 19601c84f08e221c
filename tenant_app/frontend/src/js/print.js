/* A button that prints the page: data-prints. Without scripts it is not there. */
import { whenPresent } from "./presence.js";

whenPresent("[data-prints]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});
