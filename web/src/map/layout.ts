// The map's geometry: blocks, ranks from left to right, levels from top to bottom by how far the image was shrunk, so
// that a U-Net is drawn as a U and its skips as straight lines. Pure; the view only draws what comes out here.

import { inOrder } from "../core/app";
import type { Layer } from "../core/types";
import { channelsFirst } from "../receptive/boxes";

export const NODE = { width: 142, height: 60, gapX: 28, gapY: 22 };

/** Layers that may be folded into one. `owner` is the model's own row if the block is an inner model. */
export interface Block { id: string; name: string; members: number[]; owner: number | null }
export interface Node { id: string; block: Block | null; layer: number; x: number; y: number; rank: number; row: number; parents: string[]; children: string[] }
export interface Edge { from: string; to: string; skip: boolean; path: string }
export interface Frame { block: Block; x: number; y: number; width: number; height: number }
export interface Layout { nodes: Node[]; edges: Edge[]; frames: Frame[]; width: number; height: number }

const sizesOf = (layer: Layer): number[] => {
  const shape = layer.outputs[0]?.shape.slice(1) ?? [];
  if (shape.length < 2) return [];
  return (channelsFirst(layer) ? shape.slice(1) : shape.slice(0, -1)).map((n) => n ?? 0);
};

/** Finds blocks: inner models; else layers that share the front of their names; else those of one spatial size. */
export function blocksOf(layers: Layer[]): Block[] {
  const found: Block[] = [];
  for (const layer of layers) {
    const members = layers.filter((other) => other.parent === layer.index).map((other) => other.index);
    if (members.length) found.push({ id: `model${layer.index}`, name: layer.name, members: [...members, layer.index], owner: layer.index });
  }
  const inner = new Set(found.flatMap((block) => block.members));
  const free = layers.filter((layer) => !inner.has(layer.index) && layer.depth === 0);
  const named = runs(free, prefix);
  if (named.length) return [...found, ...named.map(([name, members]) => ({ id: `name${members[0]!}`, name, members, owner: null }))];
  if (free.length < 14) return found;
  const staged = runs(free, (layer) => sizesOf(layer).join(" × "));
  return [...found, ...staged.map(([name, members]) => ({ id: `size${members[0]!}`, name, members, owner: null }))];
}

function prefix(layer: Layer): string {
  const parts = layer.name.split("_");
  if (parts.length >= 3) return parts.slice(0, 2).join("_");
  return parts.length === 2 && !/^\d+$/.test(parts[1]!) ? parts[0]! : "";
}

function runs(layers: Layer[], key: (layer: Layer) => string): [string, number[]][] {
  const found: [string, number[]][] = [];
  let open: [string, number[]] | null = null;
  for (const layer of layers) {
    const name = layer.class === "InputLayer" ? "" : key(layer);
    if (open && name === open[0]) open[1].push(layer.index);
    else found.push((open = [name, [layer.index]]));
  }
  return found.filter(([name, members]) => name !== "" && members.length >= 3);
}

/** Lays the map out; `folded` holds the ids of the blocks that stand as one. */
export function layOut(layers: Layer[], blocks: Block[], folded: ReadonlySet<string>): Layout {
  const nodes = gather(layers, blocks, folded);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const node of nodes) node.rank = node.parents.reduce((rank, p) => Math.max(rank, byId.get(p)!.rank + 1), 0);
  const level = levels(layers, nodes, byId);
  rows(nodes, level);
  for (const node of nodes) {
    node.x = 24 + node.rank * (NODE.width + NODE.gapX);
    node.y = 40 + node.row * (NODE.height + NODE.gapY);
  }
  const edges = wire(nodes, byId);
  const frames = blocks.filter((block) => !folded.has(block.id)).map((block) => frame(block, nodes)).filter((f) => f !== null);
  const bottom = Math.max(...nodes.map((node) => node.y), 0) + NODE.height;
  return { nodes, edges, frames, width: Math.max(...nodes.map((node) => node.x), 0) + NODE.width + 24, height: bottom + 24 };
}

function gather(layers: Layer[], blocks: Block[], folded: ReadonlySet<string>): Node[] {
  const home = new Map<number, string>();
  const shut = new Map<string, Block>();
  for (const block of [...blocks].sort((a, b) => depth(layers, b) - depth(layers, a))) {
    if (!folded.has(block.id)) continue;
    for (const [index, id] of [...home]) if (block.members.includes(shut.get(id)?.owner ?? -1)) home.set(index, block.id);
    for (const index of block.members) home.set(index, block.id);
    shut.set(block.id, block);
  }
  const owners = new Set(blocks.filter((b) => b.owner !== null && !folded.has(b.id)).map((b) => b.owner!));
  const idOf = (index: number): string => home.get(index) ?? `layer${index}`;
  /** An open inner model is not drawn itself: what takes its output takes it from its last layer. */
  const through = (index: number): number => (owners.has(index) && !home.has(index) && layers[index]!.parents.length ? through(layers[index]!.parents[0]!) : index);
  const found = new Map<string, Node>();
  for (const index of inOrder(layers)) {
    if (owners.has(index) && !home.has(index)) continue;
    const id = idOf(index);
    const block = shut.get(id) ?? null;
    let node = found.get(id);
    if (!node) found.set(id, (node = { id, block, layer: index, x: 0, y: 0, rank: 0, row: 0, parents: [], children: [] }));
    if (block) node.layer = block.owner ?? index;
    for (const parent of layers[index]!.parents) {
      const from = idOf(through(parent));
      if (from !== id && !node.parents.includes(from)) node.parents.push(from);
    }
  }
  const sorted = [...found.values()];
  for (const node of sorted) node.parents = node.parents.filter((p) => found.has(p));
  for (const node of sorted) for (const p of node.parents) found.get(p)!.children.push(node.id);
  return ranked(sorted, found);
}

