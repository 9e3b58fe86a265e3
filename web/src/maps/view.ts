// Feature maps: one picture per channel, with its scale, its share of zeros, and a mark on channels that are dead.

import { short, type App } from "../core/app";
import { colourOf, topOf } from "../core/colour";
import { fillLater, h, sharp } from "../core/dom";
import { grid, twin } from "../core/grid";
import { carriedExamples, mapsOf, paint, type Maps } from "./planes";

const AT_ONCE = 48;

export function mapsView(app: App): HTMLElement {
  const root = h("div", { class: "panel maps-panel" });
  const fill = mapsOf(app, app.state.layer).then((maps) => {
    if (!app.hasNumbers) root.append(h("p", { class: "empty" }, app.t("maps.noexamples")));
    else if (!maps) root.append(h("p", { class: "empty" }, leftOut(app, app.state.layer)));
    else root.append(...(maps.rows === 1 && maps.channels.length === 1 && maps.slices === 1 ? vector(app, maps) : gallery(app, maps)));
  });
  fillLater(root, fill, (error) => app.t("failed", { error }));
  return root;
}

/** Why a layer's numbers are not in the page. */
export function leftOut(app: App, index: number): string {
  const carried = app.data.payload.carried[app.data.source(index)];
  const left = carried?.left_out.find((item) => item.what === "maps") ?? carried?.left_out.find((item) => item.what === "values");
  return left ? app.t("left.values", { size: app.bytes(left.bytes), budget: app.bytes(app.data.payload.budget) }) : app.t("left.unseen");
}

function tops(maps: Maps): Map<number, { low: number; high: number; mean: number; zero: number; top: number }> {
  const found = new Map<number, { low: number; high: number; mean: number; zero: number; top: number }>();
  const count = maps.slices * maps.rows * maps.columns;
  for (const channel of maps.channels) {
    let [low, high, sum, zero] = [Infinity, -Infinity, 0, 0];
    for (let s = 0; s < maps.slices; s++) for (let r = 0; r < maps.rows; r++) for (let c = 0; c < maps.columns; c++) {
      const value = maps.value(channel, s, r, c);
      low = Math.min(low, value);
      high = Math.max(high, value);
      sum += value;
      if (value === 0) zero++;
    }
    found.set(channel, { low, high, mean: sum / count, zero: zero / count, top: Math.max(Math.abs(low), Math.abs(high)) });
  }
  return found;
}

