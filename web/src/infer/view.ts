// Inference in the page: draw or drop an image, and every layer follows; the examples are run again and compared.

import { DRAWN, short, slice, type App } from "../core/app";
import { size, type Dense } from "../core/data";
import { h, say, sharp } from "../core/dom";
import { colourOf, inkOf, topOf } from "../core/colour";
import { twin } from "../core/grid";
import { bars } from "../maps/view";
import { mapsOf, paint } from "../maps/planes";
import { forward, hindrance } from "./run";

interface Board { rows: number; columns: number; channels: number; first: boolean }

/** Why this network cannot run in the page, in words; null if it can. */
export function cannot(app: App): string | null {
  const found = hindrance(app.document, app.layers, (index) => {
    const layer = app.layers[index]!;
    const owner = layer.parameters.shared_with ?? index;
    return layer.parameters.weights.length === 0 || app.data.payload.carried[owner]?.weights !== null;
  });
  return found ? app.t(found.key, found.values) : null;
}

/** Runs the network on one sample; every layer's output. */
export async function run(app: App, input: Dense): Promise<Dense[]> {
  const weights = await Promise.all(app.layers.map((layer) => app.data.weights(layer.index)));
  return forward(app.layers, weights.map((w) => w ?? {}), input);
}

function boardOf(app: App): Board | null {
  const input = app.document.model.inputs[0];
  const shape = input?.shape.slice(1) ?? [];
  if (shape.some((n) => n === null)) {
    if (!app.data.payload.examples.count) return null;
  }
  const entry = app.layers.find((layer) => layer.class === "InputLayer") ?? app.layers[0]!;
  const known = shape.map((n, i) => n ?? app.data.payload.arrays[app.data.payload.examples.inputs[0]!]?.shape[i + 1] ?? 1);
  const first = input?.axes[1]?.startsWith("channel") === true || entry.config["data_format"] === "channels_first";
  if (known.length === 1) return { rows: 1, columns: known[0]!, channels: 1, first: false };
  if (known.length === 2) return { rows: known[0]!, columns: known[1]!, channels: 1, first: false };
  if (known.length === 3) return first ? { rows: known[1]!, columns: known[2]!, channels: known[0]!, first } : { rows: known[0]!, columns: known[1]!, channels: known[2]!, first };
  return null;
}

export function drawView(app: App): HTMLElement {
  const root = h("div", { class: "panel draw-panel" });
  const reason = cannot(app);
  if (reason) {
    root.append(h("p", { class: "empty" }, app.t("draw.cannot"), " ", reason));
    return root;
  }
  const board = boardOf(app);
  if (!board) {
    root.append(h("p", { class: "empty" }, app.t("draw.shape")), check(app));
    return root;
  }
  setUp(app, root, board);
  return root;
}

