// Menus are popovers: the browser opens, closes and gives focus back. This puts them under their button (on a phone the
// style makes them sheets) and lets arrows walk through them.
import { on } from "./page.js";

const GAP_PX = 4;

document.addEventListener("beforetoggle", (event) => {
  const menu = event.target;
  if (event.newState !== "open" || !menu.matches(".menu[popover]")) return;
  const button = document.querySelector(`[popovertarget="${menu.id}"]`);
  if (!button) return;
  const { left, right, top, bottom } = button.getBoundingClientRect();
  const above = bottom > innerHeight * 0.7;
  const toLeft = left > innerWidth / 2;
  Object.assign(menu.style, {
    top: above ? "auto" : `${bottom + GAP_PX}px`,
    bottom: above ? `${innerHeight - top + GAP_PX}px` : "auto",
    left: toLeft ? "auto" : `${Math.max(8, left)}px`,
    right: toLeft ? `${Math.max(8, document.documentElement.clientWidth - right)}px` : "auto",
  });
}, true);

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (event.newState !== "open" || !menu.matches(".menu[popover]")) return;
  menu.querySelector(":is([autofocus], a, button, input):not(.ts-wrapper *, [type=hidden])")?.focus(); // a choice would open over the rest
}, true);

on("keydown", ".menu", (event, menu) => {
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("select, textarea, input[type=date], .ts-control input")) return;
  const items = [...menu.querySelectorAll("a, button, input:not([type=hidden])")].filter((item) => item.offsetParent && !item.disabled);
  const step = event.key === "ArrowDown" ? 1 : -1;
  event.preventDefault();
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length]?.focus();
});

on("click", ".menu [data-closes-menu], .menu > a", (event, item) => item.closest(".menu").hidePopover());
