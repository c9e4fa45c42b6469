// The block Permissions of a form: how many lines of a group allow something, and which deviate from what the roles give.
import { on } from "./page.js";

on("change", "[data-permissions] input[type=radio]", (event, radio) => {
  const line = radio.closest("[role=radiogroup]");
  line.querySelector("[data-deviates]").hidden = (line.dataset.given ?? radio.value) === radio.value;
  const group = radio.closest("details");
  const allowed = [...group.querySelectorAll("input:checked")].filter((chosen) => chosen.value !== "none");
  group.querySelector("[data-count]").textContent = allowed.length;
});