function gallery(app: App, maps: Maps): HTMLElement[] {
  const stats = app.data.payload.carried[app.data.source(app.state.layer)]?.stats ?? null;
  const own = tops(maps);
  const shared = Math.max(...[...own.values()].map((o) => o.top), 0);
  const dead = new Set(app.state.example < 0 ? [] : stats?.dead);
  let apart = false;
  let order = "number";
  let slice = Math.floor(maps.slices / 2);
  let shownCount = AT_ONCE;
  let chosen = app.state.channel in maps.channels ? app.state.channel : maps.channels[0]!;
  const tiles = h("div", { class: "tiles", role: "group", "aria-label": app.t("maps.tiles") });
  const large = h("div", { class: "map-large" });
  const legend = h("div", { class: "legend" });

  function sorted(): number[] {
    const list = maps.channels.slice();
    if (order === "strength") list.sort((a, b) => own.get(b)!.top - own.get(a)!.top);
    if (order === "zeros") list.sort((a, b) => own.get(b)!.zero - own.get(a)!.zero);
    return list;
  }
  const side = Math.max(64, Math.min(96, maps.columns * 8));
  const height = maps.rows === 1 ? 18 : Math.max(18, Math.round((side * maps.rows) / maps.columns));

  function draw(): void {
    const list = sorted();
    tiles.replaceChildren(...list.slice(0, shownCount).map((channel) => {
      const { canvas, pen } = sharp(side, height);
      const scale = apart ? own.get(channel)!.top : shared;
      paint(pen, maps, channel, slice, side, height, (v) => colourOf(v, scale));
      const isDead = dead.has(channel);
      const zero = own.get(channel)!.zero;
      const label = app.t("maps.tile", { channel, low: own.get(channel)!.low, high: own.get(channel)!.high, zero: `${Math.round(100 * zero)} %` }) + (isDead ? `, ${app.t("maps.dead")}` : "");
      return h("button", { type: "button", class: `tile${isDead ? " dead" : ""}`, title: label, "aria-pressed": String(channel === chosen), tabindex: channel === chosen ? 0 : -1, "data-channel": channel, onclick: () => choose(channel) },
        canvas, h("span", { class: "unseen" }, label, " "), h("span", { class: "tile-name", "aria-hidden": "true" }, `${channel}`, h("small", {}, isDead ? `✕ ${app.t("maps.dead")}` : zero > 0 ? `${Math.round(100 * zero)} % 0` : "")));
    }));
    if (!tiles.querySelector("[tabindex='0']")) tiles.querySelector("button")?.setAttribute("tabindex", "0");
    if (list.length > shownCount) tiles.append(h("button", { type: "button", class: "chip more", onclick: () => again(() => (shownCount += 4 * AT_ONCE)) }, app.t("maps.more", { count: list.length - shownCount })));
    legend.replaceChildren(scaleBar(), h("span", {}, apart ? app.t("maps.scaleown") : app.t("scale", { low: short(-shared), high: short(shared) })));
  }
  function again(change: () => unknown): void {
    change();
    draw();
    enlarge();
  }
  function choose(channel: number): void {
    chosen = channel;
    app.set({ channel });
    for (const tile of tiles.querySelectorAll<HTMLElement>(".tile")) {
      tile.setAttribute("aria-pressed", String(Number(tile.dataset["channel"]) === channel));
      tile.tabIndex = Number(tile.dataset["channel"]) === channel ? 0 : -1;
    }
    enlarge();
  }
  tiles.addEventListener("keydown", (event) => {
    const all = [...tiles.querySelectorAll<HTMLButtonElement>("button")];
    const now = all.indexOf(event.target as HTMLButtonElement);
    const across = Math.max(1, all.filter((b) => b.offsetTop === all[0]!.offsetTop).length);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, ArrowDown: now + across, ArrowUp: now - across, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined || !all[next]) return;
    event.preventDefault();
    all[now]!.tabIndex = -1;
    all[next].tabIndex = 0;
    all[next].focus();
  });

  function enlarge(): void {
    const cell = Math.max(3, Math.min(34, Math.floor(380 / Math.max(maps.columns, maps.rows === 1 ? 1 : maps.rows))));
    const scale = apart ? own.get(chosen)!.top : shared;
    const line = h("p", { class: "reading", role: "status" });
    const g = grid({
      rows: maps.rows, columns: maps.columns, cell, top: scale, label: app.t("maps.map", { channel: chosen }), rowName: app.t("row"), columnName: app.t("column"), value: (r, c) => maps.value(chosen, slice, r, c),
      onMove: (r, c) => (line.textContent = `${app.t("row")} ${r * maps.step}, ${app.t("column")} ${c * maps.step}: ${short(maps.value(chosen, slice, r, c), 4)}`),
      onPick: (r, c) => {
        if (maps.step === 1) app.set({ cell: cellAt(app, r, c, slice, chosen), tab: "cell" });
      },
    });
    const stat = own.get(chosen)!;
    large.replaceChildren(h("h3", { class: "title" }, app.t("maps.map", { channel: chosen })), g.element, line,
      h("p", { class: "note" }, app.t("maps.range", { low: stat.low, high: stat.high, zero: `${Math.round(100 * stat.zero)} %` }), " ", maps.exact ? app.t("maps.exact") : app.t("maps.bytes"), maps.step > 1 ? ` ${app.t("maps.thinned", { step: maps.step })}` : "", maps.step === 1 ? ` ${app.t("maps.pick")}` : ""));
  }
  const select = (name: string, options: [string, string][], act: (value: string) => void): HTMLElement => {
    const element = h("select", { onchange: () => act(element.value) }, ...options.map(([id, text]) => h("option", { value: id }, text)));
    return h("label", { class: "choice" }, h("span", {}, name), element);
  };
  const controls = h("div", { class: "row" },
    select(app.t("maps.scale"), [["shared", app.t("maps.shared")], ["own", app.t("maps.own")]], (v) => again(() => (apart = v === "own"))),
    select(app.t("maps.order"), ["number", "strength", "zeros"].map((id) => [id, app.t(`maps.${id}`)]), (v) => again(() => (order = v))),
    maps.slices > 1 ? select(app.axis("depth"), Array.from({ length: maps.slices }, (_, i) => [String(i), String(i)]), (v) => again(() => (slice = Number(v)))) : null, legend);
  const examples = carriedExamples(app, app.state.layer);
  const notes: string[] = [];
  if (dead.size) notes.push(app.t("maps.deadcount", { count: dead.size, all: stats!.zero.length, given: Math.min(64, app.data.payload.examples.given) }));
  const all = app.layer.outputs[0]?.shape;
  const count = all?.[all.length - 1];
  if (!maps.exact && count && maps.channels.length < count) notes.push(app.t("maps.some", { count: maps.channels.length, all: count }));
  if (app.state.example >= examples && examples > 0) notes.push(app.t("maps.fewer", { count: examples }));
  draw();
  enlarge();
  const table = twin(app.t("maps.table"), "", () => ({
    head: [app.axis("channel"), app.t("low"), app.t("high"), app.t("mean"), app.t("zeros"), app.t("maps.dead")],
    rows: maps.channels.map((channel) => {
      const o = own.get(channel)!;
      return [channel, short(o.low, 4), short(o.high, 4), short(o.mean, 4), `${(100 * o.zero).toFixed(1)} %`, app.t(dead.has(channel) ? "yes" : "no")];
    }),
  }));
  return [...notes.map((text) => h("p", { class: "note" }, text)), controls, h("div", { class: "maps-columns" }, tiles, large), table];
}

