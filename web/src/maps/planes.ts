// A layer's output as channels of two-dimensional planes, from float32 numbers or from bytes.

import { DRAWN, slice, type App } from "../core/app";
import type { Dense } from "../core/data";
import { inkOf } from "../core/colour";
import { channelsFirst } from "../receptive/boxes";

export interface Maps {
  /** Number of each channel shown. */
  channels: number[]; rows: number; columns: number; slices: number; exact: boolean; step: number;
  value: (channel: number, slice: number, row: number, column: number) => number;
}

/** Returns the feature maps of a layer for the chosen example, or null if none are carried. */
export async function mapsOf(app: App, index: number, example = app.state.example): Promise<Maps | null> {
  const values = await app.values(index, example);
  const layer = app.layers[index]!;
  if (values) return planes(values, channelsFirst(layer), null, 1, true);
  if (example === DRAWN) return null;
  const stored = app.data.payload.carried[app.data.source(index)]?.maps;
  if (!stored) return null;
  const all = await app.data.array(stored.array);
  const one = slice(all, Math.min(example, stored.examples - 1));
  return one && planes(one, channelsFirst(layer), stored.channels, stored.step, false);
}

/** How many examples a layer's maps are carried for. */
export function carriedExamples(app: App, index: number): number {
  const carried = app.data.payload.carried[app.data.source(index)];
  if (carried?.values !== null && carried?.values !== undefined) return app.data.payload.examples.count;
  return carried?.maps?.examples ?? 0;
}

function planes(dense: Dense, first: boolean, which: number[] | null, step: number, exact: boolean): Maps {
  const shape = dense.shape;
  if (shape.length <= 1) return { channels: [0], rows: 1, columns: shape[0] ?? 1, slices: 1, exact, step, value: (_, __, ___, c) => dense.data[c]! };
  const spatial = first ? shape.slice(1) : shape.slice(0, -1);
  const count = first ? shape[0]! : shape[shape.length - 1]!;
  const columns = spatial[spatial.length - 1]!;
  const rows = spatial.length > 1 ? spatial[spatial.length - 2]! : 1;
  const slices = spatial.slice(0, -2).reduce((a, b) => a * b, 1);
  const channels = which ?? Array.from({ length: count }, (_, i) => i);
  const local = new Map(channels.map((channel, i) => [channel, i]));
  const plane = rows * columns;
  return {
    channels, rows, columns, slices, exact, step,
    value: (channel, s, row, column) => {
      const at = s * plane + row * columns + column;
      const c = local.get(channel)!;
      return dense.data[first ? c * slices * plane + at : at * count + c]!;
    },
  };
}

/** Paints an input as people see it: three channels as colours, one as ink on paper, anything else by its first channel. */
export function picture(pen: CanvasRenderingContext2D, maps: Maps, width: number, height: number): void {
  const middle = Math.floor((maps.slices - 1) / 2);
  const shown = maps.channels.length === 3 ? maps.channels : maps.channels.slice(0, 1);
  let [low, high] = [Infinity, -Infinity];
  for (const channel of shown) for (let r = 0; r < maps.rows; r++) for (let c = 0; c < maps.columns; c++) {
    const value = maps.value(channel, middle, r, c);
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (shown.length !== 3) { paint(pen, maps, shown[0]!, middle, width, height, (v) => inkOf(v, low, high)); return; }
  const level = (channel: number, r: number, c: number): number => Math.round((255 * (maps.value(channel, middle, r, c) - low)) / (high - low || 1));
  const flat: Maps = { ...maps, value: (_, __, r, c) => r * maps.columns + c };
  paint(pen, flat, 0, 0, width, height, (at) => {
    const [r, c] = [Math.floor(at / maps.columns), at % maps.columns];
    return [level(shown[0]!, r, c), level(shown[1]!, r, c), level(shown[2]!, r, c)];
  });
}

/** Paints one plane, a pixel per cell, stretched without blur. */
export function paint(pen: CanvasRenderingContext2D, maps: Maps, channel: number, slice: number, width: number, height: number, colour: (value: number) => [number, number, number]): void {
  const small = document.createElement("canvas");
  small.width = maps.columns;
  small.height = maps.rows;
  const brush = small.getContext("2d")!;
  const image = brush.createImageData(maps.columns, maps.rows);
  for (let row = 0, at = 0; row < maps.rows; row++) for (let column = 0; column < maps.columns; column++, at += 4) {
    const [r, g, b] = colour(maps.value(channel, slice, row, column));
    image.data[at] = r;
    image.data[at + 1] = g;
    image.data[at + 2] = b;
    image.data[at + 3] = 255;
  }
  brush.putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, width, height);
}
