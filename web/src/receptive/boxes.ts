// Receptive fields: from cells of one layer back to the layers before it, as boxes (first and last index of each
// axis) and as route counts (in how many ways each cell reaches the chosen one, which shows what is really used).

import { interval, taps, type Taps } from "../kernel/rules";
import type { Layer } from "../core/types";

/** First and last index along each axis of a layer's output, batch axis left out. */
export type Box = [number, number][];
const whole = (shape: number[]): Box => shape.map((size) => [0, size - 1]);

/** The output shape of a layer without the batch axis; unknown sizes are taken from `sizes`. */
export function shapeOf(layer: Layer, sizes?: number[]): number[] {
  const shape = layer.outputs[0]?.shape.slice(1) ?? [];
  return shape.map((size, i) => size ?? sizes?.[i] ?? 1);
}

const EACH = new Set([
  "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "GELU", "BatchNormalization", "Dropout", "SpatialDropout1D", "SpatialDropout2D",
  "SpatialDropout3D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization", "Rescaling", "Add", "Subtract", "Multiply", "Average",
  "Maximum", "Minimum", "Identity", "Masking", "InputLayer", "add", "subtract", "multiply", "Functional", "Sequential", "Model", "relu", "sigmoid", "tanh", "gelu", "silu", "swish", "clip", "divide",
]);
const ALONG_LAST = new Set(["Softmax", "LayerNormalization", "UnitNormalization", "RMSNormalization", "Dense", "softmax"]);

/** How a layer's output cells follow from its inputs, where the page knows it exactly. */
export function taking(layer: Layer, box: Box, inputs: number[][]): Box[] {
  return inputs.map((shape, place) => clip(one(layer, box, shape, place, inputs), shape));
}

function one(layer: Layer, box: Box, shape: number[], place: number, inputs: number[][]): Box {
  const name = layer.class;
  if (layer.window) return throughWindow(layer, box, shape);
  if (EACH.has(name)) return broadcast(box, shape);
  if (ALONG_LAST.has(name) && box.length === shape.length) {
    const axis = layer.config["axis"];
    if (axis === undefined || axis === -1 || axis === null) return [...box.slice(0, -1), [0, shape[shape.length - 1]! - 1]];
    return whole(shape);
  }
  if ((name === "Concatenate" || name === "concatenate") && box.length === shape.length) return concatenated(layer, box, shape, place, inputs);
  if (name === "Flatten" || name === "Reshape" || name === "reshape") return reshaped(box, shape, shapeOf(layer));
  const config = layer.config;
  if (name.startsWith("ZeroPadding")) return shifted(layer, box, shape, (config["padding"] as number[] | number[][] | number), -1);
  if (name.startsWith("Cropping")) return shifted(layer, box, shape, (config["cropping"] as number[] | number[][] | number), 1);
  if (name.startsWith("UpSampling") && (config["interpolation"] ?? "nearest") === "nearest") return upsampled(layer, box, shape, config["size"] as number | number[]);
  if (name === "Permute") {
    const dims = config["dims"] as number[];
    const found = whole(shape);
    dims.forEach((from, to) => (found[from - 1] = box[to]!));
    return found;
  }
  if (name.startsWith("Global") && box.length > 0) {
    const first = channelsFirst(layer);
    const channel = box[first ? 0 : box.length - 1]!;
    return shape.map((size, i) => (i === (first ? 0 : shape.length - 1) ? channel : [0, size - 1]));
  }
  return whole(shape);
}

export const channelsFirst = (layer: Layer): boolean => layer.window?.channels_first ?? layer.config["data_format"] === "channels_first";

function clip(box: Box, shape: number[]): Box {
  return box.map(([low, high], i) => [Math.max(low, 0), Math.min(high, shape[i]! - 1)]);
}

function broadcast(box: Box, shape: number[]): Box {
  const skip = box.length - shape.length;
  return shape.map((size, i) => (size === 1 ? [0, 0] : (box[i + skip] ?? [0, size - 1])));
}

/** The taps of each spatial axis of a layer with a window. */
export function windowTaps(layer: Layer, sizes: number[]): Taps[] {
  const window = layer.window!;
  return window.kernel.map((kernel, i) => ({
    kernel, stride: window.strides[i]!, dilation: window.dilation[i]!, before: window.pads[i]![0],
    size: window.input_sizes[i] ?? sizes[i]!, transposed: window.kind === "transposed",
  }));
}