/** A strip of the colours in use, with their ends named by the text beside it. */
export function scaleBar(): HTMLElement {
  const { canvas, pen } = sharp(90, 10);
  for (let x = 0; x < 90; x++) {
    const [r, g, b] = colourOf((x - 45) / 45, 1);
    pen.fillStyle = `rgb(${r} ${g} ${b})`;
    pen.fillRect(x, 0, 1, 10);
  }
  canvas.className = "scale-bar";
  return canvas;
}

/** The full index of a map's cell in the layer's output. */
export function cellAt(app: App, row: number, column: number, slice: number, channel: number): number[] {
  const shape = app.shape(app.state.layer);
  if (shape.length <= 1) return [column];
  const first = app.layer.window?.channels_first ?? app.layer.config["data_format"] === "channels_first";
  const spatial = first ? shape.slice(1) : shape.slice(0, -1);
  const place = spatial.length === 1 ? [column] : spatial.length === 2 ? [row, column] : [slice, row, column];
  return first ? [channel, ...place] : [...place, channel];
}

/** Numbers without channels: bars, the largest marked by a star and by words. */
function vector(app: App, maps: Maps): HTMLElement[] {
  const values = Array.from({ length: maps.columns }, (_, i) => maps.value(0, 0, 0, i));
  const top = topOf(values);
  const zero = values.filter((v) => v === 0).length / values.length;
  const note = h("p", { class: "note" }, app.t("maps.range", { low: Math.min(...values), high: Math.max(...values), zero: `${Math.round(100 * zero)} %` }));
  const pick = (at: number): void => app.set({ cell: [at], tab: "cell" });
  const table = twin(app.t("maps.table"), "", () => ({ head: [app.t("place"), app.t("value")], rows: values.slice(0, 4096).map((v, i) => [i, short(v, 6)]) }));
  if (values.length <= 40) return [note, bars(app, values, pick), table];
  const across = Math.min(32, Math.ceil(Math.sqrt(values.length) * 1.6));
  const line = h("p", { class: "reading", role: "status" });
  const g = grid({
    rows: Math.ceil(values.length / across), columns: across, cell: values.length > 1500 ? 9 : 20, top, headers: false, label: app.t("maps.vector", { count: values.length }), rowName: app.t("row"), columnName: app.t("column"),
    value: (r, c) => values[r * across + c] ?? null, describe: (r, c) => `${app.t("place")} ${r * across + c}: ${short(values[r * across + c] ?? 0, 4)}`,
    onMove: (r, c) => (line.textContent = `${app.t("place")} ${r * across + c}: ${short(values[r * across + c] ?? 0, 4)}`), onPick: (r, c) => (r * across + c < values.length ? pick(r * across + c) : undefined),
  });
  return [note, h("div", { class: "row" }, scaleBar(), h("span", {}, app.t("scale", { low: short(-top), high: short(top) }))), g.element, line, table];
}

export function bars(app: App, values: number[], pick: ((at: number) => void) | null): HTMLElement {
  const top = topOf(values) || 1;
  const most = values.indexOf(Math.max(...values));
  const negative = values.some((v) => v < 0);
  return h("ol", { class: `bars${negative ? " signed" : ""}`, start: 0 }, ...values.map((value, i) => {
    const bar = h("span", { class: `bar${value < 0 ? " minus" : ""}`, style: { width: `${(Math.abs(value) / top) * 100}%` } });
    const row = [h("span", { class: "bar-name" }, String(i)), h("span", { class: "bar-room" }, bar), h("span", { class: "bar-value", "data-value": value }, short(value, 4), i === most ? h("span", { title: app.t("maps.largest") }, " ★") : "")];
    return h("li", i === most ? { class: "most" } : {}, pick ? h("button", { type: "button", onclick: () => pick(i) }, ...row) : h("div", {}, ...row));
  }));
}
