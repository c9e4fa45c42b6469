// What every module needs: listening by selector, and the page's own words.

/** Calls `handle(event, element)` for events of `type` on what `selector` finds, now and later. */
export function on(type, selector, handle, options) {
  document.addEventListener(type, (event) => {
    const element = event.target instanceof Element ? event.target.closest(selector) : null;
    if (element) handle(event, element);
  }, options);
}

/** Calls `handle(root)` for the page and for every part that htmx puts into it. */
export function onPart(handle) {
  const start = () => handle(document.body);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
  document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target) handle(event.detail.target); });
}

/** `element`'s words for `count`: data-one, data-few, … by the language's plural rules, else data-other; % is the count. */
export function counted(element, count) {
  const rule = new Intl.PluralRules(document.documentElement.lang || "en").select(count);
  return (element.dataset[rule] ?? element.dataset.other ?? "%").replace("%", grouped(count));
}

/** 18604 → "18 604" with no-break spaces. */
export function grouped(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
}

/** A copy of what stands in <template id="t-…">: where the page keeps texts that a script shows. */
export function prepared(name) {
  return document.getElementById(`t-${name}`).content.firstElementChild.cloneNode(true);
}

/** Whether keys mean text just now. */
export function isTyping(target) {
  return target instanceof Element && Boolean(target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]"));
}
