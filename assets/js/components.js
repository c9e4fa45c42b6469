// Small parts with a state of their own, as Alpine components: x-data="secret" and the like. Loaded only where a page has one:
// Alpine looks at everything that the browser knows when it starts, which takes as long as all the rest of a page's scripts.
import Alpine from "@alpinejs/csp";

/** A field whose text is hidden until its button is pressed. */
Alpine.data("secret", () => ({
  shown: false,
  toggle() { this.shown = !this.shown; },
  get type() { return this.shown ? "text" : "password"; },
  get pressed() { return String(this.shown); },
}));

/** How much of a text's length is used: "12 / 160", kept by the field around it. */
Alpine.data("counter", () => ({
  used: 0,
  most: 0,
  init() {
    const field = this.$root.querySelector("textarea, input");
    this.most = field.maxLength;
    this.used = field.value.length;
  },
  count(event) { this.used = event.target.value.length; },
  get said() { return this.most > 0 ? `${this.used} / ${this.most}` : String(this.used); },
}));

Alpine.start();
