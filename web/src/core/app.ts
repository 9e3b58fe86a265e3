// What every part of the page shares: the model, what is chosen, the language, and the numbers of one example.

import { Data, size, type Dense } from "./data";
import type { Document, Layer, Texts } from "./types";
import { CATALOGUES, type Language } from "../i18n";
import { shapeOf } from "../receptive/boxes";

export type Tab = "layer" | "kernel" | "maps" | "cell" | "field" | "draw";
export interface State { layer: number; tab: Tab; example: number; channel: number; cell: number[] | null; language: Language; theme: "auto" | "light" | "dark" }
type Key = keyof State;

/** Example number of what the reader drew. */
export const DRAWN = -1;

export class App {
  readonly data: Data;
  readonly document: Document;
  readonly layers: Layer[];
  /** Output of every layer for what was drawn, once something was. */
  drawn: Dense[] | null = null;
  readonly state: State;
  private readonly ending = new AbortController();
  private readonly listeners: { keys: Key[]; fn: () => void }[] = [];

  constructor(data: Data, state: State) {
    this.data = data;
    this.document = data.payload.document;
    this.layers = join(this.document.layers, data.payload.carried.map((c) => c.entry));
    this.state = state;
  }

  /** Changes what is chosen and tells who listens to it. */
  set(patch: Partial<State>): void {
    const changed = (Object.keys(patch) as Key[]).filter((key) => patch[key] !== this.state[key]);
    if (!changed.length) return;
    Object.assign(this.state, patch);
    for (const { keys, fn } of [...this.listeners]) if (keys.some((key) => changed.includes(key))) fn();
  }

  on(keys: Key[], fn: () => void): void {
    this.listeners.push({ keys, fn });
  }

  /** Ends the listeners on the window when the page is built anew, in another language. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  end(): void {
    this.ending.abort();
  }

  get layer(): Layer {
    return this.layers[this.state.layer]!;
  }

  get texts(): Texts | undefined {
    return this.data.payload.texts[this.state.language] ?? this.data.payload.texts["en"];
  }

  /** Says something in the reader's language, with values put in for `{name}`. */
  t(key: string, values: Record<string, number | string> = {}): string {
    const template = CATALOGUES[this.state.language][key] ?? CATALOGUES.en[key] ?? key;
    return template.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name];
      return typeof value === "number" ? this.number(value) : (value ?? `{${name}}`);
    });
  }

  /** The word for an axis. */
  axis(name: string): string {
    return this.texts?.axes[name] ?? CATALOGUES[this.state.language][`axis.${name}`] ?? name;
  }

  number(value: number): string {
    return Number.isInteger(value) ? value.toLocaleString("en-US").replace(/^-/, "−") : short(value);
  }

  bytes(value: number | null): string {
    if (value === null) return "–";
    const units = ["B", "KB", "MB", "GB", "TB"];
    let at = 0;
    while (value >= 1024 && at < units.length - 1) {
      value /= 1024; // as in the texts and in Keras' summary
      at++;
    }
    return `${at === 0 ? value : value.toFixed(2)} ${units[at]!}`;
  }

  shapeText(shape: (number | null)[]): string {
    return shape.length ? shape.map((n) => (n === null ? "?" : String(n))).join(" × ") : this.t("scalar");
  }

  /** Whether there are numbers to show: examples, or something drawn. */
  get hasNumbers(): boolean {
    return this.data.payload.examples.count > 0 || this.drawn !== null;
  }

  /** One example's float32 output of a layer, or null if it is not carried. */
  async values(index: number, example = this.state.example): Promise<Dense | null> {
    if (example === DRAWN) return this.drawn?.[index] ?? null;
    const all = await this.data.values(index);
    return all ? slice(all, example) : null;
  }

  /** The shape of a layer's output for one example; sizes that the model leaves open come from the examples. */
  shape(index: number): number[] {
    const carried = this.data.payload.carried[this.data.source(index)];
    const id = carried?.values ?? null;
    const known = id !== null ? this.data.payload.arrays[id]!.shape.slice(1) : undefined;
    return shapeOf(this.layers[index]!, this.drawn?.[index]?.shape ?? known);
  }

  shapes(): number[][] {
    return this.layers.map((_, i) => this.shape(i));
  }
}

export function slice(all: Dense, example: number): Dense | null {
  const shape = all.shape.slice(1);
  const count = size(shape);
  if (example >= all.shape[0]!) return null;
  return { shape, data: all.data.subarray(example * count, (example + 1) * count) };
}

/** A number in few characters. */
export function short(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return String(value).replace("-", "−");
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-4 ? value.toExponential(Math.max(1, digits - 3)) : size >= 1000 ? value.toFixed(0) : Number(value.toPrecision(digits)).toString();
  return text.replace("-", "−").replace("e+", "e");
}

/** A number for a narrow cell: no zero before the point. */
export const tight = (value: number, digits = 2): string => short(value, digits).replace(/^(−?)0\./, "$1.");

/** Ties inner models to what is around them: their inputs to the model's, the model's output to their last layer. */
function join(layers: Layer[], entries: (number | null)[]): Layer[] {
  const joined = layers.map((layer) => ({ ...layer, parents: layer.parents.slice() }));
  for (const layer of layers) {
    const inside = layers.filter((other) => other.parent === layer.index);
    if (!inside.length) continue;
    inside.filter((other) => other.class === "InputLayer").forEach((entry, i) => {
      const outer = layer.parents[entries[entry.index] ?? i];
      if (outer !== undefined) joined[entry.index]!.parents = [outer];
    });
    const first = inside[0]!;
    if (first.class !== "InputLayer" && !first.parents.length) joined[first.index]!.parents = layer.parents.slice(0, 1);
    const taken = new Set(inside.flatMap((other) => other.parents));
    const last = inside.filter((other) => !taken.has(other.index)).pop() ?? inside[inside.length - 1]!;
    joined[layer.index]!.parents = [last.index];
  }
  return joined;
}

/** The layers so that each stands after those it takes from; inner layers come before their model. */
export function inOrder(layers: Layer[]): number[] {
  const done = new Set<number>();
  const found: number[] = [];
  for (const root of layers) {
    const stack: [number, number][] = [[root.index, 0]];
    while (stack.length) {
      const top = stack[stack.length - 1]!;
      const [index, next] = top;
      const parents = layers[index]!.parents;
      if (done.has(index)) stack.pop();
      else if (next < parents.length) {
        top[1]++;
        if (!done.has(parents[next]!)) stack.push([parents[next]!, 0]);
      } else {
        done.add(index);
        found.push(index);
        stack.pop();
      }
    }
  }
  return found;
}
