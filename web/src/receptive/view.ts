// The receptive field: from a cell back to its box in every earlier layer and on the image, and what is really used.

import type { App } from "../core/app";
import { colourOf, token } from "../core/colour";
import { fillLater, h, say, sharp } from "../core/dom";
import { grid, twin } from "../core/grid";
import { mapsOf, paint, picture, type Maps } from "../maps/planes";
import { channelsFirst, field, order, shapeOf, spatialOf, type Box } from "./boxes";

const MOST = 40;

interface Stop { index: number; rows: number; columns: number; spatial: number[]; canvas: HTMLCanvasElement; over: CanvasRenderingContext2D; width: number; height: number; caption: HTMLElement }

export function fieldView(app: App): HTMLElement {
  const root = h("div", { class: "panel field-panel" });
  fillLater(root, build(app, root), (error) => app.t("failed", { error }));
  return root;
}

async function build(app: App, root: HTMLElement): Promise<void> {
  const index = app.state.layer;
  const shapes = app.layers.map((layer, i) => (app.hasNumbers ? app.shape(i) : shapeOf(layer)));
  const shape = shapes[index]!;
  if (!shape.length || app.layers[index]!.outputs[0]?.shape.slice(1).some((n, i) => n === null && !app.hasNumbers && shape[i] === 1)) {
    root.append(h("p", { class: "empty" }, app.t("field.unknown"))); return;
  }
  const chain = order(app.layers, index).filter((i) => i !== index);
  if (!chain.length) { root.append(h("p", { class: "empty" }, app.t("field.first"))); return; }
  const plane = spatialOf(app.layers[index]!, shape);
  const columns = plane[plane.length - 1]!;
  const rows = plane.length > 1 ? plane[plane.length - 2]! : 1;
  const own = await mapsOf(app, index);
  const wide = shape.length === 1 ? shape[0]! : columns;
  const folded = shape.length === 1 && wide > 24 ? 24 : wide;
  const channel = own?.channels.includes(app.state.channel) ? app.state.channel : (own?.channels[0] ?? 0);
  const exactMap = own && own.step === 1 ? own : null;
  const [r, c] = shape.length === 1 ? [Math.ceil(wide / folded), folded] : [rows, columns];
  const value = (row: number, column: number): number | null => {
    if (shape.length === 1) return row * folded + column < wide ? (exactMap ? exactMap.value(0, 0, 0, row * folded + column) : 0) : null;
    return exactMap ? exactMap.value(channel, Math.floor((exactMap.slices - 1) / 2), row, column) : 0;
  };
  let top = 0;
  for (let i = 0; i < Math.min(r, 256); i++) for (let k = 0; k < Math.min(c, 256); k++) top = Math.max(top, Math.abs(value(i, k) ?? 0));
  const cellOf = (row: number, column: number): number[] => {
    if (shape.length === 1) return [Math.min(row * folded + column, wide - 1)];
    const middle = plane.slice(0, -2).map((n) => Math.floor((n - 1) / 2));
    const place = plane.length === 1 ? [column] : [...middle, row, column];
    return channelsFirst(app.layers[index]!) ? [channel, ...place] : [...place, channel];
  };
  const side = Math.max(3, Math.min(30, Math.floor(300 / c), Math.floor(300 / r)));
  const text = h("p", { class: "reading", role: "status" });
  let last = "";
  const move = (row: number, column: number, aloud = false): void => {
    const cell = cellOf(row, column);
    if (last === cell.join()) return;
    last = cell.join();
    g.mark([{ row, column, rows: 1, columns: 1, kind: "pick" }]);
    draw(cell, aloud);
  };
  const g = grid({ rows: r, columns: c, cell: side, top, numbers: exactMap !== null && side >= 24, label: app.t("field.grid", { layer: app.layer.name }), rowName: app.t("row"), columnName: app.t("column"), headers: shape.length > 1, value, onMove: (row, column) => move(row, column), onPick: (row, column) => move(row, column, true), describe: () => app.t("field.press") });
  const shown = chain.length > MOST ? [...chain.slice(0, MOST - 1), chain[chain.length - 1]!] : chain;
  const list = h("div", { class: "field-stops" });
  const stops = await Promise.all(shown.map((i) => stop(app, i, shapes[i]!)));
  list.append(...stops.map(([element]) => element));
  const table = h("div", { class: "field-table" });

  function draw(cell: number[], aloud: boolean): void {
    const { boxes: found, routes: used } = field(app.layers, index, cell, shapes);
    for (const [, s] of stops) paintStop(app, s, found.get(s.index), used.get(s.index));
    const entry = chain.filter((i) => app.layers[i]!.parents.length === 0).map((i) => `${app.layers[i]!.name}: ${boxText(app, i, found.get(i), shapes[i]!)}`).join("; ");
    text.textContent = app.t("field.reading", { cell: cell.join(", "), box: entry });
    if (aloud) say(text.textContent);
    table.replaceChildren(twin(app.t("field.table"), "", () => ({
      head: [app.t("table.layer"), app.t("field.box"), app.t("field.cells"), app.t("field.used")],
      rows: chain.map((i) => {
        const box = found.get(i);
        const mine = used.get(i);
        const area = box ? spatialBoxOf(app, i, box).reduce((n, [low, high]) => n * Math.max(0, high - low + 1), 1) : 0;
        return [app.layers[i]!.name, boxText(app, i, box, shapes[i]!), app.number(area), app.number(mine ? mine.reduce((n, v) => n + (v > 0 ? 1 : 0), 0) : 0)];
      }),
    })));
  }
  root.append(
    h("p", { class: "note" }, app.t("field.what")),
    h("div", { class: "field-columns" }, h("div", { class: "field-own" }, h("h3", { class: "title" }, app.t("field.choose", { layer: app.layer.name })), g.element, text), h("div", {}, h("h3", { class: "title" }, app.t("field.before")), list)), table);
  const middle: [number, number] = [Math.floor((r - 1) / 2), Math.floor((c - 1) / 2)];
  g.move(...middle);
  move(...middle);
}

