// The rate tree: rows that open and close, and load what is below them when it is asked for; walked through by keys as a
// treegrid; one editor at a time, in the place of its record; steps of a scale.
import htmx from "htmx.org/dist/htmx.esm.js";
import { on, onPart, isTyping } from "./page.js";
import { mayLeave, forget } from "./form.js";

const tree = () => document.querySelector(".rt[role=treegrid]");
const rows = () => [...tree().querySelectorAll(".rt-node > .rt-row")].filter((row) => row.checkVisibility());
const kidsOf = (row) => row.parentElement.querySelector(":scope > .rt-kids");
const editor = () => [...document.querySelectorAll(".rt-ed")].find((place) => place.childElementCount) ?? null;

function setOpen(row, open) {
  const kids = kidsOf(row);
  if (!kids) return Promise.resolve();
  row.setAttribute("aria-expanded", String(open));
  kids.hidden = !open;
  const url = kids.dataset.url;
  if (!open || !url) return Promise.resolve();
  delete kids.dataset.url;
  return htmx.ajax("GET", url, { target: kids, swap: "innerHTML" });
}
const isOpen = (row) => row.getAttribute("aria-expanded") === "true";

/** The one row that Tab comes to, with its buttons. */
function makeCurrent(row, focus = true) {
  for (const each of tree().querySelectorAll(".rt-row[tabindex='0'], .rt-row [tabindex='0']")) each.tabIndex = -1;
  row.tabIndex = 0;
  for (const button of row.querySelectorAll("button")) button.tabIndex = 0;
  if (focus) row.focus();
}

// A part that takes the place of another is no longer what was asked to be filled: so the whole tree is looked at.
onPart(() => {
  if (!tree()) return;
  const [marked, ...others] = tree().querySelectorAll("[data-marked]");
  for (const each of others) delete each.dataset.marked;
  if (marked) {
    delete marked.dataset.marked;
    makeCurrent(marked, !editor());
    marked.scrollIntoView({ block: "nearest" });
  } else if (!tree().querySelector(".rt-node > .rt-row[tabindex='0']")) {
    const first = tree().querySelector(".rt-node > .rt-row");
    if (first) makeCurrent(first, false);
  }
  const empty = document.querySelector("[data-no-rates]");
  if (empty) empty.hidden = Boolean(editor() || tree().querySelector(".rt-node"));
});

on("click", "[data-branch]", (event, button) => {
  const row = button.closest(".rt-row");
  makeCurrent(row);
  setOpen(row, !isOpen(row));
});
on("click", ".rt-node > .rt-row", (event, row) => { if (!event.target.closest("button")) makeCurrent(row); });
on("focusin", ".rt-row button", (event, button) => makeCurrent(button.closest(".rt-row"), false));

async function openAll() {
  const closed = rows().filter((row) => row.getAttribute("aria-expanded") === "false");
  await Promise.all(closed.map((row) => setOpen(row, true)));
}
on("click", "[data-expand-all]", openAll);
on("click", "[data-collapse-all]", () => {
  for (const row of rows().reverse()) setOpen(row, row.getAttribute("aria-level") === "1" && isOpen(row));
});
on("click", "[data-find-below]", async (event, button) => {
  const row = button.closest(".rt-row");
  await setOpen(row, true);
  const search = kidsOf(row).querySelector(":scope > .rt-find");
  if (!search) return;
  search.hidden = false;
  search.querySelector("input").focus();
});

const KEYS = {
  ArrowDown: (row, all) => all[all.indexOf(row) + 1],
  ArrowUp: (row, all) => all[all.indexOf(row) - 1],
  Home: (row, all) => all[0],
  End: (row, all) => all.at(-1),
  ArrowRight(row, all) {
    if (row.getAttribute("aria-expanded") === "false") { setOpen(row, true); return row; }
    return isOpen(row) ? all[all.indexOf(row) + 1] : row;
  },
  ArrowLeft(row) {
    if (isOpen(row)) { setOpen(row, false); return row; }
    return row.closest(".rt-kids")?.parentElement.querySelector(":scope > .rt-row") ?? row;
  },
};
const PRESSED = { Enter: "[data-edits=edit], [data-edits=add]", Insert: "[data-edits=add]", Delete: "[data-removes]" };

document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.(".rt-node > .rt-row");
  if (!row || row !== event.target || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  const to = KEYS[event.key]?.(row, rows());
  if (to) makeCurrent(to);
  const button = PRESSED[event.key] ? row.querySelector(PRESSED[event.key]) : null;
  button?.click();
  if (KEYS[event.key] || button) event.preventDefault();
});

// One editor at a time: what is typed in another is asked about (SV-63).
document.addEventListener("htmx:confirm", (event) => {
  const { elt, verb, issueRequest } = event.detail;
  if (verb !== "get" || !elt.matches("[data-edits], [data-resets]")) return;
  const other = editor();
  if (!other) return;
  const clear = () => {
    forget(other);
    if (!elt.matches("[data-resets]")) other.replaceChildren();
  };
  if (elt.matches("[data-resets]")) { clear(); return; }
  if (!mayLeave(other, () => { clear(); issueRequest(true); })) event.preventDefault();
  else clear();
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (!detail.target?.matches(".rt-ed") || !detail.target.childElementCount) return;
  const first = detail.target.querySelector(".err, [role=alert]") ? "[aria-invalid=true]" : null;
  const order = [first, ".fgrid :is(input, select, textarea):not([type=hidden])"].filter(Boolean);
  const field = order.map((selector) => detail.target.querySelector(selector)).find(Boolean);
  (field?.tomselect ?? field)?.focus();
  detail.target.scrollIntoView({ block: "nearest" });
});

function closeEditor(place) {
  const clear = () => {
    forget(place);
    place.replaceChildren();
    const row = place.previousElementSibling;
    if (row?.matches(".rt-node > .rt-row")) makeCurrent(row);
  };
  if (mayLeave(place, clear)) clear();
}
on("click", "[data-close-editor]", (event, button) => closeEditor(button.closest(".rt-ed")));
document.addEventListener("keydown", (event) => {
  const place = event.target.closest?.(".rt-ed");
  if (event.key !== "Escape" || !place || document.querySelector("dialog[open], .ts-wrapper.dropdown-active")) return;
  event.preventDefault();
  closeEditor(place);
});
document.addEventListener("rate-removed", () => document.getElementById("dialog").close());

// Steps of a scale: the last one is unbounded; each begins where the one before it ends.
function tellOver(scale) {
  let over = "0";
  for (const line of scale.querySelectorAll(".rt-steps tbody tr")) {
    line.querySelector("[data-over]").textContent = over;
    over = line.querySelector("[name=up_to]")?.value.trim() ?? "";
  }
}
const changed = (scale) => {
  tellOver(scale);
  scale.dispatchEvent(new Event("input", { bubbles: true }));
};
on("input", "[data-scale] [name=up_to]", (event, field) => tellOver(field.closest("[data-scale]")));
on("click", "[data-insert-step]", (event, button) => {
  const scale = button.closest("[data-scale]");
  const line = scale.querySelector("template").content.firstElementChild.cloneNode(true);
  button.closest("tr").after(line);
  line.querySelector("input").focus();
  changed(scale);
});
on("click", "[data-remove-step]", (event, button) => {
  const scale = button.closest("[data-scale]");
  if (scale.querySelectorAll("[name=up_to]").length < 2) return; // a scale has at least two steps
  button.closest("tr").remove();
  changed(scale);
});
