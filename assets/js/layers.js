// Layers above the page: native dialogs, the topmost last. A layer takes focus, keeps it and gives it back; Esc closes the
// topmost one. Toasts say that something out of sight has been done.
import { on, onPart, prepared } from "./page.js";

const open = [];
const TOAST_MS = 6000;

export const topLayer = () => open.filter((dialog) => dialog.open).at(-1) ?? null;

/** Shows a dialog; on closing, focus goes to `back()`, or to where it was. */
export function showLayer(dialog, back) {
  if (open.includes(dialog)) return;
  const before = document.activeElement;
  open.push(dialog);
  if (dialog.open) dialog.close();
  dialog.showModal();
  dialog.addEventListener("close", () => {
    open.splice(open.indexOf(dialog), 1);
    const target = back?.() ?? before;
    if (target?.isConnected) target.focus({ preventScroll: false });
  }, { once: true });
}

/** Asks a layer to close: whoever owns it may first ask the user (event `layer:closing`, cancelable). */
export function closeLayer(dialog) {
  const may = dialog.dispatchEvent(new CustomEvent("layer:closing", { bubbles: true, cancelable: true }));
  if (may) dialog.close();
}

// Handled before the browser does: its own way lets a second Esc close a dialog that wants to ask first.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || !topLayer()) return;
  if (document.querySelector(":popover-open") || document.querySelector(".ts-wrapper.dropdown-active")) return;
  event.preventDefault();
  closeLayer(topLayer());
});
on("cancel", "dialog", (event, dialog) => {
  if (event.target !== dialog) return;
  event.preventDefault();
  closeLayer(dialog);
}, true);
on("click", "[data-close]", (event, button) => {
  event.preventDefault();
  closeLayer(button.closest("dialog"));
});
on("click", "[data-open]", (event, button) => showLayer(document.getElementById(button.dataset.open)));
on("mousedown", "dialog", (event, dialog) => {
  if (event.target === dialog && event.detail < 2 && outside(event, dialog)) closeLayer(dialog); // a double click that opened it stays
});

function outside(event, dialog) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return event.clientX < left || event.clientX > right || event.clientY < top || event.clientY > bottom;
}

// A dialog that the server filled (a URL opened directly, or an answer of htmx) shows itself. A part of one that is renewed
// leaves the focus where it is.
onPart((root) => {
  for (const each of root.matches("dialog") ? [root] : root.querySelectorAll("dialog[data-filled-by-server]")) {
    if (each.dataset.filledByServer !== undefined && each.childElementCount) {
      each.role = each.querySelector("[data-close][autofocus]") ? "alertdialog" : "dialog"; // one that only asks is read out
      showLayer(each);
      focusInto(each);
    }
  }
});

/** First what asks for it, then the summary of errors, then the first field, else the title. */
export function focusInto(dialog) {
  const order = ["[autofocus]", "[data-summary]", ".fgrid :is(input, select, textarea):not([type=hidden], [tabindex='-1'])", "h2"];
  const target = order.map((selector) => dialog.querySelector(selector)).find(Boolean);
  target?.focus({ preventScroll: true });
}

/** Asks a question in a dialog of the page's templates; resolves to the value of the button, "" for Esc. */
export function ask(name, fill) {
  const dialog = prepared(name);
  fill?.(dialog);
  document.body.append(dialog);
  showLayer(dialog);
  dialog.querySelector("[autofocus]")?.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("click", ({ target }) => {
      const button = target.closest("button[value]");
      if (button) dialog.close(button.value);
    });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue); }, { once: true });
  });
}

/** One line at the bottom right for 6 s, longer under the pointer. */
export function toast(message) {
  const layer = topLayer() ?? document.body;
  let place = layer.querySelector(":scope > .toasts");
  if (!place) {
    place = document.createElement("div");
    place.className = "toasts";
    place.setAttribute("role", "status");
    layer.append(place);
  }
  const line = prepared("toast");
  line.querySelector("[data-message]").textContent = message;
  requestAnimationFrame(() => place.append(line));
  let timer = setTimeout(() => line.remove(), TOAST_MS);
  line.addEventListener("mouseenter", () => clearTimeout(timer));
  line.addEventListener("mouseleave", () => { timer = setTimeout(() => line.remove(), TOAST_MS / 2); });
  line.querySelector("button").addEventListener("click", () => line.remove());
}

/** Words for who listens only, where what the page shows is not read out by itself. */
export function say(words) {
  const place = document.createElement("div");
  place.className = "visually-hidden";
  place.setAttribute("role", "status");
  (topLayer() ?? document.body).append(place);
  requestAnimationFrame(() => { place.textContent = words; });
  setTimeout(() => place.remove(), TOAST_MS);
}

on("click", "[data-copy]", async (event, button) => {
  await navigator.clipboard.writeText(button.dataset.copy);
  if (button.dataset.copied) toast(button.dataset.copied);
});
