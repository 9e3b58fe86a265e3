// The page: header, map, and the chosen layer's parts in tabs.

import "./style.css";
import { App, DRAWN, type State, type Tab } from "./core/app";
import { setDark } from "./core/colour";
import { Data, readPayload } from "./core/data";
import { h, sharp } from "./core/dom";
import { cellView } from "./cell/view";
import { drawView } from "./infer/view";
import { kernelView } from "./kernel/view";
import { layerPanel } from "./layer/panel";
import { mapView } from "./map/view";
import { mapsOf, picture } from "./maps/planes";
import { mapsView } from "./maps/view";
import { fieldView } from "./receptive/view";
import type { Language } from "./i18n";

const TABS: [Tab, (app: App) => HTMLElement][] = [["layer", layerPanel], ["kernel", kernelView], ["maps", mapsView], ["cell", cellView], ["field", fieldView], ["draw", drawView]];

function initial(payload: ReturnType<typeof readPayload>): State {
  const asked = new URLSearchParams(location.hash.slice(1));
  const language = asked.get("language") ?? (payload.language || (navigator.language.startsWith("zh") ? "zh" : "en"));
  const { layers } = payload.document;
  const named = layers.findIndex((layer) => layer.name === asked.get("layer"));
  const first = layers.findIndex((layer) => layer.window !== null);
  const tab = asked.get("tab") as Tab;
  return {
    layer: named >= 0 ? named : Math.max(first, 0), tab: TABS.some(([id]) => id === tab) ? tab : "layer", example: 0, channel: 0, cell: null,
    language: language === "zh" ? "zh" : "en", theme: (["auto", "light", "dark"] as const).find((t) => t === asked.get("theme")) ?? "auto",
  };
}

const wantsDark = window.matchMedia("(prefers-color-scheme: dark)");

function theme(app: App): void {
  const dark = app.state.theme === "dark" || (app.state.theme === "auto" && wantsDark.matches);
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
  setDark(dark);
}

function header(app: App): HTMLElement {
  const { totals, model } = app.document;
  const chips: [string, string][] = [
    [app.t("total.layers"), String(app.layers.length)], [app.t("total.parameters"), app.number(totals.parameters)], [app.t("total.bytes"), app.bytes(totals.bytes)],
  ];
  if (totals.multiply_adds.forward) chips.push([app.t("total.macs"), app.number(totals.multiply_adds.forward)]);
  if (totals.memory?.peak) chips.push([app.t("total.peak", { batch: totals.memory.peak.batch }), app.bytes(totals.memory.peak.bytes)]);
  const select = <T extends string>(label: string, value: T, options: [T, string][], act: (value: T) => void): HTMLElement => {
    const element = h("select", { "aria-label": label, title: label, onchange: () => act(element.value as T) }, ...options.map(([id, text]) => h("option", { value: id, selected: id === value }, text)));
    return element;
  };
  return h("header", { class: "top" },
    h("div", { class: "brand" }, h("span", { class: "mark", "aria-hidden": "true" }), h("div", {}, h("h1", {}, model.name), h("p", {}, app.t("subtitle", { class: model.class })))),
    h("dl", { class: "totals" }, ...chips.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    h("div", { class: "switches" },
      select<Language>(app.t("language"), app.state.language, [["en", "English"], ["zh", "简体中文"]], (language) => app.set({ language })),
      select<State["theme"]>(app.t("theme"), app.state.theme, [["auto", app.t("theme.auto")], ["light", app.t("theme.light")], ["dark", app.t("theme.dark")]], (value) => app.set({ theme: value }))));
}

/** Pictures of the examples, one of them chosen. */
function examples(app: App): HTMLElement | null {
  const { count, given } = app.data.payload.examples;
  if (!count && !app.drawn) return null;
  const strip = h("div", { class: "examples", role: "radiogroup", "aria-label": app.t("examples") });
  const entry = app.layers.find((layer) => layer.parents.length === 0)!.index;
  const all = [...Array.from({ length: count }, (_, i) => i), ...(app.drawn ? [DRAWN] : [])];
  for (const example of all) {
    const on = example === app.state.example;
    const label = example === DRAWN ? app.t("example.drawn") : app.t("example", { number: example + 1 });
    const button = h("button", { type: "button", role: "radio", "aria-checked": String(on), "aria-label": label, title: label, tabindex: on ? 0 : -1, class: "example", onclick: () => app.set({ example }) });
    strip.append(button);
    void mapsOf(app, entry, example).then((maps) => {
      if (!maps) { button.append(h("span", {}, example === DRAWN ? "✎" : String(example + 1))); return; }
      const { canvas, pen } = sharp(36, 36);
      picture(pen, maps, 36, 36);
      button.append(canvas, h("span", { class: "example-number" }, example === DRAWN ? "✎" : String(example + 1)));
    });
  }
  strip.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = all[(all.indexOf(app.state.example) + step + all.length) % all.length]!;
    app.set({ example: next });
    document.querySelector<HTMLElement>(".example[aria-checked='true']")?.focus();
  });
  return h("div", { class: "examples-line" }, h("span", { class: "muted" }, app.t("examples.of", { count, given })), strip);
}

