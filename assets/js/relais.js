// Behaviour of every page. Each module listens on the document for what its data attributes mark, so that parts that
// the server sends later need no set-up of their own. docs/howto/change-the-assets.md lists the attributes.
import htmx from "htmx.org/dist/htmx.esm.js";
import "./requests.js";
import "./layers.js";
import "./menus.js";
import "./frame.js";
import "./drawer.js";
import "./form.js";
import "./choice.js";
import "./clear.js";
import "./list.js";
import "./columns.js";
import "./find.js";
import "./live.js";
import "./now.js";
import "./lines.js";
import "./order.js";
import "./permissions.js";
import "./rates.js";

window.htmx = htmx;
