// Ctrl K: a window that finds pages and records; arrows choose, Enter goes there. Results come from the server.
import htmx from "htmx.org/dist/htmx.esm.js";
import { on } from "./page.js";
import { showLayer } from "./layers.js";

const dialog = () => document.getElementById("find");
const input = () => dialog().querySelector("input");
const found = () => [...dialog().querySelectorAll("[role=option]")];

function choose(option) {
  for (const each of found()) each.setAttribute("aria-selected", String(each === option));
  if (option) {
    input().setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else input().removeAttribute("aria-activedescendant");
}

function openFind() {
  if (!dialog() || dialog().open) return;
  showLayer(dialog());
  input().focus();
  input().select();
  htmx.trigger(input(), "find:opened");
}

on("click", "[data-find]", openFind);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openFind();
  }
});
on("keydown", "#find input", (event) => {
  const options = found();
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps && options.length) {
    event.preventDefault();
    choose(options[(at + steps[event.key] + options.length) % options.length]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    (options[at] ?? options[0])?.click();
  }
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target.id !== "find-results") return;
  found().forEach((option, index) => { option.id = `found-${index}`; });
  choose(found()[0]);
});
