// What the animation shows: a window over some numbers, the layer's own ones or made-up ones.

import { App } from "../core/app";
import { size, stridesOf, type Dense } from "../core/data";
import type { Layer } from "../core/types";
import { activationName, ACTIVATIONS } from "../infer/activations";
import { product, windowTaps } from "../receptive/boxes";
import { taps, work, type Padding, type Taps } from "./rules";

export type SceneKind = "conv" | "depthwise" | "max" | "average" | "transposed";
export interface Settings { rank: number; kind: SceneKind; size: number[]; kernel: number[]; stride: number[]; dilation: number[]; padding: Padding; groups: number; channels: number; filters: number }
export interface Scene {
  settings: Settings; axes: Taps[]; pads: [number, number][]; outSizes: number[];
  /** Channels that the chosen filter reads. */
  reads: number[]; own: boolean; bias: number; activation: string;
  input: (channel: number, place: number[]) => number; weight: (channel: number, at: number[]) => number; output: (place: number[]) => number;
}

/** The settings that a layer has. */
export function settingsOf(app: App, layer: Layer): Settings | null {
  const window = layer.window;
  if (!window || window.rank > 3) return null;
  const shape = layer.parents.length ? app.shape(layer.parents[0]!) : [];
  const channel = window.channels_first ? 0 : shape.length - 1;
  const kind: SceneKind = window.kind === "separable" ? "depthwise" : window.kind;
  return {
    rank: window.rank, kind, size: window.spatial_axes.map((axis, i) => window.input_sizes[i] ?? shape[axis - 1] ?? 8), kernel: window.kernel.slice(), stride: window.strides.slice(),
    dilation: window.dilation.slice(), padding: window.padding, groups: window.groups, channels: shape[channel] ?? 1,
    filters: layer.outputs[0]?.shape[channel + 1] ?? window.filters ?? 1,
  };
}

/** The sizes that the settings give, axis by axis. */
export function outSizes(settings: Settings): { sizes: number[]; pads: [number, number][] } {
  const worked = settings.size.map((_, i) => axisRule(settings, i)).map(work);
  return { sizes: worked.map((w) => w.size), pads: worked.map((w) => [w.before, w.after]) };
}

export const axisRule = (settings: Settings, i: number): Parameters<typeof work>[0] => ({
  size: settings.size[i]!, kernel: settings.kernel[i]!, stride: settings.stride[i]!, dilation: settings.dilation[i]!, padding: settings.padding, transposed: settings.kind === "transposed",
});

function geometry(settings: Settings): Pick<Scene, "axes" | "pads" | "outSizes"> {
  const { sizes, pads } = outSizes(settings);
  const axes = settings.size.map((n, i) => ({ kernel: settings.kernel[i]!, stride: settings.stride[i]!, dilation: settings.dilation[i]!, before: pads[i]![0], size: n, transposed: settings.kind === "transposed" }));
  return { axes, pads, outSizes: sizes };
}

function readsOf(settings: Settings, filter: number): number[] {
  if (settings.kind === "max" || settings.kind === "average") return [Math.min(filter, settings.channels - 1)];
  if (settings.kind === "depthwise") return [Math.floor(filter / Math.max(1, Math.round(settings.filters / settings.channels)))];
  const per = settings.channels / settings.groups;
  const group = Math.floor(filter / (settings.filters / settings.groups));
  return Array.from({ length: Math.max(1, Math.floor(per)) }, (_, i) => group * Math.floor(per) + i);
}

/** A scene with made-up numbers: whole ones, so that sums can be done in the head. */
export function madeUp(settings: Settings, filter: number): Scene {
  const shape = geometry(settings);
  const mix = (seed: number, place: number[]): number => place.reduce((a, p, i) => a + (p + 1) * [5, 3, 7][i]!, seed * 4);
  const scene: Scene = {
    settings, ...shape, reads: readsOf(settings, filter), own: false, bias: 0, activation: "linear",
    input: (channel, place) => mix(channel, place) % 10,
    weight: (channel, at) => (mix(channel + filter, at) % 3) - 1,
    output: (place) => sumOf(scene, place),
  };
  return scene;
}

