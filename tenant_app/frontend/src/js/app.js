/* What every page runs. Each module watches for its own data-attributes, so that a fragment brought by htmx works too. */
import "htmx.org";
import "./autosize.js";
import "./dialog.js";
import "./drafts.js";
import "./failures.js";
import "./guard.js";
import "./keys.js";
import "./live.js";
import "./menus.js";
import "./navigation.js";
import "./panel.js";
import "./repeat.js";
import "./rows.js";
import "./theme.js";
import "./time.js";
import "./toast.js";
