// The map: pan, zoom, fold, search, and walking from layer to layer by keyboard. Only what is in sight is drawn.

import type { App } from "../core/app";
import { token } from "../core/colour";
import { calm, h, s, say } from "../core/dom";
import { twin } from "../core/grid";
import { blocksOf, layOut, NODE, type Layout, type Node } from "./layout";
import { family, glyph } from "./glyphs";

const FOLD_FROM = 20;

export function mapView(app: App): HTMLElement {
  const blocks = blocksOf(app.layers);
  const folded = new Set<string>(app.layers.length > FOLD_FROM ? blocks.map((b) => b.id) : []);
  let layout: Layout = layOut(app.layers, blocks, folded);
  let view = { x: 0, y: 0, k: 1 };
  let active = "";
  let query = "";
  const drawn = new Map<string, SVGElement>();

  const frames = s("g", { class: "map-frames" });
  const edges = s("g", { class: "map-edges", "aria-hidden": "true" });
  const nodes = s("g", { class: "map-nodes" });
  const world = s("g", {}, frames, edges, nodes);
  const svg = s("svg", { class: "map-svg", role: "group", "aria-label": app.t("map.title") },
    s("defs", {}, s("marker", { id: "arrow", viewBox: "0 0 6 6", refX: 5, refY: 3, markerWidth: 6, markerHeight: 6, orient: "auto" }, s("path", { d: "M0 0L6 3L0 6Z", class: "arrow" })),
      s("marker", { id: "arrow-skip", viewBox: "0 0 6 6", refX: 5, refY: 3, markerWidth: 5, markerHeight: 5, orient: "auto" }, s("path", { d: "M0 0L6 3L0 6Z", class: "arrow skip" }))),
    world);
  const holder = h("div", { class: "map-holder" });
  holder.append(svg);

  const width = (): number => holder.clientWidth || 1000;
  const height = (): number => holder.clientHeight || 280;

  function apply(): void {
    world.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.k})`);
    svg.classList.toggle("far", view.k < 0.5);
    fill();
  }

  function clamp(): void {
    const [w, t] = [layout.width * view.k, layout.height * view.k];
    view.x = w <= width() ? (width() - w) / 2 : Math.min(0, Math.max(width() - w, view.x));
    view.y = t <= height() ? (height() - t) / 2 : Math.min(0, Math.max(height() - t, view.y));
  }

  /** Draws the nodes that are in sight and takes the others away. */
  function fill(): void {
    const [left, right] = [(-view.x - 200) / view.k, (width() - view.x + 200) / view.k];
    for (const node of layout.nodes) {
      const seen = node.x + NODE.width > left && node.x < right;
      const there = drawn.get(node.id);
      if (seen && !there) {
        const element = card(node);
        drawn.set(node.id, element);
        nodes.append(element);
      } else if (!seen && there && !there.contains(document.activeElement)) {
        there.remove();
        drawn.delete(node.id);
      }
    }
  }

  function card(node: Node): SVGElement {
    const layer = app.layers[node.layer]!;
    const chosen = node.block ? node.block.members.includes(app.state.layer) : node.layer === app.state.layer;
    const hit = query !== "" && matches(node);
    const shape = layer.outputs[0] ? app.shapeText(layer.outputs[0].shape.slice(1)) : "?";
    const title = node.block ? node.block.name : layer.name;
    const second = node.block ? (chosen ? app.layer.name : app.t("map.count", { count: node.block.members.length })) : layer.class;
    const label = node.block ? app.t("map.block", { name: title, count: node.block.members.length, shape })
      : app.t("map.layer", { name: title, class: layer.class, shape, count: layer.parameters.count });
    // The words lie beside the button, not in it: its own label says them in full.
    const words = s("g", { class: "words", "aria-hidden": "true" },
      s("text", { x: 22, y: 20.5, class: "sign", ...(glyph(layer).length > 3 && !node.block ? { textLength: 26, lengthAdjust: "spacingAndGlyphs" } : {}) }, node.block ? "▣" : glyph(layer)),
      s("text", { x: 43, y: 18, class: "name" }, fitted(title, "620 11.5px", NODE.width - 49)), s("text", { x: 43, y: 31, class: "kind" }, fitted(second, "400 10px", NODE.width - 49)), s("text", { x: 9, y: 50, class: "shape" }, fitted(shape, "400 10px", NODE.width - (chosen ? 30 : 16), token("--numbers"))),
      chosen ? s("text", { x: NODE.width - 14, y: 50, class: "tick" }, "●") : null);
    const button = s("g", {
      class: "map-hit", role: "button", tabindex: node.id === active ? 0 : -1, "aria-label": label, "data-id": node.id, ...(node.block ? { "aria-expanded": "false" } : { "aria-current": chosen ? "true" : null }),
      onclick: () => press(node), onfocus: () => rove(node.id),
    }, node.block ? s("rect", { x: 5, y: -5, width: NODE.width, height: NODE.height, rx: 9, class: "under" }) : null,
      s("rect", { width: NODE.width, height: NODE.height, rx: 9, class: "card" }), s("rect", { x: 7, y: 8, width: 30, height: 24, rx: 5, class: "badge" }), s("title", {}, label));
    const element = s("g", { class: `map-node ${node.block ? "block" : family(layer)}${chosen ? " chosen" : ""}${hit ? " hit" : ""}`, transform: `translate(${node.x} ${node.y})` }, button, words);
    return element;
  }

  const matches = (node: Node): boolean => {
    const mine = node.block ? node.block.members : [node.layer];
    return mine.some((i) => `${app.layers[i]!.name} ${app.layers[i]!.class}`.toLowerCase().includes(query));
  };

  function refresh(): void {
    for (const element of drawn.values()) element.remove();
    drawn.clear();
    edges.replaceChildren(...layout.edges.map((edge) => s("path", { d: edge.path, class: edge.skip ? "edge skip" : "edge", "marker-end": edge.skip ? "url(#arrow-skip)" : "url(#arrow)" })));
    frames.replaceChildren(...layout.frames.map((f) => {
      const name = `${f.block.name} ▾`;
      return s("g", {}, s("rect", { x: f.x, y: f.y, width: f.width, height: f.height, rx: 12, class: "frame" }),
        s("g", { role: "button", tabindex: 0, class: "frame-name", "aria-expanded": "true", "aria-label": app.t("map.fold", { name: f.block.name }), onclick: () => toggle(f.block.id),
          onkeydown: (e) => { if (["Enter", " "].includes((e as KeyboardEvent).key)) { e.preventDefault(); toggle(f.block.id); } } },
          s("rect", { x: f.x + 6, y: f.y + 2, width: name.length * 6.4 + 10, height: 16, rx: 4, class: "frame-back" })),
        s("text", { x: f.x + 11, y: f.y + 14, class: "frame-text", "aria-hidden": "true" }, name));
    }));
    if (!layout.nodes.some((n) => n.id === active)) active = (home(app.state.layer) ?? layout.nodes[0]!).id;
    apply();
  }

  function rebuild(): void {
    layout = layOut(app.layers, blocks, folded);
    clamp();
    refresh();
  }

  function toggle(id: string): void {
    const open = folded.delete(id);
    if (!open) folded.add(id);
    rebuild();
    const block = blocks.find((b) => b.id === id)!;
    say(app.t(open ? "map.opened" : "map.folded", { name: block.name, count: block.members.length }));
    const node = layout.nodes.find((n) => (open ? !n.block && block.members.includes(n.layer) : n.block?.id === id));
    if (node) focus(node);
  }

  function press(node: Node): void {
    if (node.block) { toggle(node.block.id); return; }
    app.set({ layer: node.layer, cell: null, channel: 0 });
  }

  const home = (index: number): Node | undefined => layout.nodes.find((n) => n.layer === index && !n.block) ?? layout.nodes.find((n) => n.block?.members.includes(index));

  const button = (id: string): SVGGElement | null => drawn.get(id)?.querySelector<SVGGElement>(".map-hit") ?? null;

  function rove(id: string): void {
    if (id === active) return;
    button(active)?.setAttribute("tabindex", "-1");
    active = id;
    button(id)?.setAttribute("tabindex", "0");
  }

  function show(node: Node): void {
    const [left, right] = [node.x * view.k + view.x, (node.x + NODE.width) * view.k + view.x];
    const [top, bottom] = [node.y * view.k + view.y, (node.y + NODE.height) * view.k + view.y];
    if (left < 30 || right > width() - 30) view.x = width() / 2 - (node.x + NODE.width / 2) * view.k;
    if (top < 4 || bottom > height() - 4) view.y = height() / 2 - (node.y + NODE.height / 2) * view.k;
    clamp();
    apply();
  }

  function focus(node: Node): void {
    rove(node.id);
    show(node);
    button(node.id)?.focus({ preventScroll: true });
  }

  svg.addEventListener("keydown", (event) => {
    const node = layout.nodes.find((n) => n.id === active);
    if (!node || !(event.target as Element).closest(".map-node")) return;
    const at = layout.nodes.indexOf(node);
    const side = layout.nodes.filter((n) => n.rank === node.rank).sort((a, b) => a.y - b.y);
    const byId = (id: string | undefined): Node | undefined => layout.nodes.find((n) => n.id === id);
    const moves: Record<string, () => Node | undefined> = {
      ArrowRight: () => byId(node.children[0]) ?? layout.nodes[at + 1], ArrowLeft: () => byId(node.parents[0]),
      ArrowDown: () => side[side.indexOf(node) + 1] ?? byId(node.children[1]), ArrowUp: () => side[side.indexOf(node) - 1] ?? byId(node.parents[1]),
      Home: () => layout.nodes[0], End: () => layout.nodes[layout.nodes.length - 1],
    };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      press(node);
      const again = home(node.layer);
      if (again && !node.block) focus(again);
    } else if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") fit();
    else if (moves[event.key]) {
      event.preventDefault();
      const next = moves[event.key]!();
      if (next) focus(next);
    }
  });

  function zoom(factor: number, cx = width() / 2, cy = height() / 2): void {
    const k = Math.min(Math.max(view.k * factor, 0.12), 2.5);
    view = { k, x: cx - ((cx - view.x) * k) / view.k, y: cy - ((cy - view.y) * k) / view.k };
    clamp();
    apply();
  }

  function fit(): void {
    const k = Math.min(1.15, Math.max(0.12, Math.min((width() - 8) / layout.width, (height() - 4) / layout.height)));
    view = { k, x: 0, y: 0 };
    clamp();
    apply();
  }

  /** The first sight: all of it if that can be read, else the start. */
  function first(): void {
    holder.style.height = `${Math.round(Math.min(Math.max(layout.height * Math.min(1, Math.max(0.6, width() / layout.width)), 150), 380))}px`;
    fit();
    if (view.k < 0.6) {
      view = { k: Math.min(1, Math.max(0.62, (height() - 4) / layout.height)), x: 0, y: 0 };
      clamp();
    }
    refresh();
    const node = home(app.state.layer);
    if (node) show(node);
  }

  let drag: { x: number; y: number; vx: number; vy: number; moved: boolean } | null = null;
  holder.addEventListener("pointerdown", (e) => (drag = { x: e.clientX, y: e.clientY, vx: view.x, vy: view.y, moved: false }));
  window.addEventListener("pointermove", (e) => {
    if (!drag) return;
    if (Math.abs(e.clientX - drag.x) + Math.abs(e.clientY - drag.y) > 4) drag.moved = true;
    if (!drag.moved) return;
    holder.classList.add("dragging");
    view.x = drag.vx + e.clientX - drag.x;
    view.y = drag.vy + e.clientY - drag.y;
    clamp();
    schedule();
  }, { signal: app.signal });
  window.addEventListener("pointerup", () => {
    if (drag?.moved) window.addEventListener("click", (e) => e.stopPropagation(), { capture: true, once: true });
    drag = null;
    holder.classList.remove("dragging");
  }, { signal: app.signal });
  let waiting = false;
  function schedule(): void {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      apply();
    });
  }
  holder.addEventListener("wheel", (e) => {
    const bounds = holder.getBoundingClientRect();
    if (e.ctrlKey || e.metaKey) {
      e.preventDefault();
      zoom(Math.exp(-e.deltaY * 0.01), e.clientX - bounds.left, e.clientY - bounds.top);
    } else if (Math.abs(e.deltaX) > Math.abs(e.deltaY) || e.shiftKey) {
      e.preventDefault();
      view.x -= e.deltaX || e.deltaY;
      clamp();
      schedule();
    }
  }, { passive: false });

  const count = h("span", { class: "map-found", role: "status" });
  const search = h("input", {
    type: "search", class: "search", placeholder: app.t("map.search"), "aria-label": app.t("map.search"),
    oninput: () => {
      query = search.value.trim().toLowerCase();
      const found = query ? layout.nodes.filter(matches) : [];
      count.textContent = query ? app.t("map.found", { count: found.length }) : "";
      refresh();
      if (found[0]) show(found[0]);
    },
    onkeydown: (e) => {
      if ((e as KeyboardEvent).key !== "Enter" || !query) return;
      const found = layout.nodes.filter(matches);
      const now = found.findIndex((n) => n.id === active);
      const next = found[(now + 1) % Math.max(found.length, 1)];
      if (!next) return;
      if (next.block) toggle(next.block.id);
      else {
        app.set({ layer: next.layer, cell: null, channel: 0 });
        rove(next.id);
        show(next);
      }
    },
  });
  const tool = (text: string, label: string, act: () => void): HTMLButtonElement => h("button", { type: "button", class: "tool", title: label, "aria-label": label, onclick: act }, text);
  const all = (fold: boolean): void => {
    for (const block of blocks) if (fold) folded.add(block.id);
    else folded.delete(block.id);
    rebuild();
    fit();
  };
  const tools = h("div", { class: "map-tools" },
    h("h2", {}, app.t("map.title")), search, count, h("span", { class: "grow" }),
    blocks.length ? h("button", { type: "button", class: "tool wide", onclick: () => all(true) }, app.t("map.foldall")) : null,
    blocks.length ? h("button", { type: "button", class: "tool wide", onclick: () => all(false) }, app.t("map.openall")) : null,
    tool("−", app.t("map.out"), () => zoom(0.8)), tool("+", app.t("map.in"), () => zoom(1.25)), tool("⤢", app.t("map.fit"), fit));
  const table = twin(app.t("map.table"), "", () => ({
    head: [app.t("table.layer"), app.t("table.class"), app.t("table.output"), app.t("table.parameters"), app.t("table.from")],
    rows: app.layers.map((layer) => [layer.name, layer.class, layer.outputs[0] ? app.shapeText(layer.outputs[0].shape.slice(1)) : "?", app.number(layer.parameters.count), layer.parents.map((p) => app.layers[p]!.name).join(", ")]),
  }));
  app.on(["layer"], () => {
    const node = home(app.state.layer);
    refresh();
    if (node) {
      rove(node.id);
      show(node);
    }
  });
  let before = 0;
  new ResizeObserver(() => {
    if (Math.abs(width() - before) < 2) return;
    before = width();
    first();
  }).observe(holder);
  if (!calm()) holder.classList.add("lively");
  return h("section", { class: "card-box map", "aria-label": app.t("map.title") }, tools, holder, table);
}

let ruler: CanvasRenderingContext2D | null = null;

/** Cuts a text to a width in pixels. */
function fitted(text: string, font: string, width: number, family = token("--text")): string {
  ruler ??= document.createElement("canvas").getContext("2d")!;
  ruler.font = `${font} ${family}`;
  if (ruler.measureText(text).width <= width) return text;
  let shown = text;
  while (shown.length > 1 && ruler.measureText(`${shown}…`).width > width) shown = shown.slice(0, -1);
  return `${shown}…`;
}
