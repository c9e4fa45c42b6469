// Lists: rows by mouse, touch and keys; selection with its bar; the search keeps what is typed while rows are renewed.
import { on, onPart, counted, isTyping } from "./page.js";
import { topLayer } from "./layers.js";

const list = () => document.getElementById("list");
const rows = () => [...document.querySelectorAll("#list tbody tr")];
const boxOf = (row) => row.querySelector("input[name=ids]");
const LONG_PRESS_MS = 500;
let lastBox = null;

function show() {
  const bar = list()?.querySelector(".bulk");
  if (!bar) return;
  const boxes = rows().map(boxOf).filter(Boolean);
  const chosen = boxes.filter((box) => box.checked);
  const all = bar.querySelector("input[name=all]");
  if (chosen.length < boxes.length) all.value = "";
  const everything = all.value === "1";
  for (const box of boxes) {
    if (box.checked) box.closest("tr").setAttribute("aria-selected", "true");
    else box.closest("tr").removeAttribute("aria-selected");
  }
  const head = list().querySelector("[data-select-page]");
  head.checked = boxes.length > 0 && chosen.length === boxes.length;
  head.indeterminate = chosen.length > 0 && !head.checked;
  bar.hidden = !chosen.length;
  const said = bar.querySelector("[data-selected]");
  said.textContent = everything ? said.dataset.all : counted(said, chosen.length);
  bar.querySelector("[data-select-all]").hidden = everything;
  const csv = bar.querySelector("[data-csv]");
  const address = new URL(csv.dataset.csv, location.href);
  if (!everything) for (const box of chosen) address.searchParams.append("ids", box.value);
  csv.href = address;
}

function choose(box, checked) {
  box.checked = checked;
  lastBox = box;
}

on("click", "#list input[name=ids]", (event, box) => {
  const boxes = rows().map(boxOf);
  const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((a, b) => a - b);
  if (event.shiftKey && from >= 0) for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
  lastBox = box;
  show();
});
on("change", "[data-select-page]", (event, head) => {
  for (const row of rows()) if (boxOf(row)) boxOf(row).checked = head.checked;
  show();
});
on("click", "[data-select-all]", (event, button) => {
  for (const row of rows()) boxOf(row).checked = true;
  button.closest(".bulk").querySelector("input[name=all]").value = "1";
  show();
});
on("click", "[data-select-none]", () => {
  for (const row of rows()) if (boxOf(row)) boxOf(row).checked = false;
  list().querySelector(".tbl").classList.remove("is-selecting");
  show();
});
on("click", "[data-selecting]", () => list().querySelector(".tbl").classList.toggle("is-selecting"));

let press = 0;
on("touchstart", "#list tbody tr", (event, row) => {
  press = setTimeout(() => {
    if (!boxOf(row)) return;
    list().querySelector(".tbl").classList.add("is-selecting");
    choose(boxOf(row), !boxOf(row).checked);
    show();
  }, LONG_PRESS_MS);
}, { passive: true });
for (const type of ["touchend", "touchmove", "touchcancel"]) document.addEventListener(type, () => clearTimeout(press), { passive: true });

on("click", "#list tr[data-href]", (event, row) => {
  if (event.detail > 1 || event.target.closest("a, button, input, label") || getSelection().toString()) return;
  if (row.closest(".is-selecting") && boxOf(row)) {
    choose(boxOf(row), !boxOf(row).checked);
    show();
    return;
  }
  const link = row.querySelector("[data-record]");
  if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});

document.addEventListener("keydown", (event) => {
  if (topLayer() || document.querySelector(":popover-open") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !isTyping(event.target)) {
    const search = document.querySelector("#list input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
    return;
  }
  const row = event.target.closest?.("#list tbody tr");
  const inTable = row || event.target === document.body || event.target.closest?.(".tbl-x");
  if (!list() || !inTable || isTyping(event.target)) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const all = rows();
    const at = all.indexOf(row) + (event.key === "ArrowDown" ? 1 : row ? -1 : 0);
    const link = all[Math.max(0, Math.min(at, all.length - 1))]?.querySelector("[data-record]");
    if (!link) return;
    event.preventDefault();
    link.focus();
  } else if (event.key === " " && row && boxOf(row) && !event.target.matches("input, button")) {
    event.preventDefault();
    const boxes = rows().map(boxOf);
    const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(boxOf(row))].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const box of boxes.slice(from, to + 1)) box.checked = true;
    else choose(boxOf(row), !boxOf(row).checked);
    lastBox = boxOf(row);
    show();
  }
});

// Who sorts, pages or clears by keys goes on from there: what had the focus is new, so it is found again by its place.
const PLACES = ["th a", ".tabs a", ".steps > *", "select[name=page_size]"].map((selector) => `#list ${selector}`);
let place = null;
let sorted = "";
const sortedBy = () => document.querySelector("#list [data-sorted]")?.dataset.sorted ?? "";
onPart((root) => { if (root === document.body) sorted = sortedBy(); });

function placeOf(field) {
  const selector = PLACES.find((each) => field.matches(each));
  return { selector, at: selector ? [...document.querySelectorAll(selector)].indexOf(field) : -1 };
}

function focusAgain({ selector, at }) {
  const again = selector ? document.querySelectorAll(selector)[at] : null;
  (again && !again.disabled ? again : document.querySelector("#list .tbl-x, #list .empty a"))?.focus({ preventScroll: true });
}

// The answer to a search may come while the next letter is being typed: the field keeps its text and its cursor.
let typed = null;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const field = document.activeElement;
  typed = detail.target.id === "list" && field?.matches("#list input[type=search]")
    ? { value: field.value, from: field.selectionStart, to: field.selectionEnd } : null;
  place = detail.target.id === "list" && list()?.contains(field) ? placeOf(field) : null;
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target.id !== "list") return;
  const field = document.querySelector("#list input[type=search]");
  if (typed && field) {
    const differs = field.value !== typed.value;
    field.value = typed.value;
    field.focus();
    field.setSelectionRange(typed.from, typed.to);
    if (differs) field.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (place && document.activeElement === document.body) focusAgain(place);
  const said = document.getElementById("list-status");
  const order = sortedBy();
  if (said) said.textContent = [order !== sorted ? order : "", document.querySelector("#list [data-status]")?.textContent].filter(Boolean).join(". ");
  sorted = order;
});
onPart((root) => { if (root.id === "list" || root.querySelector("#list")) show(); });
