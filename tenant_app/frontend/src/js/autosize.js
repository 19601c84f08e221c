/* Browsers without field-sizing: a textarea grows with its text. */
import { whenPresent } from "./presence.js";

if (!CSS.supports("field-sizing", "content")) {
  whenPresent("textarea[data-autosize]", (area) => {
    const fit = () => {
      area.style.height = "auto";
      area.style.height = `${area.scrollHeight + 2}px`;
    };
    area.addEventListener("input", fit);
    fit();
  });
}
