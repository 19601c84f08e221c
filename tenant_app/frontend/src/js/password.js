/* The rules of a password tell while it is typed which of them it meets: data-password-rules names the field. */
import { whenPresent } from "./presence.js";

/** @type {Record<string, (text: string) => boolean>} */
const RULES = {
  length: (text) => [...text].length >= 8,
  upper: (text) => /\p{Lu}/u.test(text),
  lower: (text) => /\p{Ll}/u.test(text),
  digit: (text) => /\p{Nd}/u.test(text),
  special: (text) => /[\p{P}\p{S}]/u.test(text),
};

whenPresent("[data-password-rules]", (box) => {
  const input = box.querySelector(`input[name="${box.dataset.passwordRules}"]`);
  if (!(input instanceof HTMLInputElement)) return;
  const show = () => {
    for (const rule of box.querySelectorAll("[data-rule]")) {
      if (!(rule instanceof HTMLElement)) continue;
      const met = RULES[rule.dataset.rule ?? ""]?.(input.value) ?? false;
      rule.classList.toggle("is-met", met);
      rule.querySelector("[data-rule-met]")?.toggleAttribute("hidden", !met);
    }
  };
  input.addEventListener("input", show);
  show();
});
