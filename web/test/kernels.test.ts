import { expect, test } from "vitest";
import { decode, fromBase64, stridesOf, unshuffle, type Dense } from "../src/core/data";
import { short, tight } from "../src/core/app";
import { inkOn, type RGB } from "../src/core/colour";
import { ACTIVATIONS, softmax } from "../src/infer/activations";
import * as k from "../src/infer/kernels";
import { pieces } from "../src/layer/code";
import { field, taking, type Box } from "../src/receptive/boxes";
import type { Layer, Window } from "../src/core/types";

const counted = (shape: number[]): Dense => k.dense(shape, Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7) % 11) - 5));

test("a convolution by its definition", () => {
  const [x, w] = [counted([5, 4, 2]), counted([3, 2, 2, 3])];
  const axes = [{ kernel: 3, stride: 1, dilation: 1, before: 0, size: 5, transposed: false }, { kernel: 2, stride: 2, dilation: 1, before: 0, size: 4, transposed: false }];
  const out = k.convolve(x, w, null, { axes, outputs: [3, 2], groups: 1, depthwise: false, transposed: false });
  const [sx, sw] = [stridesOf(x.shape), stridesOf(w.shape)];
  for (let r = 0; r < 3; r++) for (let c = 0; c < 2; c++) for (let f = 0; f < 3; f++) {
    let sum = 0;
    for (let i = 0; i < 3; i++) for (let j = 0; j < 2; j++) for (let ch = 0; ch < 2; ch++) sum += x.data[(r + i) * sx[0]! + (2 * c + j) * sx[1]! + ch]! * w.data[i * sw[0]! + j * sw[1]! + ch * sw[2]! + f]!;
    expect(out.data[(r * 2 + c) * 3 + f]).toBe(sum);
  }
});

test("a transposed convolution is the transpose: <conv x, y> = <x, transposed y>", () => {
  const [x, w, y] = [counted([7, 3]), counted([3, 3, 2]), counted([3, 2])];
  const forward = k.convolve(x, w, null, { axes: [{ kernel: 3, stride: 2, dilation: 1, before: 0, size: 7, transposed: false }], outputs: [3], groups: 1, depthwise: false, transposed: false });
  const back = k.convolve(y, w, null, { axes: [{ kernel: 3, stride: 2, dilation: 1, before: 0, size: 3, transposed: true }], outputs: [7], groups: 1, depthwise: false, transposed: true });
  const dot = (a: Dense, b: Dense): number => a.data.reduce((sum, v, i) => sum + v * b.data[i]!, 0);
  expect(dot(forward, y)).toBe(dot(x, back));
});

test("activations at points that are known", () => {
  expect(ACTIVATIONS["gelu"]!(1)).toBeCloseTo(0.8413447460685429, 12); // Phi(1)
  expect(ACTIVATIONS["gelu"]!(-3)).toBeCloseTo(-3 * 0.0013498980316300933, 12);
  expect(ACTIVATIONS["sigmoid"]!(-800)).toBe(0);
  expect(ACTIVATIONS["softplus"]!(0)).toBeCloseTo(Math.LN2, 14);
  expect([...softmax([1000, 1000, -1000])]).toEqual([0.5, 0.5, 0]);
});

test("bytes come back as the numbers they stand for", () => {
  const numbers = Float32Array.from([0, 1.5, -2.25, 3e-8]);
  const bytes = new Uint8Array(numbers.buffer);
  const planes = new Uint8Array(16);
  for (let i = 0; i < 4; i++) for (let p = 0; p < 4; p++) planes[p * 4 + i] = bytes[i * 4 + p]!;
  expect([...unshuffle(planes)]).toEqual([...numbers]);
  expect([...decode(Uint8Array.from([0, 128, 255]), { blob: "", shape: [3], kind: "u8", scale: 0.5, zero: -64 }).data]).toEqual([-64, 0, 63.5]);
  expect([...fromBase64(" AQID\n")]).toEqual([1, 2, 3]);
});

test("numbers in few characters", () => {
  expect([short(0.123456), short(-1234.6), short(0), short(1e-7), short(123456789), short(NaN), tight(0.456), tight(-0.05)]).toEqual(["0.123", "−1235", "0", "1.0e−7", "1.2e8", "NaN", ".46", "−.05"]);
});

test("text on any colour has a contrast of at least 4.5", () => {
  const light = (c: RGB): number => c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i]!, 0);
  for (let r = 0; r < 256; r += 15) for (let g = 0; g < 256; g += 15) for (let b = 0; b < 256; b += 15) {
    const [a, c] = [light([r, g, b]), inkOn([r, g, b]) === "#ffffff" ? 1 : 0];
    expect((Math.max(a, c) + 0.05) / (Math.min(a, c) + 0.05)).toBeGreaterThanOrEqual(4.5);
  }
});

test("a line of code is cut at its arguments", () => {
  expect(pieces("layers.Conv2D(32, (3, 3), padding='a, b', activation='relu')", "Conv2D").filter((p) => p.argument).map((p) => `${p.argument}: ${p.text}`))
    .toEqual(["filters: 32", "kernel_size: (3, 3)", "padding: padding='a, b'", "activation: activation='relu'"]);
});

// ---- receptive fields

const window = (patch: Partial<Window>): Window => ({
  kind: "conv", rank: 1, channels_first: false, kernel: [3], strides: [1], dilation: [1], padding: "valid", pads: [[0, 0]], output_padding: null, groups: 1, filters: 1,
  spatial_axes: [1], input_sizes: [20], output_sizes: [18], arguments: {}, ...patch,
});
const layer = (index: number, size: number, patch: Partial<Layer>): Layer => ({
  index, name: `l${index}`, class: "Conv1D", depth: 0, parent: null, parents: index ? [index - 1] : [], inputs: [], outputs: [{ shape: [null, size, 1], axes: [], dtype: "float32" }], sentences: [],
  parameters: { count: 0, trainable: 0, shared_with: null, formula: "", sentence: "", weights: [] }, bytes: 0, multiply_adds: { forward: null, training: null }, activation_bytes: null, receptive_field: [], window: null, config: {}, code: "", ops: [], ...patch,
});

test("boxes and routes of two convolutions", () => {
  const layers = [layer(0, 20, { class: "InputLayer" }), layer(1, 18, { window: window({}) }), layer(2, 16, { window: window({ input_sizes: [18], output_sizes: [16] }) })];
  const found = field(layers, 2, [5, 0], layers.map((l) => [l.outputs[0]!.shape[1]!, 1]));
  expect(found.boxes.get(0)).toEqual([[5, 9], [0, 0]]);
  expect([...found.routes.get(0)!].slice(5, 10)).toEqual([1, 2, 3, 2, 1]); // the centre is used most
});

test("holes of a dilated kernel are not used", () => {
  const layers = [layer(0, 20, { class: "InputLayer" }), layer(1, 12, { window: window({ dilation: [4], output_sizes: [12] }) })];
  const found = field(layers, 1, [3, 0], [[20, 1], [12, 1]]);
  expect(found.boxes.get(0)).toEqual([[3, 11], [0, 0]]);
  expect([...found.routes.get(0)!].map((v, i) => (v ? i : -1)).filter((i) => i >= 0)).toEqual([3, 7, 11]);
});

test("a concatenation passes a channel to the layer it came from", () => {
  const join = layer(2, 4, { class: "Concatenate", config: { axis: -1 } });
  expect(taking(join, [[1, 1], [5, 5]] as Box, [[4, 3], [4, 4]])).toEqual([[[1, 1], [5, 2]], [[1, 1], [2, 2]]]);
});