function work(app: App): HTMLElement {
  const title = h("div", { class: "work-head" });
  const tabs = h("div", { class: "tabs", role: "tablist", "aria-label": app.t("tabs") });
  const body = h("div", { class: "work-body", role: "tabpanel", id: "panel", tabindex: -1 });
  let turn = 0;

  function head(): void {
    const layer = app.layer;
    const go = (by: number): void => app.set({ layer: Math.min(Math.max(app.state.layer + by, 0), app.layers.length - 1), cell: null, channel: 0 });
    title.replaceChildren(
      h("button", { type: "button", class: "tool", "aria-label": app.t("layer.previous"), title: app.t("layer.previous"), onclick: () => go(-1), ...(app.state.layer === 0 ? { disabled: true } : {}) }, "‹"),
      h("button", { type: "button", class: "tool", "aria-label": app.t("layer.next"), title: app.t("layer.next"), onclick: () => go(1), ...(app.state.layer === app.layers.length - 1 ? { disabled: true } : {}) }, "›"),
      h("h2", {}, layer.name), h("span", { class: "kind-chip" }, layer.class), h("span", { class: "muted" }, app.t("layer.number", { number: app.state.layer + 1, count: app.layers.length })));
    const strip = examples(app);
    if (strip) title.append(h("span", { class: "grow" }), strip);
    tabs.replaceChildren(...TABS.map(([id]) => h("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-selected": String(id === app.state.tab), "aria-controls": "panel", tabindex: id === app.state.tab ? 0 : -1, onclick: () => app.set({ tab: id }) }, app.t(`tab.${id}`))));
    body.setAttribute("aria-labelledby", `tab-${app.state.tab}`);
  }
  function fill(): void {
    const mine = ++turn;
    const view = TABS.find(([id]) => id === app.state.tab)![1];
    body.replaceChildren(guard(app, view));
    if (mine === turn) remember(app);
  }
  tabs.addEventListener("keydown", (event) => {
    const now = TABS.findIndex(([id]) => id === app.state.tab);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    app.set({ tab: TABS[(next + TABS.length) % TABS.length]![0] });
    document.getElementById(`tab-${app.state.tab}`)?.focus();
  });
  app.on(["layer", "tab", "example"], () => {
    const inTabs = tabs.contains(document.activeElement);
    head();
    if (inTabs) document.getElementById(`tab-${app.state.tab}`)?.focus();
  });
  app.on(["layer", "tab"], fill);
  app.on(["example"], () => {
    if (app.state.tab !== "draw" && app.state.tab !== "layer") fill();
  });
  head();
  fill();
  return h("section", { class: "card-box work", "aria-label": app.t("tabs") }, title, tabs, body);
}

/** A part that fails says so in its place; the rest of the page goes on. */
function guard(app: App, view: (app: App) => HTMLElement): HTMLElement {
  try {
    return view(app);
  } catch (error) {
    return h("p", { class: "notice", role: "alert" }, app.t("failed", { error: error instanceof Error ? error.message : String(error) }));
  }
}

function remember(app: App): void {
  const asked = new URLSearchParams({ layer: app.layer.name, tab: app.state.tab, language: app.state.language, theme: app.state.theme });
  try {
    history.replaceState(null, "", `#${asked.toString()}`);
  } catch {
    // a page opened in a sandboxed frame may have no history; it only forgets where it was
  }
}

function notes(app: App): HTMLElement {
  const left = app.data.payload.notes.map((note) => app.t(`left.${note.what}`, { size: app.bytes(note.bytes), budget: app.bytes(app.data.payload.budget) }));
  const general = app.document.warnings.map((w, i) => (w.layer === null ? (app.texts?.warnings[i] ?? w.text) : "")).filter(Boolean);
  return h("footer", { class: "foot" }, ...[...general, ...left].map((text) => h("p", {}, text)), h("p", {}, app.t("foot", { version: app.data.payload.version })));
}

function build(app: App): void {
  document.documentElement.lang = app.state.language === "zh" ? "zh-CN" : "en";
  theme(app);
  const main = h("main", {}, mapView(app), work(app));
  document.getElementById("app")!.replaceChildren(h("a", { class: "skip", href: "#panel", onclick: (e) => { e.preventDefault(); document.getElementById("panel")?.focus(); } }, app.t("skip")), header(app), main, notes(app));
}

function start(): void {
  const payload = readPayload();
  const live = h("div", { id: "live", class: "unseen", role: "status", "aria-live": "polite" });
  document.body.append(live);
  let current: App | null = null;
  const make = (state: State, drawn: App["drawn"]): void => {
    const app = new App(new Data(payload), state);
    app.drawn = drawn;
    build(app);
    app.on(["language", "theme"], () => {
      make({ ...app.state }, app.drawn);
      remember(app);
    });
    current?.end();
    current = app;
  };
  wantsDark.addEventListener("change", () => current?.state.theme === "auto" && make({ ...current.state }, current.drawn));
  make(initial(payload), null);
  performance.mark("hornbill-ready");
}

try {
  start();
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  document.getElementById("app")!.replaceChildren(h("p", { class: "notice", role: "alert" }, `This page could not be read: ${text}`));
}