function throughWindow(layer: Layer, box: Box, shape: number[]): Box {
  const window = layer.window!;
  const found = whole(shape);
  const axes = window.spatial_axes.map((axis) => axis - 1);
  windowTaps(layer, axes.map((axis) => shape[axis]!)).forEach((tap, i) => {
    const [low, high] = box[axes[i]!]!;
    found[axes[i]!] = interval(tap, low, high);
  });
  const channel = window.channels_first ? 0 : shape.length - 1;
  const [low, high] = box[channel] ?? [0, 0];
  if (window.kind === "max" || window.kind === "average") found[channel] = [low, high];
  else if (window.kind === "depthwise") {
    const multiplier = Math.max(1, Math.round((layer.outputs[0]?.shape[channel + 1] ?? 1) / shape[channel]!));
    found[channel] = [Math.floor(low / multiplier), Math.floor(high / multiplier)];
  } else if (window.groups > 1 && window.kind === "conv") {
    const per = (window.filters ?? 1) / window.groups;
    const inputs = shape[channel]! / window.groups;
    found[channel] = [Math.floor(low / per) * inputs, (Math.floor(high / per) + 1) * inputs - 1];
  }
  return found;
}

function concatenated(layer: Layer, box: Box, shape: number[], place: number, inputs: number[][]): Box {
  let axis = Number(layer.config["axis"] ?? -1);
  axis = axis < 0 ? axis + shape.length : axis - 1;
  let offset = 0;
  for (let i = 0; i < place; i++) offset += inputs[i]![axis]!;
  return box.map(([low, high], i) => (i === axis ? [low - offset, high - offset] : [low, high]));
}

/** One cell stays one cell when numbers are only put into another shape; more than one takes the whole. */
function reshaped(box: Box, from: number[], to: number[]): Box {
  if (box.some(([low, high]) => low !== high)) return whole(from);
  let at = 0;
  to.forEach((size, i) => (at = at * size + (box[i]?.[0] ?? 0)));
  const found: Box = new Array<[number, number]>(from.length);
  for (let i = from.length - 1; i >= 0; i--) {
    found[i] = [at % from[i]!, at % from[i]!];
    at = Math.floor(at / from[i]!);
  }
  return found;
}

function spatial(layer: Layer, rank: number): number[] {
  const count = rank - 1;
  return Array.from({ length: count }, (_, i) => (channelsFirst(layer) ? i + 1 : i));
}

function shifted(layer: Layer, box: Box, shape: number[], amounts: number[] | number[][] | number, sign: number): Box {
  const found: Box = box.map(([low, high]) => [low, high]);
  const axes = spatial(layer, shape.length);
  const flat = axes.length === 1 && Array.isArray(amounts) && !Array.isArray(amounts[0]);
  axes.forEach((axis, i) => {
    const amount = typeof amounts === "number" ? amounts : flat ? (amounts[0] as number) : amounts[i]!;
    const first = Array.isArray(amount) ? amount[0]! : amount;
    found[axis] = [box[axis]![0] + sign * first, box[axis]![1] + sign * first];
  });
  return found;
}

function upsampled(layer: Layer, box: Box, shape: number[], size: number | number[]): Box {
  const found: Box = box.map(([low, high]) => [low, high]);
  spatial(layer, shape.length).forEach((axis, i) => {
    const factor = typeof size === "number" ? size : size[i]!;
    found[axis] = [Math.floor(box[axis]![0] / factor), Math.floor(box[axis]![1] / factor)];
  });
  return found;
}

const union = (a: Box | undefined, b: Box): Box => (a ? a.map(([low, high], i) => [Math.min(low, b[i]![0]), Math.max(high, b[i]![1])]) : b);

/** Boxes in every layer that a cell of `index` depends on, by layer. */
export function boxes(layers: Layer[], index: number, cell: number[], shapes: number[][]): Map<number, Box> {
  const found = new Map<number, Box>([[index, cell.map((at) => [at, at])]]);
  for (const i of order(layers, index)) {
    const box = found.get(i);
    const parents = layers[i]!.parents;
    if (!box || parents.length === 0) continue;
    taking(layers[i]!, box, parents.map((p) => shapes[p]!)).forEach((part, k) => {
      if (part.some(([low, high]) => low > high)) return; // another part of a concatenation
      found.set(parents[k]!, union(found.get(parents[k]!), part));
    });
  }
  return found;
}

/** The layers that `index` depends on, itself first, each after all that take its output. */
export function order(layers: Layer[], index: number): number[] {
  const done = new Set<number>();
  const found: number[] = [];
  const stack: [number, number][] = [[index, 0]];
  while (stack.length) {
    const top = stack[stack.length - 1]!;
    const parents = layers[top[0]]!.parents;
    if (done.has(top[0])) stack.pop();
    else if (top[1] < parents.length) {
      const next = parents[top[1]++]!;
      if (!done.has(next)) stack.push([next, 0]);
    } else {
      done.add(top[0]);
      found.push(top[0]);
      stack.pop();
    }
  }
  return found.reverse();
}

