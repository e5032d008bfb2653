import dagre from "@dagrejs/dagre";

export interface Size {
  id: string;
  widthPx: number;
  heightPx: number;
}

export interface Placed {
  /** Left upper corners. */
  at: Map<string, { x: number; y: number }>;
  widthPx: number;
  heightPx: number;
}

const columnGapPx = 88;
const rowGapPx = 12;

/** Places nodes from left to right, so that edges go that way and cross little. Edges to what is not there are let be. */
export function placeNodes(nodes: readonly Size[], edges: readonly { from: string; to: string }[]): Placed {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", ranksep: columnGapPx, nodesep: rowGapPx });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, widthPx, heightPx } of nodes) graph.setNode(id, { width: widthPx, height: heightPx });
  for (const { from, to } of edges)
    if (from !== to && graph.hasNode(from) && graph.hasNode(to)) graph.setEdge(from, to);
  if (nodes.length > 0) dagre.layout(graph);
  const at = new Map<string, { x: number; y: number }>();
  for (const { id, widthPx, heightPx } of nodes) {
    const centre = graph.node(id) as { x: number; y: number };
    at.set(id, { x: centre.x - widthPx / 2, y: centre.y - heightPx / 2 });
  }
  const { width, height } = graph.graph() as { width?: number; height?: number };
  return { at, widthPx: width ?? 0, heightPx: height ?? 0 };
}
