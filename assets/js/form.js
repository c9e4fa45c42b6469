// Forms: changes that are not saved are counted and asked about; fields that follow others; a field is looked at when it
// is left; Ctrl+Enter saves.
import { on, onPart, counted, prepared } from "./page.js";
import { ask, topLayer } from "./layers.js";

const GUARDED = "form[data-guard]";
const LEFT_OUT = new Set(["csrfmiddlewaretoken", "unchanged_since", "next"]);
const stored = new Map(); // action of a form → what its fields held when the server last knew them
let refused = false; // the answer being shown is the same form with errors

const namePart = (name) => name.replace(/(-of|-level-.*|_\d)$/, ""); // a block of permissions is one field

function values(form) {
  const found = new Map();
  for (const [name, value] of new FormData(form)) {
    if (LEFT_OUT.has(name)) continue;
    found.set(namePart(name), `${found.get(namePart(name)) ?? ""}\u0000${value instanceof File ? value.name : value}`);
  }
  return found;
}

function changes(form) {
  const before = stored.get(form.action) ?? new Map();
  const now = values(form);
  const empty = (text) => (text ?? "").replaceAll("\u0000", "") === "";
  const differ = (name) => before.get(name) !== now.get(name) && !(empty(before.get(name)) && empty(now.get(name)));
  return [...new Set([...before.keys(), ...now.keys()])].filter(differ).length;
}

function tell(form) {
  const count = changes(form);
  const place = form.querySelector("[data-changes]");
  if (!place) return;
  place.hidden = !count;
  place.querySelector("[data-other]").textContent = counted(place.querySelector("[data-other]"), count);
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => { refused = [409, 422].includes(detail.xhr.status); });
onPart((root) => {
  for (const form of root.querySelectorAll(GUARDED)) {
    arrange(form);
    if (!refused || !stored.has(form.action)) stored.set(form.action, values(form));
    tell(form);
  }
  refused = false;
});
for (const type of ["input", "change"]) on(type, GUARDED, (event, form) => { arrange(form); tell(form); });

/** True when nothing would be lost. Otherwise asks, and calls `leave` when the user gives the changes up. */
export function mayLeave(root, leave) {
  const form = root?.querySelector(GUARDED);
  const count = form ? changes(form) : 0;
  if (!count) return true;
  ask("leave", (dialog) => {
    const text = dialog.querySelector("[data-other]");
    text.textContent = counted(text, count);
  }).then((answer) => {
    if (answer !== "discard") return;
    forget(root);
    leave();
  });
  return false;
}

/** The changes in `root` are saved, or given up. */
export function forget(root) {
  for (const form of root.querySelectorAll(GUARDED)) stored.set(form.action, values(form));
}

document.addEventListener("htmx:confirm", (event) => {
  const { elt, target, verb } = event.detail;
  if (verb !== "get" || target?.id !== "drawer" || !elt.closest("#drawer")) return;
  if (!mayLeave(target, () => event.detail.issueRequest(true))) event.preventDefault();
});
addEventListener("beforeunload", (event) => {
  if ([...document.querySelectorAll(GUARDED)].some((form) => changes(form))) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.("form") ?? (topLayer() ?? document).querySelector(GUARDED);
  const button = form?.querySelector("[data-save]");
  if (button && !button.disabled) {
    event.preventDefault();
    form.requestSubmit(button);
  }
});

/** Shows what belongs to the values chosen: data-show-when="field=value" or "field=a|b"; a hidden field is not sent.
    data-required-when="one other": the star of a field that is required while one of those boxes is checked. */
function arrange(form) {
  for (const star of form.querySelectorAll("[data-required-when]")) {
    star.hidden = !star.dataset.requiredWhen.split(" ").some((name) => form.elements.namedItem(name)?.checked);
  }
  const now = new FormData(form);
  for (const part of form.querySelectorAll("[data-show-when]")) {
    const [name, wanted = ""] = part.dataset.showWhen.split("=");
    const control = form.elements.namedItem(name);
    const value = control?.type === "checkbox" ? (control.checked ? "true" : "") : now.get(name) ?? "";
    const shown = wanted ? wanted.split("|").includes(value) : value !== "";
    part.hidden = !shown;
    for (const field of part.querySelectorAll("input, select, textarea")) {
      field.disabled = !shown;
      if (field.tomselect) field.tomselect[shown ? "enable" : "disable"]();
    }
  }
}

on("focusout", `${GUARDED} :is(input, select, textarea)`, (event, field) => {
  const place = field.closest(".fld");
  if (!place || field.type === "hidden" || field.closest(".ts-wrapper") || field.matches("[data-options-url]")) return;
  const touched = field.dataset.touched !== undefined;
  const wrong = touched && !field.validity.valid;
  place.querySelector("[data-own-error]")?.remove();
  if (wrong) {
    const error = prepared("error");
    error.dataset.ownError = "";
    error.querySelector("[data-message]").textContent = field.validity.valueMissing ? error.dataset.missing : field.validationMessage;
    place.append(error);
  }
  if (touched) field.setAttribute("aria-invalid", String(wrong));
});
on("input", `${GUARDED} :is(input, select, textarea)`, (event, field) => { field.dataset.touched = ""; });
on("click", "[data-summary] a[href^='#']", (event, link) => {
  const field = document.getElementById(link.getAttribute("href").slice(1));
  if (!field) return;
  event.preventDefault();
  (field.tomselect ?? field).focus();
  field.closest(".fld")?.scrollIntoView({ block: "center" });
});