/** The sum, maximum or average that an output cell holds, from the scene's own numbers. */
export function sumOf(scene: Scene, place: number[]): number {
  const options = scene.axes.map((axis, i) => taps(axis, place[i]!));
  const kind = scene.settings.kind;
  let [sum, top, count] = [scene.bias, -Infinity, 0];
  product(options.map((list) => list.map((_, k) => k)), (choice) => {
    const at = choice.map((k, i) => options[i]![k]!);
    const inside = at.every((tap, i) => tap.input >= 0 && tap.input < scene.settings.size[i]!);
    for (const channel of scene.reads) {
      const x = inside ? scene.input(channel, at.map((tap) => tap.input)) : 0;
      if (kind === "max" || kind === "average") {
        if (!inside) continue;
        [top, count, sum] = [Math.max(top, x), count + 1, sum + x];
      } else sum += x * scene.weight(channel, at.map((tap) => tap.kernel));
    }
  });
  return kind === "max" ? top : kind === "average" ? sum / Math.max(count, 1) : sum;
}

/** The layer's own scene, or null where its numbers are not carried. */
export async function ownScene(app: App, layer: Layer, filter: number): Promise<Scene | null> {
  const settings = settingsOf(app, layer);
  if (!settings || layer.window!.kind === "separable" || layer.parents.length !== 1) return null;
  const [input, output, weights] = await Promise.all([app.values(layer.parents[0]!), app.values(layer.index), app.data.weights(layer.index)]);
  if (!input || !weights) return null;
  const window = layer.window!;
  const pooling = window.kind === "max" || window.kind === "average";
  const kernel = weights["kernel"] ?? weights["depthwise_kernel"];
  if (!pooling && !kernel) return null;
  const first = window.channels_first;
  const reads = readsOf(settings, filter);
  const rank = settings.rank;
  const k = kernel as Dense;
  const multiplier = window.kind === "depthwise" ? k.shape[rank + 1]! : 1;
  const at = (dense: Dense, channel: number, place: number[]): number => {
    const steps = stridesOf(dense.shape);
    const full = first ? [channel, ...place] : [...place, channel];
    return dense.data[full.reduce((sum, p, i) => sum + p * steps[i]!, 0)]!;
  };
  const kernelSteps = kernel ? stridesOf(kernel.shape) : [];
  const activation = activationName(layer.config);
  const scene: Scene = {
    settings, axes: windowTaps(layer, settings.size), pads: window.pads.slice(), outSizes: window.output_sizes.map((n, i) => n ?? app.shape(layer.index)[first ? i + 1 : i]!), reads, own: true,
    bias: weights["bias"]?.data[filter] ?? 0, activation: activation in ACTIVATIONS ? activation : activation === "softmax" ? "softmax" : "linear",
    input: (channel, place) => at(input, channel, place),
    weight: (channel, place) => {
      if (!kernel) return 1;
      const tail = window.kind === "transposed" ? [filter, channel] : window.kind === "depthwise" ? [channel, filter % multiplier] : [channel - reads[0]!, filter];
      return kernel.data[[...place, ...tail].reduce((sum, p, i) => sum + p * kernelSteps[i]!, 0)]!;
    },
    output: (place) => (output ? at(output, filter, place) : (ACTIVATIONS[scene.activation] ?? ((x: number) => x))(sumOf(scene, place))),
  };
  return scene;
}

export const steps = (scene: Scene): number => size(scene.settings.kind === "transposed" ? scene.settings.size : scene.outSizes);

/** The place of a step, last axis fastest. */
export function placeOf(step: number, sizes: number[]): number[] {
  const place = new Array<number>(sizes.length);
  for (let i = sizes.length - 1; i >= 0; i--) {
    place[i] = step % sizes[i]!;
    step = Math.floor(step / sizes[i]!);
  }
  return place;
}
