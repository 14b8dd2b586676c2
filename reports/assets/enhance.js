// What a page can do where scripts may run: values under the pointer, zoom, series to hide, tables
// to sort and filter. The page is complete without it. All geometry was drawn on the server: zoom
// transforms it, so that every rule, band and label moves with what it marks. Values are the texts
// of the table under each chart.
(() => {
  "use strict";
  const NS = "http://www.w3.org/2000/svg";
  const ABSENT = "\u2013";
  const LEAST_DRAG_PX = 6;
  // Drawings have tenths of a pixel: closer than this, their rounding would show.
  const LEAST_SPAN = 0.02;
  // A drag has whole pixels: half of the width doubled is all of it.
  const NEARLY_ALL = 0.98;
  const CHARACTER_PX = 7;
  // How long a text is drawn; a guess where it is not.
  const lengthOf = (text) => text.getComputedTextLength() || text.textContent.length * CHARACTER_PX;
  const UNITS = {
    "\u00b5s": 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, bytes: 1, kB: 1e3, MB: 1e6, GB: 1e9,
  };
  let made = 0;

  const all = (root, selector) => [...root.querySelectorAll(selector)];
  const within = (value, low, high) => Math.min(high, Math.max(low, value));

  const html = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };

  const drawn = (name, attributes = {}, ...children) => {
    const node = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };

  const put = (node, key, value) =>
    value === null ? node.removeAttribute(key) : node.setAttribute(key, value);

  // The number that a cell begins with, in the base of its unit; NaN where there is none.
  const numberIn = (text) => {
    const plain = text.replace(/[,$<>]/g, "").replace(/\u00a0/g, " ").replace(/\u2212/g, "-").trim();
    if (!/^[+-]?\s*\d/.test(plain)) return NaN;
    let total = 0;
    for (const [, digits, unit] of plain.matchAll(/(\d+(?:\.\d+)?(?:e[+-]?\d+)?) ?([a-zA-Z\u00b5]*)/g)) {
      total += Number(digits) * (UNITS[unit] ?? 1);
      if (unit !== "h" && unit !== "min") break;
    }
    return plain.startsWith("-") ? -total : total;
  };

  const axisOf = (text) => {
    const [kind, low, high] = text.split(" ");
    const scaled = kind === "log" ? Math.log : Number;
    const from = scaled(Number(low));
    const span = scaled(Number(high)) - from;
    return { high: Number(high), share: (value) => (scaled(value) - from) / span };
  };

  // One drawing of a chart: the same chart is drawn for several widths, and one of them is shown.
  class Drawing {
    constructor(svg, chart) {
      this.svg = svg;
      this.chart = chart;
      [this.left, this.right, this.top, this.bottom] = svg.dataset.plot.split(" ").map(Number);
      this.width = this.right - this.left;
      this.x = axisOf(svg.dataset.x);
      this.y = axisOf(svg.dataset.y);
      this.box = svg.viewBox.baseVal;
      this.pins = all(svg, "[data-at]");
      this.stretches = all(svg, "g.stretch");
      this.patterns = all(svg, "pattern").map((pattern) => this.own(pattern));
      this.layers = all(svg, "path[data-layer]").map((path) => [path, path.getAttribute("d")]);
      this.ticks = svg.querySelector("g.x-ticks");
      this.legend = svg.querySelector("g.legend");
      this.describe();
      this.clip();
      this.overlay();
      this.toggles();
    }

    // Areas get hatches of their own, which zoom may change: the legend keeps those it has.
    own(pattern) {
      const copy = pattern.cloneNode(true);
      copy.id = `${pattern.id}-area`;
      pattern.after(copy);
      for (const area of all(this.svg, "g.stretch [fill^='url']")) {
        if (area.getAttribute("fill") === `url(#${pattern.id})`) put(area, "fill", `url(#${copy.id})`);
      }
      return copy;
    }

    get shown() {
      return this.svg.getBoundingClientRect().width > 0;
    }

    // A drawing with controls in it is a group, not an image: what is only seen is hidden.
    describe() {
      const title = this.svg.querySelector("title");
      put(this.svg, "role", "group");
      put(this.svg, "aria-label", title.textContent);
      put(this.svg, "aria-labelledby", null);
      title.remove();
      for (const node of this.svg.children) {
        if (node.localName !== "desc" && node !== this.legend) put(node, "aria-hidden", "true");
      }
    }

    clip() {
      this.clipId = `clip-${(made += 1)}`;
      const area = { x: this.left, y: 0, width: this.width, height: this.box.height };
      this.svg.append(drawn("clipPath", { id: this.clipId }, drawn("rect", area)));
      this.clipped = this.stretches.map((group) => {
        const around = drawn("g", { "aria-hidden": "true" });
        group.before(around);
        around.append(group);
        return around;
      });
    }

    overlay() {
      const height = this.bottom - this.top;
      const area = { x: this.left, y: this.top, width: this.width, height };
      const last = this.chart.rows.length - 1;
      this.zoomTicks = drawn("g", { "aria-hidden": "true" });
      this.cross = drawn("line", { class: "cross", y1: this.top, y2: this.bottom, display: "none" });
      this.selection = drawn("rect", { class: "selection", y: this.top, height, display: "none" });
      this.scan = drawn("rect", {
        ...area, class: "scan", tabindex: 0, role: "slider", "fill-opacity": 0,
        "aria-label": `Values of ${this.svg.getAttribute("aria-label")}`,
        "aria-valuemin": 0, "aria-valuemax": last, "aria-valuenow": 0,
        "aria-valuetext": this.chart.told(0),
      });
      this.svg.append(this.zoomTicks, this.cross, this.selection, this.scan);
      this.listen();
    }

    listen() {
      const { chart, scan } = this;
      scan.addEventListener("pointermove", (event) => this.move(event));
      scan.addEventListener("pointerdown", (event) => this.press(event));
      scan.addEventListener("pointerup", (event) => this.release(event));
      scan.addEventListener("pointercancel", () => this.drop());
      // What a finger pointed at stays until it taps elsewhere.
      scan.addEventListener("pointerleave", (event) => {
        if (this.dragged === undefined && event.pointerType !== "touch") chart.point(null);
      });
      scan.addEventListener("dblclick", () => chart.zoom(0, 1));
      scan.addEventListener("keydown", (event) => chart.key(event));
      scan.addEventListener("focus", () => {
        if (scan.matches(":focus-visible")) chart.point(chart.at ?? chart.firstShown());
      });
      scan.addEventListener("blur", () => chart.point(null));
    }

    // Where an event is, as a share of the plot's width on the screen.
    share(event) {
      const box = this.svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) * this.box.width) / box.width;
      return within((x - this.left) / this.width, 0, 1);
    }

    move(event) {
      const share = this.share(event);
      this.chart.point(this.chart.nearest(share));
      if (this.dragged === undefined) return;
      const [low, high] = [this.dragged, share].sort((a, b) => a - b);
      put(this.selection, "display", null);
      put(this.selection, "x", this.left + low * this.width);
      put(this.selection, "width", (high - low) * this.width);
    }

    press(event) {
      // A finger points and scrolls; the buttons zoom for it.
      if (event.pointerType === "touch") this.chart.point(this.chart.nearest(this.share(event)));
      else if (event.button === 0) {
        this.dragged = this.share(event);
        this.scan.setPointerCapture(event.pointerId);
      }
    }

    release(event) {
      if (this.dragged === undefined) return;
      const [low, high] = [this.dragged, this.share(event)].sort((a, b) => a - b);
      this.drop();
      if ((high - low) * this.width >= LEAST_DRAG_PX) this.chart.zoomInto(low, high);
    }

    drop() {
      this.dragged = undefined;
      put(this.selection, "display", "none");
    }

    // Pixels on the screen's plot for pixels as they were drawn.
    moved(x) {
      const { from, to } = this.chart;
      return this.left + (((x - this.left) / this.width - from) / (to - from)) * this.width;
    }

    place(value) {
      return this.moved(this.left + this.x.share(value) * this.width);
    }

    // Where a row stands: in the middle of its step, or at its point.
    placeOf(index) {
      const { rows } = this.chart;
      const start = this.place(rows[index].x);
      if (this.svg.dataset.rows !== "step") return start;
      return (start + this.place(index + 1 < rows.length ? rows[index + 1].x : this.x.high)) / 2;
    }

    inside(x) {
      return x >= this.left - 0.5 && x <= this.right + 0.5;
    }

    draw() {
      const { from, to, zoomed } = this.chart;
      const factor = 1 / (to - from);
      const shift = this.moved(0);
      put(this.svg, "data-zoomed", zoomed ? factor.toFixed(3) : null);
      for (const group of this.stretches) {
        put(group, "transform", zoomed ? `matrix(${factor} 0 0 1 ${shift} 0)` : null);
      }
      for (const group of this.clipped) put(group, "clip-path", zoomed ? `url(#${this.clipId})` : null);
      // Hatches stay as fine as they were.
      for (const hatch of this.patterns) put(hatch, "patternTransform", zoomed ? `scale(${1 / factor} 1)` : null);
      for (const pin of this.pins) {
        const at = Number(pin.dataset.at);
        const [x, seen] = pin.dataset.span && zoomed ? this.within(pin) : [this.moved(at), this.inside(this.moved(at))];
        put(pin, "transform", zoomed ? `translate(${x - at} 0)` : null);
        put(pin, "visibility", zoomed && !seen ? "hidden" : null);
      }
      this.relabel();
      this.crosshair();
    }

    // The middle of what is seen of a phase, and whether its name has room there.
    within(pin) {
      const [start, end] = pin.dataset.span.split(" ").map((edge) => this.moved(Number(edge)));
      const [first, last] = [Math.max(start, this.left), Math.min(end, this.right)];
      return [(first + last) / 2, last - first > lengthOf(pin.querySelector("text"))];
    }

    relabel() {
      const { rows, zoomed } = this.chart;
      if (this.ticks) put(this.ticks, "display", zoomed ? "none" : null);
      this.zoomTicks.replaceChildren();
      if (!zoomed) return;
      const shown = rows
        .map((row, index) => ({ index, x: this.place(row.x), label: row.cells[0] }))
        .filter(({ x }) => this.inside(x));
      for (const { x, label } of this.spaced(shown)) {
        const text = drawn("text", {
          x, y: this.bottom + 18, "text-anchor": "middle", class: "c-text",
        });
        text.textContent = label;
        const tick = { x1: x, x2: x, y1: this.bottom, y2: this.bottom + 5, class: "c-axis" };
        this.zoomTicks.append(drawn("line", tick), text);
      }
    }

    // Every so many rows where steps are equal; else as many as fit beside each other.
    spaced(shown) {
      const longest = Math.max(0, ...shown.map(({ label }) => label.length)) * CHARACTER_PX + 12;
      if (this.svg.dataset.rows === "step" && shown.length > 1) {
        const step = shown[1].x - shown[0].x;
        const every = [1, 2, 5, 10, 20, 50, 100, 200, 400].find((n) => n * step >= longest) ?? 400;
        return shown.filter(({ index }) => index % every === 0);
      }
      const kept = [];
      for (const one of shown) {
        if (kept.length === 0 || one.x - kept[kept.length - 1].x >= longest) kept.push(one);
      }
      return kept;
    }

    crosshair() {
      const { at } = this.chart;
      const x = at === null ? null : this.placeOf(at);
      const visible = x !== null && this.inside(x);
      put(this.cross, "display", visible ? null : "none");
      if (!visible) return;
      put(this.cross, "x1", x);
      put(this.cross, "x2", x);
      put(this.scan, "aria-valuenow", at);
      put(this.scan, "aria-valuetext", this.chart.told(at));
    }

    toggles() {
      this.entries = this.legend ? all(this.legend, ":scope > [data-series]") : [];
      if (this.entries.length < 2) {
        if (this.legend) put(this.legend, "aria-hidden", "true");
        return;
      }
      for (const entry of this.entries) {
        entry.prepend(this.hit(entry));
        put(entry, "role", "button");
        put(entry, "tabindex", 0);
        put(entry, "aria-pressed", "true");
        put(entry, "aria-label", `Show ${entry.querySelector("text").textContent}`);
        const toggle = () => this.chart.toggle(entry.dataset.series);
        entry.addEventListener("click", toggle);
        entry.addEventListener("keydown", (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          toggle();
        });
      }
      for (const node of this.legend.children) {
        if (!node.dataset.series) put(node, "aria-hidden", "true");
      }
      this.svg.append(this.legend);
    }

    // What can be pressed of a legend's entry: the gap between its mark and its name too.
    hit(entry) {
      const name = entry.querySelector("text");
      const [x, y] = ["x", "y"].map((key) => Number(name.getAttribute(key)));
      const width = lengthOf(name) + 28;
      return drawn("rect", { class: "hit", x: x - 24, y: y - 13, width, height: 18, "fill-opacity": 0 });
    }

    show() {
      const { hidden } = this.chart;
      for (const node of all(this.svg, "[data-series]")) {
        if (node.closest("g.legend")) put(node, "aria-pressed", String(!hidden.has(node.dataset.series)));
        else put(node, "display", hidden.has(node.dataset.series) ? "none" : null);
      }
      this.restack();
    }

    // Layers stand on those that are shown: each is then read from where it really begins.
    restack() {
      const { hidden, rows } = this.chart;
      const below = rows.map(() => 0);
      const touched = this.layers.some(([path]) => hidden.has(path.dataset.layer));
      for (const [path, original] of [...this.layers].reverse()) {
        const { layer } = path.dataset;
        const off = hidden.has(layer);
        put(path, "display", off ? "none" : null);
        if (!touched) put(path, "d", original);
        if (off || !touched) continue;
        put(path, "d", this.area(Number(layer), below) || "M0 0");
      }
    }

    area(column, below) {
      const { rows } = this.chart;
      const base = this.bottom;
      const edge = (value) => (base - this.y.share(value) * (base - this.top)).toFixed(1);
      const at = (index) => {
        const value = index < rows.length ? rows[index].x : this.x.high;
        return (this.left + this.x.share(value) * this.width).toFixed(1);
      };
      let commands = "";
      let open = false;
      rows.forEach((row, index) => {
        const value = numberIn(row.cells[column]) || 0;
        below[index] += value;
        if (value) commands += `${open ? "" : `M${at(index)} ${base}`}V${edge(below[index])}H${at(index + 1)}`;
        else if (open) commands += `V${base}Z`;
        open = value > 0;
      });
      return open ? `${commands}V${base}Z` : commands;
    }

    // The mark of a series as the legend has it, for the values under the pointer.
    mark(series) {
      const entry = this.entries.find((one) => one.dataset.series === String(series));
      const icon = drawn("svg", { class: "mark", width: 20, height: 12, "aria-hidden": "true" });
      if (!entry) return icon;
      const pieces = [...entry.children].filter((node) => !node.matches("text, .hit"));
      const boxes = pieces.map((piece) => piece.getBBox());
      const left = Math.min(...boxes.map((box) => box.x));
      const right = Math.max(...boxes.map((box) => box.x + box.width));
      const top = Math.min(...boxes.map((box) => box.y));
      const bottom = Math.max(...boxes.map((box) => box.y + box.height));
      put(icon, "viewBox", `${(left + right) / 2 - 10} ${(top + bottom) / 2 - 6} 20 12`);
      icon.append(...pieces.map((piece) => piece.cloneNode(true)));
      return icon;
    }
  }

  // A chart: its rows, what part of its axis is shown, what is hidden and what is pointed at.
  class Chart {
    constructor(figure) {
      this.figure = figure;
      const table = figure.querySelector("details.data table");
      this.names = all(table, "thead th").map((cell) =>
        [...cell.childNodes].map((node) => node.textContent.trim()).filter(Boolean).join(", ")
      );
      this.rows = all(table, "tr[data-x]").map((row) => ({
        x: Number(row.dataset.x),
        cells: [...row.cells].map((cell) => cell.textContent),
      }));
      [this.from, this.to, this.at] = [0, 1, null];
      this.hidden = new Set();
      this.tip = html("div", { class: "tip", "aria-hidden": "true", hidden: "" });
      this.drawings = all(figure, "svg[data-plot]").map((svg) => new Drawing(svg, this));
      figure.append(this.tip);
      this.tools();
    }

    get zoomed() {
      return this.from > 0 || this.to < 1;
    }

    get drawing() {
      return this.drawings.find((drawing) => drawing.shown) ?? this.drawings[0];
    }

    tools() {
      if (this.rows.length < 3) return;
      const button = (text, label, act) => {
        const made = html("button", { type: "button", "aria-label": label, title: label }, text);
        made.addEventListener("click", act);
        return made;
      };
      const out = button("\u2212", "Zoom out", () => this.zoomBy(2));
      const reset = button("Reset", "Reset zoom", () => this.zoom(0, 1));
      this.outward = [out, reset];
      const name = this.figure.querySelector(".part")?.textContent ?? "";
      const group = { class: "tools", role: "group", "aria-label": `Zoom: ${name}` };
      const tools = html("div", group, button("+", "Zoom in", () => this.zoomBy(0.5)), out, reset);
      this.figure.prepend(tools);
      this.refresh();
    }

    refresh() {
      for (const button of this.outward ?? []) button.disabled = !this.zoomed;
      for (const drawing of this.drawings) drawing.draw();
      this.tell();
    }

    zoom(from, to) {
      [this.from, this.to] = [from, to];
      this.refresh();
    }

    // Into a part of what is shown.
    zoomInto(low, high) {
      const shown = this.to - this.from;
      const span = within((high - low) * shown, LEAST_SPAN, 1);
      const from = within(this.from + low * shown, 0, 1 - span);
      this.zoom(from, from + span);
    }

    // By a factor of the width, around what is pointed at or the middle.
    zoomBy(factor) {
      const wanted = (this.to - this.from) * factor;
      const span = wanted > NEARLY_ALL ? 1 : Math.max(wanted, LEAST_SPAN);
      const { drawing } = this;
      const middle =
        this.at === null
          ? (this.from + this.to) / 2
          : within(drawing.x.share(this.rows[this.at].x), this.from, this.to);
      const from = within(middle - span / 2, 0, 1 - span);
      this.zoom(from, span === 1 ? 1 : from + span);
    }

    // The row at a share of the plot's width: that of its step, or the closest point.
    nearest(share) {
      const { drawing, rows } = this;
      const wanted = drawing.left + share * drawing.width;
      let best = 0;
      rows.forEach((row, index) => {
        const x = drawing.place(row.x);
        if (drawing.svg.dataset.rows === "step" ? x <= wanted : Math.abs(x - wanted) < Math.abs(drawing.place(rows[best].x) - wanted)) best = index;
      });
      return best;
    }

    firstShown() {
      const index = this.rows.findIndex((_, at) => this.drawing.inside(this.drawing.placeOf(at)));
      return Math.max(0, index);
    }

    point(index) {
      this.at = index;
      for (const drawing of this.drawings) drawing.crosshair();
      this.tell();
    }

    key(event) {
      const last = this.rows.length - 1;
      const at = this.at ?? this.firstShown();
      const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowDown: at - 1, ArrowUp: at + 1 };
      Object.assign(steps, { PageUp: at + 10, PageDown: at - 10, Home: 0, End: last });
      if (event.key in steps) {
        const next = within(steps[event.key], 0, last);
        if (!this.drawing.inside(this.drawing.placeOf(next))) this.follow(next);
        this.point(next);
      } else if (event.key === "+" || event.key === "=") this.zoomBy(0.5);
      else if (event.key === "-") this.zoomBy(2);
      else if (event.key === "0" || event.key === "Escape") this.zoom(0, 1);
      else return;
      event.preventDefault();
    }

    // Moves what is shown until it holds a row.
    follow(index) {
      const span = this.to - this.from;
      const from = within(this.drawing.x.share(this.rows[index].x) - span / 2, 0, 1 - span);
      this.zoom(from, from + span);
    }

    toggle(series) {
      if (!this.hidden.delete(series)) this.hidden.add(series);
      for (const drawing of this.drawings) drawing.show();
      this.tell();
    }

    told(index) {
      const { cells } = this.rows[index];
      return cells.map((cell, column) => `${this.names[column]}: ${cell}`).join("; ");
    }

    tell() {
      const { at, drawing, tip } = this;
      const x = at === null ? null : drawing.placeOf(at);
      tip.hidden = x === null || !drawing.inside(x) || !drawing.shown;
      if (tip.hidden) return;
      const { cells } = this.rows[at];
      const lines = cells.map((cell, column) => {
        if (this.hidden.has(String(column))) return null;
        const name = html("th", { scope: "row" }, column ? drawing.mark(column) : "", this.names[column]);
        return html("tr", {}, name, html("td", {}, cell));
      });
      tip.replaceChildren(html("table", {}, html("tbody", {}, ...lines.filter(Boolean))));
      this.placeTip(x);
    }

    placeTip(x) {
      const { drawing, figure, tip } = this;
      const frame = figure.getBoundingClientRect();
      const box = drawing.svg.getBoundingClientRect();
      const scale = box.width / drawing.box.width;
      const at = box.left - frame.left + x * scale;
      const room = frame.width - tip.offsetWidth;
      const beside = at + 14 <= room ? at + 14 : at - 14 - tip.offsetWidth;
      tip.style.left = `${within(beside, 0, Math.max(0, room))}px`;
      tip.style.top = `${box.top - frame.top + drawing.top * scale}px`;
    }
  }

  // Tables: a button in each heading sorts; long ones have a field that filters.
  const compared = (one, other, numeric) => {
    if (!numeric) return one.localeCompare(other, "en", { numeric: true });
    const [a, b] = [numberIn(one), numberIn(other)];
    return a - b;
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    if (original.length < 2 || original.some((row) => row.cells.length !== heads.length)) return;
    heads.forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const cellOf = (row) => row.cells[column].textContent.trim();
      const known = original.filter((row) => !["", ABSENT].includes(cellOf(row)));
      const numeric = known.every((row) => !Number.isNaN(numberIn(cellOf(row))));
      const absent = (row) => ["", ABSENT].includes(cellOf(row));
      const button = html("button", { type: "button", class: "sort" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const next = now === "ascending" ? "descending" : now === "descending" ? null : "ascending";
        heads.forEach((one) => put(one, "aria-sort", null));
        put(head, "aria-sort", next);
        const sign = next === "descending" ? -1 : 1;
        const sorted = [...original].sort(
          (one, other) =>
            absent(one) - absent(other) || sign * compared(cellOf(one), cellOf(other), numeric) || 0
        );
        body.append(...(next ? sorted : original));
      });
    });
  };

  const filterable = (table) => {
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 9) return;
    const around = table.closest(".scroll") ?? table;
    const field = html("input", {
      type: "search", placeholder: "Filter rows",
      "aria-label": `Filter rows: ${around.getAttribute("aria-label") ?? "table"}`,
    });
    const count = html("span", { role: "status" });
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/);
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
      const shown = rows.filter((row) => !row.hidden).length;
      count.textContent = field.value ? `${shown} of ${rows.length} rows` : "";
    });
    around.before(html("p", { class: "filter" }, field, count));
  };

  const charts = all(document, "figure")
    .filter((figure) => figure.querySelector("svg[data-plot]") && figure.querySelector("tr[data-x]"))
    .map((figure) => new Chart(figure));
  for (const table of all(document, "main table")) {
    if (table.closest("details.data, figure, .tip") || !table.tHead) continue;
    sortable(table);
    filterable(table);
  }
  addEventListener("resize", () => charts.forEach((chart) => chart.point(null)));
})();