/** Route counts on the spatial axes of every layer behind a cell: how often each place is used. */
export function routes(layers: Layer[], index: number, cell: number[], shapes: number[][]): Map<number, Float64Array> {
  const plane = (i: number): number[] => spatialOf(layers[i]!, shapes[i]!);
  const found = new Map<number, Float64Array>();
  const start = new Float64Array(total(plane(index)));
  start[flat(spatialCell(layers[index]!, cell), plane(index))] = 1;
  found.set(index, start);
  for (const i of order(layers, index)) {
    const mine = found.get(i);
    const layer = layers[i]!;
    if (!mine) continue;
    for (const p of layer.parents) {
      const target = found.get(p) ?? new Float64Array(total(plane(p)));
      found.set(p, target);
      spread(layer, mine, plane(i), target, plane(p), shapes[p]!);
    }
  }
  return found;
}

/** Boxes and route counts of a cell; each box no larger than the places that a route leads from. */
export function field(layers: Layer[], index: number, cell: number[], shapes: number[][]): { boxes: Map<number, Box>; routes: Map<number, Float64Array> } {
  const found = boxes(layers, index, cell, shapes);
  const used = routes(layers, index, cell, shapes);
  for (const [i, box] of found) {
    const mine = used.get(i);
    if (!mine || box.length < 2) continue;
    const plane = spatialOf(layers[i]!, shapes[i]!);
    const low = plane.map(() => Infinity);
    const high = plane.map(() => -Infinity);
    walk(plane, (place, at) => {
      if (mine[at]) place.forEach((p, k) => {
        low[k] = Math.min(low[k]!, p);
        high[k] = Math.max(high[k]!, p);
      });
    });
    const offset = channelsFirst(layers[i]!) ? 1 : 0;
    if (low[0] === Infinity) found.delete(i);
    else found.set(i, box.map(([a, b], axis) => (axis - offset in low ? [Math.max(a, low[axis - offset]!), Math.min(b, high[axis - offset]!)] : [a, b])));
  }
  return { boxes: found, routes: used };
}

const total = (shape: number[]): number => shape.reduce((a, b) => a * b, 1);
const flat = (cell: number[], shape: number[]): number => cell.reduce((at, c, i) => at * shape[i]! + c, 0);

export function spatialOf(layer: Layer, shape: number[]): number[] {
  if (shape.length < 2) return [1];
  return channelsFirst(layer) ? shape.slice(1) : shape.slice(0, -1);
}

function spatialCell(layer: Layer, cell: number[]): number[] {
  if (cell.length < 2) return [0];
  return channelsFirst(layer) ? cell.slice(1) : cell.slice(0, -1);
}

function spread(layer: Layer, from: Float64Array, fromShape: number[], to: Float64Array, toShape: number[], full: number[]): void {
  if (layer.window && fromShape.length === toShape.length) {
    const axes = windowTaps(layer, toShape);
    walk(fromShape, (cell, at) => {
      if (!from[at]) return;
      const options = axes.map((axis, i) => taps(axis, cell[i]!).map((tap) => tap.input).filter((x) => x >= 0 && x < toShape[i]!));
      product(options, (place) => (to[flat(place, toShape)]! += from[at]!));
    });
    return;
  }
  const same = fromShape.length === toShape.length;
  walk(fromShape, (cell, at) => {
    if (!from[at]) return;
    if (!same) {
      for (let k = 0; k < to.length; k++) to[k]! += from[at];
      return;
    }
    const output = shapeWithout(layer, cell);
    const box = taking({ ...layer }, output, [full])[0]!;
    const sides = spatialBox(layer, box);
    const options = sides.map(([low, high]) => Array.from({ length: Math.max(0, high - low + 1) }, (_, k) => low + k));
    product(options, (place) => (to[flat(place, toShape)]! += from[at]!));
  });
}

const shapeWithout = (layer: Layer, cell: number[]): Box => {
  const box: Box = cell.map((at) => [at, at]);
  return channelsFirst(layer) ? [[0, 0], ...box] : [...box, [0, 0]];
};
const spatialBox = (layer: Layer, box: Box): Box => (channelsFirst(layer) ? box.slice(1) : box.slice(0, -1));

export function walk(shape: number[], visit: (cell: number[], at: number) => void): void {
  const cell = new Array<number>(shape.length).fill(0);
  const count = total(shape);
  for (let at = 0; at < count; at++) {
    visit(cell, at);
    for (let i = shape.length - 1; i >= 0; i--) {
      if (++cell[i]! < shape[i]!) break;
      cell[i] = 0;
    }
  }
}

export function product(options: number[][], visit: (place: number[]) => void): void {
  const place = new Array<number>(options.length).fill(0);
  const go = (i: number): void => {
    if (i === options.length) { visit(place); return; }
    for (const option of options[i]!) {
      place[i] = option;
      go(i + 1);
    }
  };
  go(0);
}
