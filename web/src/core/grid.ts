// A grid of numbers as a picture that keyboard and screen reader can walk through: a canvas below, and above it one
// focusable cell that moves with the arrow keys and says row, column and number. A table twin holds all the numbers.

import { h, sharp, say, type Child } from "./dom";
import { colourOf, css, inkOn, token, type RGB } from "./colour";
import { short, tight } from "./app";

export interface Look { text?: string; colour?: RGB; hatched?: boolean; empty?: boolean }
export interface Mark { row: number; column: number; rows: number; columns: number; kind: "window" | "tap" | "pick" | "field" }
export interface GridOptions {
  rows: number; columns: number; label: string; rowName: string; columnName: string;
  /** The number in a cell; null: not known. */
  value: (row: number, column: number) => number | null;
  top: number; cell?: number; numbers?: boolean; firstRow?: number; firstColumn?: number; headers?: boolean;
  look?: (row: number, column: number) => Look | null;
  /** What a screen reader hears of a cell after its place. */
  describe?: (row: number, column: number) => string;
  onMove?: (row: number, column: number) => void; onPick?: (row: number, column: number) => void; onLeave?: () => void;
}

export interface Grid { element: HTMLElement; mark: (marks: Mark[]) => void; redraw: () => void; focus: (row: number, column: number) => void; move: (row: number, column: number, quiet?: boolean) => void }

const HEAD = 18;

