import {
  BaseEdge,
  Controls,
  type Edge,
  type EdgeProps,
  getBezierPath,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
} from "@xyflow/react";
import type { ReactNode } from "react";
import { useMemo } from "react";
import "@xyflow/react/dist/base.css";
import "./graph.css";
import { useTheme } from "../lib/theme";
import { placeNodes, type Size } from "./graph_layout";

export interface GraphNode extends Size {
  content: ReactNode;
}

export interface GraphEdge {
  from: string;
  to: string;
  widthPx?: number;
  /** A colour of the design language: "accent", "ok", "warn", "danger", "run", "edge". */
  colour?: string;
  isDashed?: boolean;
}

interface GraphProps {
  /** What is shown, for those who cannot see it. */
  label: string;
  nodes: GraphNode[];
  edges: GraphEdge[];
}

type ContentNode = Node<{ content: ReactNode }, "content">;
type LineEdge = Edge<{ widthPx: number; colour: string; isDashed: boolean }, "line">;

const heightMaxPx = 960;
const heightMinPx = 240;
const marginPx = 24;
/** Text stays readable; what does not fit is reached by dragging. */
const zoomMin = 0.6;
/** On a phone the page scrolls, and not the picture: it is as large as it is, and its frame scrolls sideways. */
const phoneZoom = 0.85;
const isPhone = () => window.matchMedia("(max-width: 639px)").matches;

function Content({ data }: NodeProps<ContentNode>) {
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} className="invisible" />
      {data.content}
      <Handle type="source" position={Position.Right} isConnectable={false} className="invisible" />
    </>
  );
}

function Line({ data, ...ends }: EdgeProps<LineEdge>) {
  const [path] = getBezierPath(ends);
  return (
    <BaseEdge
      path={path}
      style={{
        stroke: `var(--${data?.colour ?? "edge"})`,
        strokeWidth: data?.widthPx,
        strokeOpacity: 0.55,
        strokeDasharray: data?.isDashed ? "4 4" : undefined,
      }}
    />
  );
}

const nodeTypes = { content: Content };
const edgeTypes = { line: Line };

/** A picture to look at: nothing in it is moved or joined, and the wheel scrolls the page. */
const still = {
  nodesDraggable: false,
  nodesConnectable: false,
  nodesFocusable: false,
  edgesFocusable: false,
  elementsSelectable: false,
  zoomOnScroll: false,
  zoomOnDoubleClick: false,
  preventScrolling: false,
};

/** Things and what leads from one to the other, from left to right. The nodes' content may hold buttons and links. */
export function Graph({ label, nodes, edges }: GraphProps) {
  const theme = useTheme();
  // Content changes often, places only with what there is.
  const shape = JSON.stringify([
    nodes.map(({ id, widthPx, heightPx }) => ({ id, widthPx, heightPx })),
    edges.map(({ from, to }) => ({ from, to })),
  ]);
  const placed = useMemo(() => {
    const [sizes, lines] = JSON.parse(shape) as [Size[], { from: string; to: string }[]];
    return placeNodes(sizes, lines);
  }, [shape]);
  const shownNodes = nodes.map(
    ({ id, widthPx, heightPx, content }): ContentNode => ({
      id,
      type: "content",
      position: placed.at.get(id) ?? { x: 0, y: 0 },
      width: widthPx,
      height: heightPx,
      data: { content },
    }),
  );
  const shownEdges = edges.map(
    ({ from, to, widthPx = 1.5, colour = "edge", isDashed = false }): LineEdge => ({
      id: JSON.stringify([from, to]),
      type: "line",
      source: from,
      target: to,
      data: { widthPx, colour, isDashed },
    }),
  );
  const flow = { nodes: shownNodes, edges: shownEdges, nodeTypes, edgeTypes, colorMode: theme, ...still };
  if (isPhone()) {
    const sizePx = {
      width: placed.widthPx * phoneZoom + 2 * marginPx,
      height: placed.heightPx * phoneZoom + 2 * marginPx,
    };
    return (
      <figure aria-label={label} tabIndex={0} className="graph overflow-x-auto">
        <div style={sizePx}>
          <ReactFlow
            key={shape}
            {...flow}
            defaultViewport={{ x: marginPx, y: marginPx, zoom: phoneZoom }}
            panOnDrag={false}
            zoomOnPinch={false}
          />
        </div>
      </figure>
    );
  }
  const heightPx = Math.min(Math.max(placed.heightPx + 2 * marginPx, heightMinPx), heightMaxPx);
  return (
    <figure aria-label={label} style={{ height: heightPx }} className="graph min-w-0">
      <ReactFlow
        // What is there now, and not only what was there first, is to be in sight.
        key={shape}
        {...flow}
        fitView
        fitViewOptions={{ minZoom: zoomMin, maxZoom: 1, padding: `${marginPx}px` }}
        minZoom={0.25}
        maxZoom={1.5}
      >
        <Controls showInteractive={false} position="bottom-left" />
      </ReactFlow>
    </figure>
  );
}
