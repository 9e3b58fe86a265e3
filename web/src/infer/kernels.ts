// The layers' mathematics in plain TypeScript, for one sample at a time, channels last. Sums run in double precision.

import { stridesOf, size, type Dense } from "../core/data";
import { product, walk } from "../receptive/boxes";
import { taps, type Taps } from "../kernel/rules";
import { ACTIVATIONS, softmax } from "./activations";

export const dense = (shape: number[], data?: ArrayLike<number>): Dense => ({ shape, data: data ? Float32Array.from(data) : new Float32Array(size(shape)) });

/** The `(input offset, kernel offset)` pairs of every output place, per spatial axis. */
function places(axes: Taps[], outputs: number[]): { input: number; kernel: number }[][][] {
  return axes.map((axis, i) =>
    Array.from({ length: outputs[i]! }, (_, out) => taps(axis, out).filter((tap) => tap.input >= 0 && tap.input < axis.size)));
}

function eachWindow(axes: Taps[], outputs: number[], inner: (at: number, pairs: [number, number][]) => void): void {
  const table = places(axes, outputs);
  const inputSteps = stridesOf(axes.map((a) => a.size));
  const kernelSteps = stridesOf(axes.map((a) => a.kernel));
  walk(outputs, (cell, at) => {
    let pairs: [number, number][] = [[0, 0]];
    cell.forEach((out, i) => {
      const next: [number, number][] = [];
      for (const [x, w] of pairs) for (const tap of table[i]![out]!) next.push([x + tap.input * inputSteps[i]!, w + tap.kernel * kernelSteps[i]!]);
      pairs = next;
    });
    inner(at, pairs);
  });
}

export interface Convolution { axes: Taps[]; outputs: number[]; groups: number; depthwise: boolean; transposed: boolean }

/** Convolution: plain, grouped, depthwise or transposed, over any number of axes. */
export function convolve(input: Dense, kernel: Dense, bias: Dense | null, how: Convolution): Dense {
  const channels = input.shape[input.shape.length - 1]!;
  const rank = how.axes.length;
  const [a, b] = [kernel.shape[rank]!, kernel.shape[rank + 1]!];
  const filters = how.depthwise ? a * b : how.transposed ? a : b;
  const out = dense([...how.outputs, filters]);
  const perGroup = channels / how.groups;
  const filtersPerGroup = filters / how.groups;
  const sums = new Float64Array(filters);
  const [x, w] = [input.data, kernel.data];
  eachWindow(how.axes, how.outputs, (at, pairs) => {
    for (let f = 0; f < filters; f++) sums[f] = bias ? bias.data[f]! : 0;
    for (const [xp, wp] of pairs) {
      const xo = xp * channels;
      const wo = wp * a * b;
      if (how.depthwise) for (let f = 0; f < filters; f++) sums[f]! += x[xo + Math.floor(f / b)]! * w[wo + f]!;
      else if (how.transposed) for (let f = 0; f < a; f++) for (let c = 0; c < b; c++) sums[f]! += x[xo + c]! * w[wo + f * b + c]!;
      else if (how.groups === 1) for (let c = 0; c < channels; c++) {
        const value = x[xo + c]!;
        if (value !== 0) for (let f = 0, k = wo + c * b; f < b; f++, k++) sums[f]! += value * w[k]!;
      }
      else for (let f = 0; f < filters; f++) {
        const first = Math.floor(f / filtersPerGroup) * perGroup;
        for (let c = 0; c < perGroup; c++) sums[f]! += x[xo + first + c]! * w[wo + c * b + f]!;
      }
    }
    out.data.set(sums, at * filters);
  });
  return out;
}

/** Maximum or average over windows; averages count real cells only. */
export function pool(input: Dense, axes: Taps[], outputs: number[], kind: "max" | "average"): Dense {
  const channels = input.shape[input.shape.length - 1]!;
  const out = dense([...outputs, channels]);
  eachWindow(axes, outputs, (at, pairs) => {
    for (let c = 0; c < channels; c++) {
      let value = kind === "max" ? -Infinity : 0;
      for (const [x] of pairs) value = kind === "max" ? Math.max(value, input.data[x * channels + c]!) : value + input.data[x * channels + c]!;
      out.data[at * channels + c] = kind === "max" ? value : value / pairs.length;
    }
  });
  return out;
}

/** Product of the last axis with a matrix, plus a bias. */
export function matmul(input: Dense, kernel: Dense, bias: Dense | null): Dense {
  const [n, m] = kernel.shape as [number, number];
  const rows = size(input.shape) / n;
  const out = dense([...input.shape.slice(0, -1), m]);
  const sums = new Float64Array(m);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < m; j++) sums[j] = bias ? bias.data[j]! : 0;
    for (let i = 0; i < n; i++) {
      const value = input.data[r * n + i]!;
      if (value !== 0) for (let j = 0; j < m; j++) sums[j]! += value * kernel.data[i * m + j]!;
    }
    out.data.set(sums, r * m);
  }
  return out;
}