function setUp(app: App, root: HTMLElement, board: Board): void {
  const { rows, columns, channels } = board;
  const shape = app.document.model.inputs[0]!.shape.length === 2 ? [columns] : app.document.model.inputs[0]!.shape.length === 3 ? [rows, columns] : board.first ? [channels, rows, columns] : [rows, columns, channels];
  const values = new Float32Array(rows * columns * channels);
  let low = 0;
  let high = 1;
  const scale = Math.max(2, Math.floor(Math.min(300 / rows, 420 / columns)));
  const { canvas, pen } = sharp(columns * scale, rows * scale);
  const answer = h("div", { class: "draw-answer" });
  const time = h("p", { class: "note", role: "status" });
  let at: [number, number] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  let pressed = false;
  let erase = false;
  let waiting = false;

  const index = (row: number, column: number, channel: number): number => (board.first && channels > 0 && shape.length === 3 ? (channel * rows + row) * columns + column : (row * columns + column) * channels + channel);

  function redraw(): void {
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) {
      const [a, b, d] = channels === 3 ? [0, 1, 2].map((k) => Math.round((255 * (values[index(r, c, k)]! - low)) / (high - low || 1))) as [number, number, number] : inkOf(values[index(r, c, 0)]!, low, high);
      pen.fillStyle = `rgb(${a} ${b} ${d})`;
      pen.fillRect(c * scale, r * scale, scale, scale);
    }
  }

  /** Lets a soft brush, a little more than one cell wide, pass a point given in cells. */
  function dab(x: number, y: number): void {
    const radius = Math.max(0.75, Math.min(rows, columns) / 11);
    for (let r = Math.max(0, Math.floor(y - radius - 1)); r <= Math.min(rows - 1, y + radius + 1); r++) for (let c = Math.max(0, Math.floor(x - radius - 1)); c <= Math.min(columns - 1, x + radius + 1); c++) {
      const distance = Math.hypot(c + 0.5 - x, r + 0.5 - y);
      const strength = Math.min(Math.max(radius + 0.5 - distance, 0), 1);
      if (!strength) continue;
      for (let k = 0; k < channels; k++) {
        const i = index(r, c, k);
        values[i] = erase ? values[i]! + (low - values[i]!) * strength : Math.max(values[i]!, low + (high - low) * strength);
      }
    }
  }

  function later(): void {
    redraw();
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      void compute();
    });
  }

  async function compute(): Promise<void> {
    const input: Dense = { shape: shape.slice(), data: values.slice() };
    const began = performance.now();
    app.drawn = await run(app, input);
    const took = performance.now() - began;
    time.textContent = app.t("draw.took", { ms: Math.max(1, Math.round(took)) });
    app.set({ example: DRAWN });
    document.dispatchEvent(new CustomEvent("hornbill-drawn"));
    await showAnswer(app, answer);
  }

  const point = (event: PointerEvent): void => {
    const bounds = pad.getBoundingClientRect();
    dab(((event.clientX - bounds.left) / bounds.width) * columns, ((event.clientY - bounds.top) / bounds.height) * rows);
    later();
  };
  const cursor = h("div", { class: "draw-cursor", "aria-hidden": "true" });
  const pad = h("div", {
    class: "draw-pad", tabindex: 0, role: "application", "aria-label": app.t("draw.pad", { rows, columns }), "aria-roledescription": app.t("draw.role"), style: { width: `${columns * scale}px`, height: `${rows * scale}px` },
    onpointerdown: (e) => {
      pressed = true;
      pad.setPointerCapture((e as PointerEvent).pointerId);
      erase = (e as PointerEvent).shiftKey || (e as PointerEvent).button === 2 || erasing.checked;
      point(e as PointerEvent);
    },
    onpointermove: (e) => pressed && point(e as PointerEvent), onpointerup: () => (pressed = false), oncontextmenu: (e) => e.preventDefault(),
    ondragover: (e) => e.preventDefault(),
    ondrop: (e) => {
      e.preventDefault();
      const file = (e as DragEvent).dataTransfer?.files[0];
      if (file) void load(file);
    },
    onkeydown: (e) => {
      const event = e as KeyboardEvent;
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (step) {
        at = [Math.min(Math.max(at[0] + step[0]!, 0), rows - 1), Math.min(Math.max(at[1] + step[1]!, 0), columns - 1)];
        place();
        say(app.t("draw.at", { row: at[0], column: at[1], value: values[index(at[0], at[1], 0)]! }));
      } else if (event.key === " " || event.key === "Enter") {
        const i = index(at[0], at[1], 0);
        const full = values[i]! > (low + high) / 2;
        for (let k = 0; k < channels; k++) values[index(at[0], at[1], k)] = full ? low : high;
        later();
      } else return;
      event.preventDefault();
    },
  }, canvas, cursor);
  function place(): void {
    cursor.style.width = cursor.style.height = `${scale}px`;
    cursor.style.transform = `translate(${at[1] * scale}px, ${at[0] * scale}px)`;
  }
  place();

  async function load(file: Blob): Promise<void> {
    const image = await createImageBitmap(file).catch(() => null);
    if (!image) return void (time.textContent = app.t("draw.noimage"));
    const small = document.createElement("canvas");
    small.width = columns;
    small.height = rows;
    const brush = small.getContext("2d")!;
    const k = Math.max(columns / image.width, rows / image.height);
    brush.imageSmoothingQuality = "high";
    brush.drawImage(image, (columns - image.width * k) / 2, (rows - image.height * k) / 2, image.width * k, image.height * k);
    const data = brush.getImageData(0, 0, columns, rows).data;
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) for (let ch = 0; ch < channels; ch++) {
      const p = (r * columns + c) * 4;
      const grey = (0.299 * data[p]! + 0.587 * data[p + 1]! + 0.114 * data[p + 2]!) / 255;
      const share = channels === 3 ? data[p + ch]! / 255 : grey;
      values[index(r, c, ch)] = low + (high - low) * (turn.checked ? 1 - share : share);
    }
    later();
  }

  const erasing = h("input", { type: "checkbox" });
  const turn = h("input", { type: "checkbox" });
  const file = h("input", { type: "file", accept: "image/*", onchange: () => { if (file.files?.[0]) void load(file.files[0]); } });
  const startWith = h("select", { onchange: () => void take(Number(startWith.value)) }, h("option", { value: -1 }, app.t("draw.blank")), ...Array.from({ length: app.data.payload.examples.count }, (_, i) => h("option", { value: i }, app.t("example", { number: i + 1 }))));
  async function take(example: number): Promise<void> {
    if (example < 0) values.fill(low);
    else {
      const all = await app.data.array(app.data.payload.examples.inputs[0]!);
      const one = slice(all, example);
      if (one && one.data.length === values.length) values.set(one.data);
    }
    later();
  }
  root.append(
    h("p", { class: "note" }, app.t("draw.what")),
    h("div", { class: "draw-columns" },
      h("div", {}, pad, h("div", { class: "row" }, h("label", { class: "choice" }, h("span", {}, app.t("draw.start")), startWith), h("button", { type: "button", onclick: () => { startWith.value = "-1"; void take(-1); } }, app.t("draw.clear"))),
        h("div", { class: "row" }, h("label", { class: "check" }, erasing, app.t("draw.erase")), h("label", { class: "check" }, turn, app.t("draw.invert"))),
        h("label", { class: "choice file" }, h("span", {}, app.t("draw.file")), file), h("p", { class: "note" }, app.t("draw.keys"))),
      h("div", {}, h("h3", { class: "title" }, app.t("draw.answer")), answer, time, check(app))));
  void (async () => {
    const { examples } = app.data.payload;
    if (examples.count) {
      const all = await app.data.array(examples.inputs[0]!);
      low = all.data.reduce((a, b) => Math.min(a, b), Infinity);
      high = all.data.reduce((a, b) => Math.max(a, b), -Infinity);
      const before = app.drawn?.[0];
      if (app.state.example !== DRAWN) {
        startWith.value = String(app.state.example);
        const one = slice(all, app.state.example);
        if (one && one.data.length === values.length) values.set(one.data);
      } else if (before && before.data.length === values.length) values.set(before.data);
    }
    redraw();
    const kept = app.state.example;
    app.drawn = await run(app, { shape: shape.slice(), data: values.slice() });
    if (kept !== DRAWN) await showAnswer(app, answer);
    else await showAnswer(app, answer);
  })();
}

