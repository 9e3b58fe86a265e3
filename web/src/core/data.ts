// Reading the payload: JSON and arrays out of the page's own script elements, each unpacked when first asked for.

import type { Payload, Stored } from "./types";

/** Numbers with a shape, row by row (the last axis runs fastest). */
export interface Dense { data: Float32Array; shape: number[] }

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The distance in `data` between neighbours along each axis. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** Puts the bytes of float32 numbers back in order: all first bytes stand first, then all second ones, ... */
export function unshuffle(bytes: Uint8Array): Float32Array {
  const count = bytes.length >> 2;
  const out = new Uint8Array(count * 4);
  for (let plane = 0; plane < 4; plane++) {
    const start = plane * count;
    for (let i = 0; i < count; i++) out[4 * i + plane] = bytes[start + i]!;
  }
  return new Float32Array(out.buffer);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function unzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Turns stored bytes into numbers. */
export function decode(bytes: Uint8Array, stored: Stored): Dense {
  if (stored.kind === "f32") return { data: unshuffle(bytes), shape: stored.shape };
  const data = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) data[i] = bytes[i]! * stored.scale + stored.zero;
  return { data, shape: stored.shape };
}

/** The payload and its arrays. */
export class Data {
  readonly payload: Payload;
  private readonly ready = new Map<number, Promise<Dense>>();

  constructor(payload: Payload) {
    this.payload = payload;
  }

  /** Returns an array, unpacked once. */
  array(id: number): Promise<Dense> {
    let found = this.ready.get(id);
    if (!found) {
      const stored = this.payload.arrays[id]!;
      const text = document.getElementById(stored.blob)?.textContent ?? "";
      found = unzip(fromBase64(text)).then((bytes) => decode(bytes, stored));
      this.ready.set(id, found);
    }
    return found;
  }

  /** The layer whose numbers stand for this one's, if it only passes them on. */
  source(index: number): number {
    let at = index;
    for (let hops = 0; hops < 1000; hops++) {
      const next = this.payload.carried[at]?.same;
      if (next === null || next === undefined) return at;
      at = next;
    }
    return at;
  }

  /** Float32 outputs of a layer for all shown examples, or null if they are not carried. */
  async values(index: number): Promise<Dense | null> {
    const id = this.payload.carried[this.source(index)]?.values;
    return id === null || id === undefined ? null : this.array(id);
  }

  /** Weights of a layer by name, or null if they are not all carried. */
  async weights(index: number): Promise<Record<string, Dense> | null> {
    const layer = this.payload.document.layers[index]!;
    const owner = layer.parameters.shared_with ?? index;
    const ids = this.payload.carried[owner]?.weights;
    if (!ids) return layer.parameters.weights.length === 0 ? {} : null;
    const found: Record<string, Dense> = {};
    for (const [name, id] of Object.entries(ids)) found[name] = await this.array(id);
    return found;
  }
}

export function readPayload(): Payload {
  const text = document.getElementById("hornbill-data")?.textContent;
  if (!text) throw new Error("This page carries no model.");
  return JSON.parse(text) as Payload;
}
