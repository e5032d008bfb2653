/** Cuts a document into items of knowledge: by headings where it is Markdown, and by paragraphs. */

export interface Section {
  /** From the outermost heading to its own; empty without one. */
  path: string[];
  text: string;
  /** Where it begins, from 1. */
  line: number;
}

/** An item beyond this is cut at a paragraph: search weighs a long item by its best passages only. */
const sectionMax = 4000;
/** Paragraphs without headings are put together up to this. */
const packedMax = 1500;

interface Block {
  text: string;
  line: number;
  heading?: { level: number; title: string };
}

const fence = /^\s*(```|~~~)/;
const headingLine = /^(#{1,6})\s+(.+?)\s*#*\s*$/;

/** Paragraphs, headings and fenced code, which stays whole whatever stands in it. */
function blocksOf(text: string, hasHeadings: boolean): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  let closing: string | undefined;
  const lines = text.split(/\r?\n/);
  for (const [index, content] of lines.entries()) {
    const mark = hasHeadings ? fence.exec(content)?.[1] : undefined;
    if (closing !== undefined) {
      if (open) open.text += `\n${content}`;
      if (mark === closing) closing = undefined;
      continue;
    }
    const heading = hasHeadings ? headingLine.exec(content) : null;
    if (heading) {
      const [, marks = "", title = ""] = heading;
      blocks.push({ text: content, line: index + 1, heading: { level: marks.length, title } });
      open = undefined;
    } else if (content.trim() === "") {
      open = undefined;
    } else if (open) {
      open.text += `\n${content}`;
    } else {
      open = { text: content, line: index + 1 };
      blocks.push(open);
    }
    if (mark) closing = mark;
  }
  return blocks;
}

/** A paragraph that is too long for one item, at ends of sentences, else anywhere. */
function cutLong({ text, line }: Block): Block[] {
  const pieces: Block[] = [];
  let rest = text;
  while (rest.length > sectionMax) {
    const window = rest.slice(0, sectionMax);
    const end = Math.max(window.lastIndexOf(". "), window.lastIndexOf("\n")) + 1;
    const cut = end > sectionMax / 2 ? end : sectionMax;
    pieces.push({ text: rest.slice(0, cut).trim(), line });
    rest = rest.slice(cut);
  }
  if (rest.trim()) pieces.push({ text: rest.trim(), line });
  return pieces;
}

/** Puts a block into the last section when it belongs there and fits, else begins a new one. */
function put(sections: Section[], block: Block, path: string[], isFresh: boolean) {
  const last = sections.at(-1);
  const max = path.length > 0 ? sectionMax : packedMax;
  if (!isFresh && last && last.text.length + block.text.length + 2 <= max) {
    last.text += `\n\n${block.text}`;
  } else {
    sections.push({ path: [...path], text: block.text, line: block.line });
  }
}

export function splitText(text: string, isMarkdown: boolean): Section[] {
  const sections: Section[] = [];
  let path: { level: number; title: string }[] = [];
  let isFresh = true;
  for (const block of blocksOf(text, isMarkdown)) {
    const { heading } = block;
    if (heading) {
      path = [...path.filter((above) => above.level < heading.level), heading];
      isFresh = true;
      continue;
    }
    for (const piece of cutLong(block)) {
      put(
        sections,
        piece,
        path.map((each) => each.title),
        isFresh,
      );
      isFresh = false;
    }
  }
  return sections;
}
