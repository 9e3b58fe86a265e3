"""A scene in the DOT language, for Graphviz and what else reads its files."""

from __future__ import annotations

from hornbill.explain.scene import Scene

__all__ = ["dot_text"]


def dot_text(scene: Scene, rankdir: str, dpi: float, cluster: bool = False) -> str:
    """Returns the graph; inner models are clusters.

    Args:
        scene: The scene.
        rankdir: "TB" or "LR".
        dpi: Dots per inch.
        cluster: Whether it is to stand inside another graph.
    """
    head = "subgraph cluster_model {" if cluster else "digraph model {"
    lines = [
        head,
        f"  rankdir={rankdir};" if cluster else f"  graph [rankdir={rankdir}, dpi={dpi:g}, compound=true];",
        '  node [shape=box, fontname="Helvetica", fontsize=10];',
        *_level(scene, "n", "  "),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _level(scene: Scene, prefix: str, pad: str) -> list[str]:
    lines, edges = [], []
    for i, item in enumerate(scene.items):
        label = "\\n".join(_quoted(text) for text in item.lines)
        if item.inside is None:
            lines.append(f'{pad}{prefix}{i} [label="{label}"];')
            continue
        lines += [f"{pad}subgraph cluster_{prefix}{i} {{", f'{pad}  label="{label}";']
        lines += [*_level(item.inside, f"{prefix}{i}_", pad + "  "), pad + "}"]
    for number, line in enumerate(scene.lines):
        (a, tail), (b, head) = _end(scene, line.source, prefix, -1), _end(scene, line.target, prefix, 0)
        marks = [f"ltail=cluster_{tail}"] if tail else []
        marks += [f"lhead=cluster_{head}"] if head else []
        marks += ["style=dashed"] if number in scene.guessed else []
        edges.append(f"{pad}{a} -> {b}" + (f" [{', '.join(marks)}];" if marks else ";"))
    return lines + edges


def _end(scene: Scene, number: int, prefix: str, place: int) -> tuple[str, str]:
    """Returns the node where an edge ends, and the outermost cluster around it: edges join nodes, not clusters."""
    name, outer = f"{prefix}{number}", ""
    item = scene.items[number]
    while item.inside is not None:
        outer = outer or name
        number = range(len(item.inside.items))[place]
        name, item = f"{name}_{number}", item.inside.items[number]
    return name, outer


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