async function showAnswer(app: App, box: HTMLElement): Promise<void> {
  const last = app.layers.filter((layer) => !app.layers.some((other) => other.parents.includes(layer.index))).pop() ?? app.layers[app.layers.length - 1]!;
  const output = app.drawn?.[last.index];
  if (!output) return;
  if (output.shape.length === 1 && output.data.length <= 40) box.replaceChildren(bars(app, [...output.data], null));
  else {
    const maps = await mapsOf(app, last.index, DRAWN);
    if (!maps) return;
    const width = Math.min(300, maps.columns * 6);
    const { canvas, pen } = sharp(width, Math.max(14, (width * maps.rows) / maps.columns));
    const top = topOf(output.data);
    paint(pen, maps, maps.channels[0]!, 0, width, Math.max(14, (width * maps.rows) / maps.columns), (v) => colourOf(v, top));
    box.replaceChildren(canvas, h("p", { class: "note" }, app.t("draw.range", { layer: last.name, top })));
  }
}

/** Runs the examples here and says by how much the result differs from Hornbill's. */
function check(app: App): HTMLElement {
  const box = h("div", { class: "draw-check" });
  const { examples } = app.data.payload;
  if (!examples.count) return box;
  void (async () => {
    const all = await app.data.array(examples.inputs[0]!);
    const input = slice(all, 0);
    if (!input) return;
    const outputs = await run(app, input);
    const differences: [string, number, number][] = [];
    for (const layer of app.layers) {
      const stored = await app.values(layer.index, 0);
      const mine = outputs[layer.index];
      if (!stored || !mine || size(stored.shape) !== mine.data.length) continue;
      let worst = 0;
      for (let i = 0; i < mine.data.length; i++) worst = Math.max(worst, Math.abs(mine.data[i]! - stored.data[i]!));
      differences.push([layer.name, worst, topOf(stored.data)]);
    }
    if (!differences.length) return;
    const worst = Math.max(...differences.map(([, d]) => d));
    const good = differences.every(([, d, top]) => d <= 1e-4 * Math.max(1, top));
    box.append(h("p", { class: `verdict ${good ? "good" : "bad"}`, "data-worst": worst }, good ? "✓ " : "✕ ", app.t(good ? "draw.same" : "draw.differs", { difference: worst.toExponential(1) })),
      twin(app.t("draw.table"), "", () => ({ head: [app.t("table.layer"), app.t("draw.difference")], rows: differences.map(([name, d]) => [name, short(d)]) })));
  })();
  return box;
}