export function activate(input: Dense, name: string): Dense {
  if (name === "linear") return input;
  if (name === "softmax") return alongLast(input, softmax);
  const fn = ACTIVATIONS[name]!;
  return { shape: input.shape, data: input.data.map(fn) };
}

/** Applies a function to each row of the last axis. */
export function alongLast(input: Dense, fn: (row: Float32Array) => ArrayLike<number>): Dense {
  const n = input.shape[input.shape.length - 1]!;
  const out = dense(input.shape);
  for (let at = 0; at < input.data.length; at += n) out.data.set(fn(input.data.subarray(at, at + n)), at);
  return out;
}

/** Moves axes: axis `i` of the result is axis `order[i]` of the input. */
export function transpose(input: Dense, order: number[]): Dense {
  const steps = stridesOf(input.shape);
  const shape = order.map((axis) => input.shape[axis]!);
  const out = dense(shape);
  walk(shape, (cell, at) => {
    let from = 0;
    for (let i = 0; i < cell.length; i++) from += cell[i]! * steps[order[i]!]!;
    out.data[at] = input.data[from]!;
  });
  return out;
}

/** Copies cells: each output cell takes the input cell that `from` names, or 0 for null. */
export function copy(input: Dense, shape: number[], from: (cell: number[]) => number[] | null): Dense {
  const out = dense(shape);
  const steps = stridesOf(input.shape);
  walk(shape, (cell, at) => {
    const place = from(cell);
    if (place) out.data[at] = input.data[place.reduce((sum, p, i) => sum + p * steps[i]!, 0)]!;
  });
  return out;
}

export function concatenate(inputs: Dense[], axis: number): Dense {
  const first = inputs[0]!;
  const at = axis < 0 ? axis + first.shape.length : axis;
  const outer = size(first.shape.slice(0, at));
  const shape = first.shape.slice();
  shape[at] = inputs.reduce((sum, x) => sum + x.shape[at]!, 0);
  const out = dense(shape);
  let offset = 0;
  for (let o = 0; o < outer; o++) for (const x of inputs) {
    const run = x.data.length / outer;
    out.data.set(x.data.subarray(o * run, (o + 1) * run), offset);
    offset += run;
  }
  return out;
}

/** Joins arrays of one shape (or with axes of size 1) number by number. */
export function combine(inputs: Dense[], fn: (a: number, b: number) => number): Dense {
  return inputs.slice(1).reduce((a, b) => {
    if (a.data.length === b.data.length) return { shape: a.shape, data: a.data.map((value, i) => fn(value, b.data[i]!)) };
    const rank = Math.max(a.shape.length, b.shape.length);
    const [sa, sb] = [a, b].map((x) => [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape]) as [number[], number[]];
    const shape = sa.map((n, i) => Math.max(n, sb[i]!));
    const wide = (x: Dense, own: number[]): Dense => copy({ data: x.data, shape: own }, shape, (cell) => cell.map((c, i) => (own[i] === 1 ? 0 : c)));
    const [wa, wb] = [wide(a, sa), wide(b, sb)];
    return { shape, data: wa.data.map((value, i) => fn(value, wb.data[i]!)) };
  }, inputs[0]!);
}

/** `factor[i] * x + shift[i]` along one axis. */
export function scaleAlong(input: Dense, axis: number, factor: ArrayLike<number>, shift: ArrayLike<number>): Dense {
  const step = stridesOf(input.shape)[axis]!;
  const n = input.shape[axis]!;
  const out = dense(input.shape);
  for (let i = 0; i < out.data.length; i++) {
    const c = Math.floor(i / step) % n;
    out.data[i] = input.data[i]! * factor[c]! + shift[c]!;
  }
  return out;
}

export function globalPool(input: Dense, kind: "max" | "average", keep: boolean): Dense {
  const channels = input.shape[input.shape.length - 1]!;
  const places = input.data.length / channels;
  const out = dense(keep ? [...input.shape.slice(0, -1).map(() => 1), channels] : [channels]);
  for (let c = 0; c < channels; c++) {
    let value = kind === "max" ? -Infinity : 0;
    for (let p = 0; p < places; p++) value = kind === "max" ? Math.max(value, input.data[p * channels + c]!) : value + input.data[p * channels + c]!;
    out.data[c] = kind === "max" ? value : value / places;
  }
  return out;
}

export { product };
