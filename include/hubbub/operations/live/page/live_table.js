// Tables whose rows keep their elements from one report to the next, and lists of facts.

import { element, set_text } from "./live_text.js";

/** A bar for a part between 0 and 1. */
export function bar(classes = "") {
  const made = element("span", `bar ${classes}`.trim());
  made.append(element("span"));
  return made;
}
/** `is_limit`: little room is left where it is nearly full. */
export function set_bar(bar, part, is_limit = true) {
  bar.firstChild.style.inlineSize = `${(Math.min(1, Math.max(0, part)) * 100).toFixed(1)}%`;
  bar.classList.toggle("full", is_limit && part > 0.85);
}

/** Columns are `{title, text(item)}`, with `number`, `part(item)` for a bar up to a limit or `share(item)` for one beside the others,
 * `shown_wide` for what a phone has no room for, or `make(row)` for an element in place of text; `row.item` is what the row shows now. */
export class Table {
  #body = element("tbody");

  /** In `frame`, which scrolls; `key_of(item)` tells items apart, `nothing` is said where there are none. */
  constructor(frame, label, columns, key_of, nothing) {
    Object.assign(this, { frame, columns, key_of });
    const head = element("tr");
    for (const column of columns) {
      const cell = element("th", this.#classes(column), column.title);
      cell.scope = "col";
      head.append(cell);
    }
    const thead = element("thead");
    thead.append(head);
    this.table = element("table");
    this.table.append(thead, this.#body);
    this.nothing = element("p", "small", nothing);
    frame.append(this.table, this.nothing);
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", label);
    frame.tabIndex = 0; // what scrolls has to be reached
  }

  show(items) {
    const focused = document.activeElement;
    const known = new Map([...this.#body.rows].map((row) => [row.dataset.key, row]));
    items.forEach((item, at) => {
      const key = String(this.key_of(item));
      const row = known.get(key) ?? this.#make_row(key);
      known.delete(key);
      this.#fill(row, item);
      if (this.#body.rows[at] !== row) this.#body.insertBefore(row, this.#body.rows[at] ?? null);
    });
    for (const row of known.values()) row.remove();
    this.table.hidden = !items.length;
    this.nothing.hidden = items.length > 0;
    // Who is moved loses the focus; where what had it is gone, who uses the keyboard goes on from the table.
    if (document.activeElement !== focused) (focused.isConnected ? focused : this.frame).focus({ preventScroll: true });
  }

  #classes({ number, shown_wide, make }) {
    return [number && "number", shown_wide && "shown-wide", make && "action"].filter(Boolean).join(" ");
  }
  #make_row(key) {
    const row = element("tr");
    row.dataset.key = key;
    for (const [at, column] of this.columns.entries()) {
      const cell = element(at ? "td" : "th", this.#classes(column));
      if (!at) cell.scope = "row";
      cell.append(column.make ? column.make(row) : element("span", "value"));
      if (column.part || column.share) cell.append(bar());
      row.append(cell);
    }
    return row;
  }
  #fill(row, item) {
    row.item = item;
    for (const [at, column] of this.columns.entries()) {
      const cell = row.cells[at];
      if (column.make) column.fill?.(cell.firstChild, item);
      else set_text(cell.firstChild, column.text(item));
      if (column.part) set_bar(cell.lastChild, column.part(item));
      if (column.share) set_bar(cell.lastChild, column.share(item), false);
    }
  }
}

/** Pairs of a name and a text in a `dl`. */
export function show_facts(list, facts) {
  while (list.children.length < facts.length) {
    const line = element("div");
    line.append(element("dt"), element("dd"));
    list.append(line);
  }
  for (const [at, [name, text]] of facts.entries()) {
    set_text(list.children[at].firstChild, name);
    set_text(list.children[at].lastChild, text);
  }
}