function spatialBoxOf(app: App, index: number, box: Box): Box {
  if (box.length < 2) return box;
  return channelsFirst(app.layers[index]!) ? box.slice(1) : box.slice(0, -1);
}

function boxText(app: App, index: number, box: Box | undefined, shape: number[]): string {
  if (!box) return app.t("field.none");
  const spatial = spatialBoxOf(app, index, box);
  const plane = shape.length < 2 ? shape : spatialOf(app.layers[index]!, shape);
  const all = spatial.every(([low, high], i) => low === 0 && high === plane[i]! - 1);
  const size = spatial.map(([low, high]) => high - low + 1).join(" × ");
  return all && size !== "1" ? app.t("field.all", { size }) : `${size} (${spatial.map(([low, high]) => (low === high ? low : `${low}–${high}`)).join(", ")})`;
}

async function stop(app: App, index: number, shape: number[]): Promise<[HTMLElement, Stop]> {
  const layer = app.layers[index]!;
  const plane = shape.length < 2 ? [1, shape[0] ?? 1] : spatialOf(layer, shape);
  const columns = plane[plane.length - 1]!;
  const rows = plane.length > 1 ? plane[plane.length - 2]! : 1;
  const scale = Math.min(132 / columns, 132 / rows, 16);
  const width = Math.max(columns * scale, 24);
  const height = Math.max(rows * scale, rows === 1 ? 14 : 24);
  const { canvas, pen } = sharp(width, height);
  const maps = await mapsOf(app, index).catch(() => null);
  pen.fillStyle = token("--sunken");
  pen.fillRect(0, 0, width, height);
  if (maps && layer.parents.length === 0) picture(pen, maps, width, height);
  else if (maps) {
    const value = mean(maps);
    let top = 1e-9;
    for (let i = 0; i < maps.rows * maps.columns; i++) top = Math.max(top, Math.abs(value.value(0, 0, Math.floor(i / maps.columns), i % maps.columns)));
    paint(pen, value, 0, 0, width, height, (v) => colourOf(v, top));
  }
  const over = sharp(width, height);
  over.canvas.classList.add("grid-marks");
  const caption = h("small", { class: "muted" });
  const holder = h("div", { class: "stop-picture" }, canvas, over.canvas);
  holder.style.width = `${width}px`;
  holder.style.height = `${height}px`;
  const element = h("figure", { class: layer.parents.length === 0 ? "stop image" : "stop" }, holder, h("figcaption", {}, h("b", {}, layer.name), caption));
  return [element, { index, rows, columns, spatial: plane, canvas, over: over.pen, width, height, caption }];
}

/** All channels at once, as their mean. */
function mean(maps: Maps): Maps {
  const list = maps.channels;
  const middle = Math.floor((maps.slices - 1) / 2);
  return { ...maps, channels: [0], value: (_, __, r, c) => list.reduce((sum, channel) => sum + maps.value(channel, middle, r, c), 0) / list.length };
}

function paintStop(app: App, s: Stop, box: Box | undefined, used: Float64Array | undefined): void {
  const { over, width, height } = s;
  over.clearRect(0, 0, width, height);
  s.caption.textContent = ` ${box ? boxText(app, s.index, box, app.hasNumbers ? app.shape(s.index) : shapeOf(app.layers[s.index]!)) : app.t("field.none")}`;
  if (!box) return;
  const spatial = box.length < 2 ? ([[0, 0], box[0] ?? [0, 0]] as Box) : spatialBoxOf(app, s.index, box);
  const [x, y] = [width / s.columns, height / s.rows];
  const row = spatial.length > 1 ? spatial[spatial.length - 2]! : [0, 0];
  const column = spatial[spatial.length - 1]!;
  if (used && box.length > 1) {
    const plane = s.rows * s.columns;
    const sums = new Float64Array(plane);
    for (let i = 0; i < used.length; i++) sums[i % plane]! += used[i]!;
    const most = sums.reduce((a, b) => Math.max(a, b), 0);
    over.fillStyle = token("--mark");
    for (let i = 0; i < plane; i++) {
      if (!sums[i]) continue;
      over.globalAlpha = 0.1 + (0.5 * sums[i]!) / most;
      over.fillRect((i % s.columns) * x, Math.floor(i / s.columns) * y, x, y);
    }
    over.globalAlpha = 1;
  }
  over.strokeStyle = token("--mark");
  over.lineWidth = 2;
  over.strokeRect(column[0] * x + 1, row[0]! * y + 1, Math.max((column[1] - column[0] + 1) * x - 2, 2), Math.max((row[1]! - row[0]! + 1) * y - 2, 2));
}