export function grid(options: GridOptions): Grid {
  const { rows, columns } = options;
  const side = options.cell ?? 24;
  const headers = (options.headers ?? true) && side >= 12;
  const head = headers ? HEAD : 0;
  const lead = headers ? HEAD + 4 : 0;
  const [width, height] = [lead + columns * side + 1, head + rows * side + 1];
  const { canvas, pen } = sharp(width, height);
  const above = sharp(width, height);
  above.canvas.classList.add("grid-marks");
  let at: [number, number] = [0, 0];
  const firstRow = options.firstRow ?? 0;
  const firstColumn = options.firstColumn ?? 0;
  const cell = h("div", { role: "gridcell", tabindex: 0, class: "grid-cell", style: { width: `${side}px`, height: `${side}px` } });
  const line = h("div", { role: "row" }, cell);
  const box = h("div", {
    role: "grid", class: "grid", "aria-label": options.label, "aria-rowcount": rows, "aria-colcount": columns, "aria-readonly": "true",
    style: { width: `${width}px`, height: `${height}px` },
    onkeydown: (e) => keys(e as KeyboardEvent), onpointermove: (e) => point(e as PointerEvent, false), onpointerdown: (e) => point(e as PointerEvent, true),
    onpointerleave: () => options.onLeave?.(),
  }, canvas, above.canvas, line);

  const say_ = (row: number, column: number): string => {
    const value = options.value(row, column);
    const number = value === null ? "–" : short(value, 4);
    return `${options.rowName} ${row + firstRow}, ${options.columnName} ${column + firstColumn}: ${options.describe?.(row, column) ?? number}`;
  };

  function place(row: number, column: number): void {
    at = [row, column];
    cell.style.transform = `translate(${lead + column * side}px, ${head + row * side}px)`;
    line.setAttribute("aria-rowindex", String(row + 1));
    cell.setAttribute("aria-colindex", String(column + 1));
    cell.setAttribute("aria-label", say_(row, column));
  }

  function keys(event: KeyboardEvent): void {
    const steps: Record<string, [number, number]> = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-8, 0], PageDown: [8, 0],
      Home: [event.ctrlKey ? -rows : 0, -columns], End: [event.ctrlKey ? rows : 0, columns],
    };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      options.onPick?.(...at);
      return;
    }
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const row = Math.min(Math.max(at[0] + step[0], 0), rows - 1);
    const column = Math.min(Math.max(at[1] + step[1], 0), columns - 1);
    place(row, column);
    say(say_(row, column));
    options.onMove?.(row, column);
  }

  function point(event: PointerEvent, press: boolean): void {
    const bounds = box.getBoundingClientRect();
    const column = Math.floor((event.clientX - bounds.left - lead) / side);
    const row = Math.floor((event.clientY - bounds.top - head) / side);
    if (row < 0 || column < 0 || row >= rows || column >= columns) return;
    if (press) {
      place(row, column);
      options.onMove?.(row, column);
      options.onPick?.(row, column);
    } else if (row !== at[0] || column !== at[1]) {
      if (document.activeElement !== cell) place(row, column);
      options.onMove?.(row, column);
    }
  }

  function redraw(): void {
    pen.clearRect(0, 0, width, height);
    const lines = token("--grid-line");
    const faint = token("--muted");
    const numbers = (options.numbers ?? true) && side >= 24;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.font = `${Math.min(side * 0.36, 12)}px ${token("--numbers")}`;
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
      const look = options.look?.(row, column) ?? null;
      const value = options.value(row, column);
      const [x, y] = [lead + column * side, head + row * side];
      const colour = look?.colour ?? (value === null ? null : colourOf(value, options.top));
      if (colour && !look?.empty) {
        pen.fillStyle = css(colour);
        pen.fillRect(x, y, side, side);
      }
      if (look?.hatched) hatch(x, y);
      if (side >= 6) {
        pen.strokeStyle = lines;
        pen.lineWidth = 1;
        pen.strokeRect(x + 0.5, y + 0.5, side, side);
      }
      const text = look?.text ?? (numbers && value !== null ? tight(value, side >= 36 ? 3 : 2) : "");
      if (text && numbers && !look?.empty) {
        pen.fillStyle = colour && !look?.hatched ? inkOn(colour) : token("--ink");
        pen.fillText(text, x + side / 2 + 0.5, y + side / 2 + 1, side - 2);
      }
    }
    pen.strokeStyle = token("--line");
    pen.strokeRect(lead + 0.5, head + 0.5, columns * side, rows * side);
    if (!headers) return;
    pen.fillStyle = faint;
    pen.font = `10px ${token("--numbers")}`;
    const every = Math.ceil(20 / side);
    for (let column = 0; column < columns; column += every) pen.fillText(String(column + firstColumn), lead + (column + 0.5) * side, head - 7);
    pen.textAlign = "right";
    for (let row = 0; row < rows; row += every) pen.fillText(String(row + firstRow), lead - 4, head + (row + 0.5) * side + 1);
  }

  function hatch(x: number, y: number): void {
    pen.save();
    pen.beginPath();
    pen.rect(x, y, side, side);
    pen.clip();
    pen.strokeStyle = token("--hatch");
    pen.lineWidth = 1;
    for (let d = -side; d < side; d += 5) {
      pen.beginPath();
      pen.moveTo(x + d, y + side);
      pen.lineTo(x + d + side, y);
      pen.stroke();
    }
    pen.restore();
  }

  function mark(marks: Mark[]): void {
    const brush = above.pen;
    brush.clearRect(0, 0, width, height);
    for (const m of marks) {
      const [x, y, w, t] = [lead + m.column * side, head + m.row * side, m.columns * side, m.rows * side];
      brush.strokeStyle = m.kind === "tap" ? token("--accent") : token("--mark");
      brush.fillStyle = token("--mark-fill");
      if (m.kind === "window" || m.kind === "field") brush.fillRect(x, y, w, t);
      brush.lineWidth = m.kind === "tap" ? 2 : 3;
      brush.setLineDash(m.kind === "window" ? [5, 3] : []);
      const inset = side < 8 ? 0.5 : 1.5;
      brush.strokeRect(x + inset, y + inset, Math.max(w - 2 * inset + 1, 2), Math.max(t - 2 * inset + 1, 2));
    }
  }

  place(0, 0);
  requestAnimationFrame(redraw);
  return {
    element: box, mark, redraw,
    move: (row, column) => place(row, column),
    focus: (row, column) => {
      place(row, column);
      cell.focus();
    },
  };
}

/** A table twin in a `details` element, filled when it is first opened. */
export function twin(summary: string, note: string, fill: () => { head: string[]; rows: (string | number)[][] }): HTMLDetailsElement {
  const body = h("div", { class: "twin-body", tabindex: 0, role: "region", "aria-label": summary });
  const details = h("details", { class: "twin", ontoggle: () => {
    if (!details.open || body.childElementCount) return;
    const { head, rows } = fill();
    const cells = (items: (string | number)[]): Child[] => items.map((item, i) => (i === 0 ? h("th", { scope: "row" }, item) : h("td", {}, item)));
    body.append(h("table", {}, h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, ...rows.map((row) => h("tr", {}, ...cells(row))))));
    if (note) body.append(h("p", { class: "note" }, note));
  } }, h("summary", {}, summary), body);
  return details;
}
