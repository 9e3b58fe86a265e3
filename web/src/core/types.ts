// What the page is given: the explanation's document, and the arrays that go with it.

export type Size = number | null;
export interface Tensor { shape: Size[]; axes: string[]; dtype: string }
export interface Weight { name: string; path: string; shape: number[]; axes: string[]; dtype: string; size: number; bytes: number; trainable: boolean }
export interface Sentence { axis: number | null; name: string; before: Size; after: Size; key: string; values: Record<string, unknown>; formula: string; text: string; op: string }
export type Kind = "conv" | "depthwise" | "separable" | "transposed" | "max" | "average";
export interface Window {
  kind: Kind; rank: number; channels_first: boolean; kernel: number[]; strides: number[]; dilation: number[];
  padding: "valid" | "same" | "causal"; pads: [number, number][]; output_padding: number[] | null; groups: number;
  filters: number | null; spatial_axes: number[]; input_sizes: Size[]; output_sizes: Size[]; arguments: Record<string, string>;
}
export interface Receptive { input: string; whole: boolean; axes: { name: string; size: Size; jump: Size; start: Size; whole: boolean }[] }
export interface Layer {
  index: number; name: string; class: string; depth: number; parent: number | null; parents: number[];
  inputs: Tensor[]; outputs: Tensor[]; sentences: Sentence[];
  parameters: { count: number; trainable: number; shared_with: number | null; formula: string; sentence: string; weights: Weight[] };
  bytes: number; multiply_adds: { forward: Size; training: Size }; activation_bytes: Size; receptive_field: Receptive[];
  window: Window | null; config: Record<string, unknown>; code: string;
  ops: { name: string; rule: string | null; inputs: Tensor[]; output: Tensor | null }[];
}
export interface Totals {
  parameters: number; trainable: number; non_trainable: number; bytes: number; multiply_adds: { forward: Size; training: Size };
  activation_bytes: Size;
  memory: { weights: number; gradients: number; optimizer: number; activations_per_sample: number; peak: { batch: number; bytes: number }; largest_batch: Size; available: Size } | null;
}
export interface Document {
  schema: string; version: number; model: { name: string; class: string; inputs: Tensor[]; outputs: Tensor[] };
  layers: Layer[]; totals: Totals; warnings: { key: string; layer: number | null; text: string }[];
}

/** An array of the page: its bytes stand, gzipped and in base64, in the script element `blob`. */
export interface Stored { blob: string; shape: number[]; kind: "f32" | "u8"; scale: number; zero: number }
/** What is carried of one layer. `values` are float32 outputs of all shown examples; `maps` bytes of some channels. */
export interface Carried {
  same: number | null;
  values: number | null;
  maps: { array: number; channels: number[]; examples: number; step: number } | null;
  weights: Record<string, number> | null;
  part: Part | null;
  stats: { zero: number[]; dead: number[]; low: number; high: number } | null;
  /** Which input of its model an InputLayer is. */
  entry: number | null;
  left_out: { what: string; why: string; bytes: number }[];
}
/** A piece of a layer that is too big: some output cells of the first example, what they read, and their weights. */
export interface Part {
  output: number; origin: number[]; channels: number[]; inputs: { array: number; origin: number[] }[];
  weights: Record<string, { array: number; channels: number[] | null }>;
}
export interface Payload {
  document: Document; language: string; version: string;
  texts: Record<string, Texts>;
  examples: { count: number; given: number; names: string[]; inputs: number[] };
  arrays: Stored[]; carried: Carried[]; budget: number; notes: { what: string; why: string; bytes: number }[];
}
/** The sentences of the document in one language. */
export interface Texts { sentences: string[][]; parameters: string[]; axes: Record<string, string>; warnings: string[] }
