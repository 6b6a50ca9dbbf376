"use strict";
// Draws the charts of a page when they come near the screen, links those over time, copies tables
// and tells why. All words come from the page; texts are only ever put in as text.
(() => {
  const one = (id) => document.getElementById(id);
  const read = (id) => (one(id) ? JSON.parse(one(id).textContent) : null);
  const texts = read("page-texts");
  const clock = read("page-clock");
  const HOUR = 3600000;
  const DAY = 24 * HOUR;
  const NEAR = "500px";
  const SHEET = 670; // pixels across a printed page

  const make = (tag, text, className) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (className) node.className = className;
    return node;
  };

  // ---- what is packed: gzip in base64
  async function unpack(id) {
    const bytes = Uint8Array.from(atob(one(id).textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }
  let library = null;
  function load() {
    library ||= unpack("plotly").then((code) => {
      const script = make("script");
      script.textContent = code;
      document.head.append(script);
      one("plotly").remove();
    });
    return library;
  }

  // ---- local time; milliseconds as if it were UTC
  const pad = (n) => String(n).padStart(2, "0");
  const dayOf = (ms) => new Date(ms).toISOString().slice(0, 10);
  const timeOf = (ms) => `${pad(new Date(ms).getUTCHours())}:${pad(new Date(ms).getUTCMinutes())}`;
  const iso = (ms) => new Date(ms).toISOString().slice(0, 23);
  const msOf = (x) =>
    typeof x === "number" ? x : Date.parse(`${String(x).replace(" ", "T")}${String(x).length > 10 ? "Z" : ""}`);
  const startOf = (step) => clock.start + step * clock.step;
  const stepAt = (ms) => Math.floor((ms - clock.start) / clock.step + 1e-6);
  const end = clock ? startOf(clock.steps) : 0;
  // Where the clock changes the axis goes on, and local time is ahead of it or behind.
  const offsetAt = (ms) => clock.offsets.findLast(([first]) => startOf(first) <= ms) || clock.offsets[0] || [0, 0, ""];
  const localOf = (ms) => ms + offsetAt(ms)[1];
  const placeOf = (local) => local - offsetAt(local - offsetAt(local)[1])[1];
  const isTwice = (ms) =>
    clock.offsets.some(([first, ahead], i) => i && Math.abs(ms - startOf(first) + 0.5) < clock.offsets[i - 1][1] - ahead);
  const clockOf = (ms) => timeOf(localOf(ms)) + (isTwice(ms) ? offsetAt(ms)[2] : "");
  const localDay = (ms) => dayOf(localOf(ms));

  // ---- charts
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const coarse = matchMedia("(pointer: coarse)");
  // The inks of charts on a dark ground; hues that tell things apart stay what they are.
  const LIGHT_INK = { "#000000": "#f2f2f2", "#333333": "#d8dce0", "#777777": "#a3a9b0" };
  const DARK_GROUND = { "#ffffff": "#2b3238", "#d9d9d9": "#666f78" };
  const GROUNDS = new Set(["fillcolor", "bgcolor"]);
  const BUTTONS = ["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"];
  const config = (layout) => ({
    responsive: true, displaylogo: false, doubleClick: "reset", doubleClickDelay: 700,
    modeBarButtons: [axesOf(layout, "x").length ? BUTTONS : ["toImage"]],
  });
  const charts = new Map(); // element -> {figure, drawn, stale, over}
  let shown = null; // [ms, ms] of the time axes; null: the whole horizon
  let printing = false;

  function inked(value) {
    if (typeof value === "string") return LIGHT_INK[value.toLowerCase()] || value;
    if (Array.isArray(value)) return value.map(inked);
    if (value && typeof value === "object" && !ArrayBuffer.isView(value) && !("bdata" in value))
      return Object.fromEntries(Object.entries(value).map(([key, inner]) =>
        [key, (GROUNDS.has(key) && DARK_GROUND[String(inner).toLowerCase()]) || inked(inner)]));
    return value;
  }
  const axesOf = (layout, letter) => Object.keys(layout).filter((key) => new RegExp(`^${letter}axis\\d*$`).test(key));

  // A value holds over its step: so does what is shown when one points at it.
  const held = (trace) =>
    trace.type === "scatter" && trace.dx
      ? { ...trace, xperiod: trace.dx, xperiod0: trace.x0, xperiodalignment: "start" }
      : trace;
  function dressed(chart) {
    const figure = structuredClone(chart.figure);
    const { layout } = figure;
    if (chart.over) {
      figure.data = figure.data.map(held);
      for (const key of axesOf(layout, "y")) layout[key].fixedrange = true;
      for (const key of axesOf(layout, "x")) Object.assign(layout[key], shown && { range: shown.map(iso) }, ticks());
    }
    if (coarse.matches) layout.dragmode = false;
    if (printing) Object.assign(layout, { width: SHEET, autosize: false });
    const night = dark.matches && !printing;
    const quiet = night ? "#a3a9b0" : "#5a636c";
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: quiet, activecolor: night ? "#ffffff" : "#000000" };
    if (!night) return figure;
    layout.hoverlabel = { ...layout.hoverlabel, bgcolor: "#2b3238", bordercolor: quiet };
    const nightly = inked(figure);
    for (const menu of nightly.layout.updatemenus || [])
      Object.assign(menu, { bgcolor: "#a3a9b0", bordercolor: quiet, font: { ...menu.font, color: "#14171a" } });
    return nightly;
  }
  function draw(element) {
    const chart = charts.get(element);
    const { data, layout } = dressed(chart);
    const first = !chart.drawn;
    if (first) element.replaceChildren();
    chart.drawn = true;
    chart.stale = false;
    const done = Plotly.react(element, data, layout, config(layout));
    if (first && chart.over) link(element);
    if (first && links) follow(element);
    return done;
  }
  async function prepare(element) {
    const chart = charts.get(element);
    chart.parsed ||= unpack(element.dataset.packed).then((text) => {
      chart.figure = JSON.parse(text);
    });
    await Promise.all([chart.parsed, load()]);
  }
  async function come(element) {
    await prepare(element);
    const chart = charts.get(element);
    if (!chart.drawn || chart.stale) await draw(element);
  }

  // ---- points that are cases of a sweep lead to their plans
  const links = read("page-links");
  function follow(element) {
    element.on("plotly_click", (event) => {
      const target = links[event.points[0].customdata];
      if (target) location.assign(target);
    });
  }

  // ---- charts over time move together
  const others = (source) => [...charts].filter(([element, chart]) => chart.over && element !== source);
  function ticks() { // of local time, where the library's own would not be; the page has those of the whole
    const few = innerWidth < 600 && !printing;
    if (!clock.offsets.length || !(shown || few)) return {};
    const [from, to] = shown || [clock.start, end];
    const hours = [1, 2, 3, 6, 12, 24, 48, 168, 336, 744].find((h) => (to - from) / (h * HOUR) <= (few ? 5 : 12)) || 744;
    const places = [];
    const first = Math.max(stepAt(from), 0);
    for (let step = first; step < clock.steps && startOf(step) <= to; step += 1)
      if (startOf(step) >= from && localOf(startOf(step)) % (Math.min(hours, 24) * HOUR) === 0) places.push(startOf(step));
    const kept = hours > 24 ? places.filter((_, i) => i % (hours / 24) === 0) : places;
    const label = (ms, i) => // a short line each for time, offset and day
      hours >= 24 ? localDay(ms) : timeOf(localOf(ms)) + (isTwice(ms) ? `<br>${offsetAt(ms)[2]}` : "") + (i && localDay(ms) === localDay(kept[i - 1]) ? "" : `<br>${localDay(ms).slice(5)}`);
    return { tickvals: kept.map(iso), ticktext: kept.map(label) };
  }
  function show(range, source = null) {
    shown = range;
    const ends = range ? range.map(iso) : [iso(clock.start), iso(end)];
    if (source && clock.offsets.length) Plotly.relayout(source, moved(source, ends));
    for (const [element, chart] of others(source)) {
      if (!chart.drawn) continue;
      if (!chart.near) {
        chart.stale = true;
        continue;
      }
      Plotly.relayout(element, moved(element, ends));
    }
    for (const [element] of others(null)) element.querySelector(".mark")?.remove();
    const select = one("day");
    const day = range && range[1] === placeOf(localOf(range[0]) + DAY) ? localDay(range[0]) : "";
    if (select) select.value = [...select.options].some((option) => option.value === day) ? day : "";
  }
  function moved(element, ends) {
    const change = {};
    for (const key of axesOf(element._fullLayout, "x")) {
      change[`${key}.range`] = ends.slice();
      const made = { ...charts.get(element).figure.layout[key], ...ticks() };
      if (clock.offsets.length) Object.assign(change, { [`${key}.tickvals`]: made.tickvals, [`${key}.ticktext`]: made.ticktext });
    }
    return change;
  }
  function mark(ms) {
    for (const [element, chart] of others(null)) {
      let line = element.querySelector(":scope > .mark");
      const axis = chart.drawn && chart.near && element._fullLayout && element._fullLayout.xaxis;
      const place = axis && ms !== null ? axis.d2p(ms) : NaN;
      if (!(place >= 0 && place <= axis._length)) {
        line?.remove();
        continue;
      }
      if (!line) element.append((line = make("div", undefined, "mark")));
      line.style.left = `${axis._offset + place}px`;
    }
  }
  function under(element, event) {
    const axis = element._fullLayout.xaxis;
    const native = event.event;
    if (native && native.clientX !== undefined) {
      const place = native.clientX - element.getBoundingClientRect().left - axis._offset;
      return axis.p2l(place);
    }
    return msOf(event.points[0].x);
  }
  function link(element) {
    element.on("plotly_relayout", (change) => {
      if (!Object.keys(change).some((key) => /^xaxis/.test(key))) return;
      const [from, to] = element._fullLayout.xaxis.range.map(msOf);
      const all = from <= clock.start && to >= end;
      // What follows from moving the others comes here too, later: it changes nothing any more.
      if (all ? !shown : shown && Math.abs(from - shown[0]) + Math.abs(to - shown[1]) < 2000) return;
      show(all ? null : [from, to], all ? null : element);
    });
    element.on("plotly_hover", (event) => mark(startOf(stepAt(under(element, event)))));
    element.on("plotly_unhover", () => mark(null));
    element.on("plotly_click", (event) => {
      const step = stepAt(under(element, event));
      if (step >= 0 && step < clock.steps) explain(step, { focus: false });
    });
  }

  // ---- the range of days
  const days = () => {
    const all = [];
    for (let ms = Math.floor(clock.start / DAY) * DAY; placeOf(ms) < end; ms += DAY) all.push(dayOf(ms));
    return all;
  };
  function prepareRange() {
    if (!clock || !one("bar")) return;
    one("bar").hidden = false;
    one("reset").addEventListener("click", () => show(null));
    if (end - clock.start <= 2 * DAY) return;
    one("range").hidden = false;
    const select = one("day");
    const first = Math.floor(clock.start / DAY) * DAY;
    const all = days();
    select.append(...all.map((day) => make("option", day)));
    const go = (index) => {
      const ms = first + index * DAY;
      show(index < 0 ? null : [placeOf(ms), placeOf(ms + DAY)]);
    };
    const turn = (by) => {
      const at = shown ? Math.floor((localOf(shown[0]) - first) / DAY) : by > 0 ? -1 : all.length;
      go(Math.min(Math.max(at + by, 0), all.length - 1));
    };
    select.addEventListener("change", () => go(select.selectedIndex - 1));
    one("day-before").addEventListener("click", () => turn(-1));
    one("day-after").addEventListener("click", () => turn(1));
  }

  // ---- why
  let reasons = null;
  let asked = null; // the step whose reasons are shown
  let came = null; // the element that had the focus
  async function learn() {
    reasons ||= unpack("packed-reasons").then((text) => {
      const loaded = JSON.parse(text);
      for (const component of loaded.components)
        for (const decision of component.decisions)
          for (const key of ["code", "reason"]) {
            let sum = 0;
            decision[key] = decision[key].map((step) => (sum += step));
          }
      return loaded;
    });
    return reasons;
  }
  const formats = new Map();
  function number(row, step) {
    const value = row.values.length === 1 ? row.values[0] : row.values[step];
    if (value === undefined || value === null || step < 0 || step >= clock.explained) return "–";
    if (!formats.has(row.decimals))
      formats.set(row.decimals, new Intl.NumberFormat("en", { maximumFractionDigits: row.decimals }));
    return formats.get(row.decimals).format(value / 10 ** row.decimals);
  }
  function aroundTable(name, rows, step) {
    const box = make("div", undefined, "wide");
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `${name} ${texts.values}`);
    const table = make("table");
    table.append(make("caption", texts.values));
    const head = make("tr");
    const cell = (row, tag, text, className) => {
      const node = make(tag, text, className);
      if (tag === "th") node.scope = row === head ? "col" : "row";
      row.append(node);
    };
    cell(head, "th", texts.what);
    for (const at of [step - 1, step, step + 1]) {
      const label = at < 0 ? texts.before_first : at >= clock.steps ? texts.after_last : clockOf(startOf(at));
      cell(head, "th", label, at === step ? "number now" : "number");
    }
    const thead = make("thead");
    thead.append(head);
    const body = make("tbody");
    for (const { label, cells, unit, isText } of rows) {
      const row = make("tr");
      cell(row, "th", label);
      if (unit) row.lastChild.append(" ", make("span", `[${unit}]`, "small"));
      cells.forEach((text, i) => cell(row, "td", text, (isText ? "words" : "number") + (i === 1 ? " now" : "")));
      body.append(row);
    }
    table.append(thead, body);
    box.append(table);
    return box;
  }
  const around = (step, f) => [step - 1, step, step + 1].map(f);
  const valued = (row, step) => ({ label: row.label, unit: row.unit, cells: around(step, (at) => number(row, at)) });

  async function explain(step, { focus = true } = {}) {
    const panel = one("why");
    if (!panel) return;
    const loaded = await learn();
    const at = Math.min(Math.max(step, 0), clock.steps - 1);
    const opened = panel.hidden;
    if (opened) came = document.activeElement;
    asked = at;
    const when = startOf(at);
    const many = end - clock.start > DAY;
    one("why-title").textContent = texts.why_at.replace("{time}", `${many ? `${localDay(when).slice(5)} ` : ""}${clockOf(when)}`);
    choose(at);
    const body = one("why-body");
    body.replaceChildren();
    const text = (index) => (index === undefined || index < 0 ? "–" : loaded.texts[index]);
    if (at >= clock.explained) body.append(make("p", texts.no_reason));
    else
      for (const component of loaded.components) {
        const part = make("section");
        const title = make("h3", component.name);
        title.append(" ", make("span", component.kind, "small"));
        part.append(title);
        const rows = [];
        for (const decision of component.decisions) {
          const reason = make("p", undefined, "reason");
          reason.append(make("span", decision.decision, "what"), " ", make("b", text(decision.code[at])));
          reason.append(make("br"), make("span", text(decision.reason[at])));
          part.append(reason);
          const label = decision.decision;
          rows.push({ label, unit: "", isText: true, cells: around(at, (t) => text(decision.code[t])) });
        }
        rows.push(...component.rows.map((row) => valued(row, at)));
        part.append(aroundTable(component.name, rows, at));
        body.append(part);
        watch(part.lastElementChild);
      }
    if (loaded.site.length && at < clock.explained) {
      const part = make("section");
      part.append(make("h3", texts.worth), aroundTable(texts.worth, loaded.site.map((row) => valued(row, at)), at));
      body.append(part);
    }
    panel.hidden = false;
    document.body.classList.add("asking");
    one("ask").setAttribute("aria-expanded", "true");
    if (opened) panel.scrollTop = 0;
    if (opened && focus) one("why-title").focus({ preventScroll: true });
    if (opened) settle();
  }
  function close() {
    one("why").hidden = true;
    document.body.classList.remove("asking");
    one("ask").setAttribute("aria-expanded", "false");
    (came && came.isConnected ? came : one("ask")).focus({ preventScroll: true });
    settle();
  }
  function settle() { // charts beside the panel take the room there is
    requestAnimationFrame(() => {
      for (const [element, chart] of charts) if (chart.drawn && chart.near) Plotly.Plots.resize(element);
    });
  }
  function choose(step) {
    const chosen = one("why-day");
    const hours = one("why-hour");
    if (!chosen.options.length) chosen.append(...days().map((day) => make("option", day)));
    const day = localDay(startOf(step));
    chosen.value = day;
    if (hours.dataset.day !== day) { // not what `chosen` says: its reader has changed that by then
      hours.dataset.day = day;
      hours.replaceChildren();
      const from = Math.max(Math.ceil((placeOf(Date.parse(day)) - clock.start) / clock.step), 0);
      for (let at = from; at < clock.steps && localDay(startOf(at)) === day; at += 1) {
        const option = make("option", clockOf(startOf(at)));
        option.value = at;
        hours.append(option);
      }
    }
    hours.value = step;
    one("hour-before").disabled = step === 0;
    one("hour-after").disabled = step === clock.steps - 1;
  }
  function prepareWhy() {
    const panel = one("why");
    if (!panel) return;
    one("ask").addEventListener("click", () => (panel.hidden ? explain(asked ?? clock.first) : close()));
    one("why-close").addEventListener("click", close);
    one("hour-before").addEventListener("click", () => explain(asked - 1));
    one("hour-after").addEventListener("click", () => explain(asked + 1));
    one("why-hour").addEventListener("change", (event) => explain(Number(event.target.value)));
    one("why-day").addEventListener("change", (event) => {
      explain(stepAt(placeOf(Date.parse(event.target.value) + (localOf(startOf(asked)) % DAY))));
    });
    panel.addEventListener("keydown", (event) => {
      if (event.target.closest("select, .wide")) return;
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by) {
        event.preventDefault();
        explain(asked + by);
      }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !panel.hidden) close();
    });
    for (const button of document.querySelectorAll("button.hour"))
      button.addEventListener("click", () => explain(Number(button.dataset.step)));
  }

  // ---- what is wider than the screen says so
  function watch(box) {
    const hint = make("p", `↔ ${texts.sideways}`, "sideways");
    hint.hidden = true;
    box.before(hint);
    const look = () => {
      const rest = box.scrollWidth - box.clientWidth;
      hint.hidden = rest <= 1;
      box.classList.toggle("more-left", rest > 1 && box.scrollLeft > 1);
      box.classList.toggle("more-right", rest > 1 && box.scrollLeft < rest - 1);
    };
    box.addEventListener("scroll", look, { passive: true });
    const sizes = new ResizeObserver(look);
    for (const part of [box, box.firstElementChild]) sizes.observe(part);
  }

  // ---- copying tables
  function prepareCopies() {
    for (const button of document.querySelectorAll("button.copy"))
      button.addEventListener("click", async () => {
        const table = one(button.dataset.table);
        const lines = [...table.rows].map((row) => [...row.cells].map((cell) => harmless(cell.textContent.trim())).join("\t"));
        const status = button.parentElement.querySelector("[role=status]");
        status.textContent = (await copied(lines.join("\n"), table)) ? texts.copied : texts.not_copied;
      });
  }
  function harmless(text) { // as planner/files/csv_file.py, with amounts that have thousands and units
    const amount = /^[+-][\d,]*\.?\d+(%|[ \u202f][\w%/.()·²]+)?$/;
    return new RegExp(`^${texts.formula}`).test(text) && !amount.test(text) ? "'" + text : text;
  }
  async function copied(text, table) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = make("textarea");
      area.value = text;
      area.className = "unseen";
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (!done) getSelection().selectAllChildren(table);
      return done;
    }
  }

  // ---- on paper: every chart, in light colours, as wide as the sheet
  function redraw() {
    for (const [element, chart] of charts) if (chart.figure && window.Plotly) draw(element);
  }
  function fitTables() { // no sheet scrolls: a table wider than it is made smaller
    for (const table of document.querySelectorAll(".wide > table")) {
      table.style.width = "min-content";
      const wide = table.offsetWidth;
      table.style.width = "";
      table.style.zoom = printing && wide > SHEET ? SHEET / wide : "";
    }
  }
  function printed(now) {
    printing = now;
    redraw();
    fitTables();
  }
  addEventListener("beforeprint", () => printed(true));
  addEventListener("afterprint", () => printed(false));
  dark.addEventListener("change", () => {
    for (const [element, chart] of charts) {
      if (chart.drawn && chart.near) draw(element);
      else if (chart.drawn) chart.stale = true;
    }
  });

  // ---- the bar that stays at the top covers nothing one comes to
  function prepareBar() {
    const bar = one("bar");
    if (!bar) return;
    const height = () => document.documentElement.style.setProperty("--bar", `${bar.offsetHeight}px`);
    new ResizeObserver(height).observe(bar);
  }

  function start() {
    prepareCopies();
    prepareBar();
    for (const box of document.querySelectorAll(".wide, .broad")) watch(box);
    prepareRange();
    prepareWhy();
    const elements = [...document.querySelectorAll(".figure")];
    if (!("DecompressionStream" in window) || !("structuredClone" in window)) {
      one("no-charts").textContent = texts.no_charts;
      one("no-charts").hidden = false;
      document.documentElement.classList.add("bare");
      return;
    }
    for (const element of elements)
      charts.set(element, { figure: null, drawn: false, near: false, over: element.classList.contains("over-time") });
    let coming = 0;
    const near = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        charts.get(target).near = isIntersecting;
        if (!isIntersecting) continue;
        coming += 1;
        come(target).finally(() => {
          coming -= 1;
          if (!coming) performance.mark("near-drawn");
        });
      }
    }, { rootMargin: NEAR });
    elements.forEach((element) => near.observe(element));
    // The rest is unpacked while nothing else happens, so that a print finds every figure.
    const idle = window.requestIdleCallback || ((f) => setTimeout(f, 300));
    const waiting = elements.slice();
    const next = async () => {
      const element = waiting.shift();
      if (!element) {
        document.documentElement.dataset.ready = "yes";
        return;
      }
      await prepare(element);
      idle(next);
    };
    addEventListener("load", () => idle(next));
  }
  start();
})();
