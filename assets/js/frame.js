// The frame: groups of the menu stay as the user left them, the menu on a phone, appearance, and
// the scripts that few pages need.
import { on, onPart } from "./page.js";

const KEPT = "relais.menu";

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

for (const group of document.querySelectorAll("details[data-menu]")) {
  if (!group.open && kept()[group.dataset.menu]) group.open = true;
}
on("toggle", "details[data-menu]", (event, group) => {
  localStorage.setItem(KEPT, JSON.stringify({ ...kept(), [group.dataset.menu]: group.open }));
}, true);

function showMenu(shown) {
  const side = document.querySelector(".rl-side");
  if (!side) return;
  side.classList.toggle("is-open", shown);
  document.querySelector("[data-menu-shade]").hidden = !shown;
  document.querySelector(".rl-col").inert = shown;
  (shown ? side.querySelector("a") : document.querySelector("[data-menu-toggle]"))?.focus();
}
on("click", "[data-menu-toggle]", () => showMenu(true));
on("click", "[data-menu-shade]", () => showMenu(false));
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && document.querySelector(".rl-side.is-open")) showMenu(false);
});

on("submit", "form[data-theme]", (event, form) => {
  event.preventDefault();
  const theme = event.submitter.value;
  const root = document.documentElement;
  if (theme) root.dataset.bsTheme = theme;
  else delete root.dataset.bsTheme;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button === event.submitter));
  const headers = { "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content };
  fetch(form.action, { method: "POST", headers, body: new URLSearchParams({ theme }) });
  document.dispatchEvent(new CustomEvent("theme:changed"));
});

/** Loads the script that <meta name> names, once a part has something for it. */
function loadFor(selector, name) {
  let asked = false;
  onPart((root) => {
    if (asked || !root.querySelector(selector)) return;
    asked = true;
    const script = document.createElement("script");
    script.src = document.querySelector(`meta[name=${name}]`).content;
    document.head.append(script);
  });
}
loadFor("[data-chart]", "charts-script");
loadFor("[x-data]", "components-script");