const depth = (layers: Layer[], block: Block): number => layers[block.members[0]!]!.depth;

/** Nodes so that parents come first; folding may have changed the order. */
function ranked(nodes: Node[], byId: Map<string, Node>): Node[] {
  const done = new Set<string>();
  const found: Node[] = [];
  const visit = (node: Node): void => {
    if (done.has(node.id)) return;
    done.add(node.id);
    for (const p of node.parents) visit(byId.get(p)!);
    found.push(node);
  };
  for (const node of nodes) visit(node);
  return found;
}

function levels(layers: Layer[], nodes: Node[], byId: Map<string, Node>): Map<string, number> {
  const found = new Map<string, number>();
  const known = (list: Node[]): number[] => list.map((n) => sizesOf(layers[n.layer]!)).filter((sizes) => sizes.length > 0).map(geometric);
  const first = Math.max(1, ...(known(nodes.filter((n) => n.parents.length === 0)).length ? known(nodes.filter((n) => n.parents.length === 0)) : known(nodes).slice(0, 1)));
  for (const node of nodes) {
    const sizes = sizesOf(layers[node.layer]!);
    const own = sizes.length && sizes.every((n) => n > 0) ? Math.round(Math.log2(first / geometric(sizes))) : null;
    const before = node.parents.length ? found.get(byId.get(node.parents[0]!)!.id)! : 0;
    found.set(node.id, own === null ? before : Math.min(Math.max(own, -3), 6));
  }
  return found;
}

const geometric = (sizes: number[]): number => (sizes.length ? sizes.reduce((a, b) => a * Math.max(b, 1), 1) ** (1 / sizes.length) : 1);

/** Gives each level as many rows as it has nodes side by side. */
function rows(nodes: Node[], level: Map<string, number>): void {
  const used = [...new Set(level.values())].sort((a, b) => a - b);
  let next = 0;
  for (const value of used) {
    const mine = nodes.filter((node) => level.get(node.id) === value);
    const taken = new Map<number, number>();
    let most = 1;
    for (const node of mine) {
      const lane = taken.get(node.rank) ?? 0;
      taken.set(node.rank, lane + 1);
      node.row = next + lane;
      most = Math.max(most, lane + 1);
    }
    next += most;
  }
}

function wire(nodes: Node[], byId: Map<string, Node>): Edge[] {
  const rowRanks = new Map<number, number[]>();
  for (const node of nodes) (rowRanks.get(node.row) ?? rowRanks.set(node.row, []).get(node.row)!).push(node.rank);
  const free = (row: number, low: number, high: number): boolean => !(rowRanks.get(row) ?? []).some((rank) => rank > low && rank < high);
  const found: Edge[] = [];
  const arcs: [number, number][][] = [];
  for (const node of nodes) for (const id of node.parents) {
    const from = byId.get(id)!;
    const [x1, y1, x2, y2] = [from.x + NODE.width, from.y + NODE.height / 2, node.x - 5, node.y + NODE.height / 2];
    const skip = node.rank - from.rank > 1;
    let path: string;
    if (!skip) path = `M${x1} ${y1}C${x1 + 16} ${y1} ${x2 - 16} ${y2} ${x2} ${y2}`;
    else if (free(from.row, from.rank, node.rank + (from.row === node.row ? 0 : 1))) path = `M${x1} ${y1}H${x2 - 26}C${x2 - 10} ${y1} ${x2 - 16} ${y2} ${x2} ${y2}`;
    else if (free(node.row, from.rank - 1, node.rank)) path = `M${x1} ${y1}C${x1 + 16} ${y1} ${x1 + 10} ${y2} ${x1 + 26} ${y2}H${x2}`;
    else {
      const slot = slotOf(arcs, from.row, from.rank, node.rank);
      const top = Math.min(from.y, node.y) - 8 - (slot % 3) * 4;
      path = `M${from.x + NODE.width / 2} ${from.y}C${from.x + NODE.width / 2} ${top} ${from.x + NODE.width / 2 + 10} ${top} ${from.x + NODE.width / 2 + 24} ${top}H${node.x + NODE.width / 2 - 24}C${node.x + NODE.width / 2 - 10} ${top} ${node.x + NODE.width / 2} ${top} ${node.x + NODE.width / 2} ${node.y - 5}`;
    }
    found.push({ from: id, to: node.id, skip, path });
  }
  return found;
}

/** Arcs that overlap on one row get slots of their own. */
function slotOf(arcs: [number, number][][], row: number, low: number, high: number): number {
  const mine = (arcs[row] ??= []);
  const slot = mine.filter(([a, b]) => a < high && low < b).length;
  mine.push([low, high]);
  return slot;
}

function frame(block: Block, nodes: Node[]): Frame | null {
  const mine = nodes.filter((node) => !node.block && block.members.includes(node.layer));
  if (!mine.length) return null;
  const [left, top] = [Math.min(...mine.map((n) => n.x)) - 10, Math.min(...mine.map((n) => n.y)) - 20];
  const [right, bottom] = [Math.max(...mine.map((n) => n.x)) + NODE.width + 10, Math.max(...mine.map((n) => n.y)) + NODE.height + 9];
  return { block, x: left, y: top, width: right - left, height: bottom - top };
}
